//! Taking the names that passed the checks of other campaigns, chunk by chunk.
//!
//! A name may be in several of them and is taken once: every chunk is compared with the names that the campaign has, at
//! the version that the chunk is recorded at. A worker that dies between two chunks is followed by one that goes on where
//! the campaign's stream ends.

use std::time::Duration;

use aggregates::{
    Metadata,
    campaign::{Campaign, Command, Phase, PhaseState, RecordTaken, TAKEN_CHUNK, Tallies},
    ids::CampaignId,
};
use cqrs_es::Aggregate as _;
use event_store::{Database, ExecuteError, Position};
use projections::{campaigns, domains, runtime::checkpoints};
use tokio::time::{Instant, sleep};

use super::{DiscoveryError, Progress, is_interruption};
use crate::work::Order;

/// How long the read model of domains is waited for after a chunk, and between two looks at it.
const CATCH_UP: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// What comes before the first ordinal.
const BEFORE_THE_FIRST: i64 = -1;

/// Takes the names of the campaigns, one after the other.
pub(super) async fn take(
    database: &Database,
    order: &Order,
    sources: &[CampaignId],
    metadata: &Metadata,
) -> Result<Progress, DiscoveryError> {
    let stream = order.campaign_id.to_string();
    let (campaign, _) = database.log().load::<Campaign>(&stream).await?;
    let (begun, mut after) = place(&campaign, sources);
    for source in sources.iter().skip(begun) {
        let checked = checked_up_to(database, *source).await?;
        loop {
            let limit = i64::try_from(TAKEN_CHUNK).unwrap_or(i64::MAX);
            let rows =
                domains::passed_after(database.pool(), *source, checked, after, limit).await?;
            let Some((_, last)) = rows.last() else { break };
            let last = *last;
            let names = rows.into_iter().map(|(name, _)| name).collect();
            if !record(database, order, (*source, last), names, metadata).await? {
                return Ok(Progress::Interrupted);
            }
            after = last;
        }
        after = BEFORE_THE_FIRST;
    }
    let (campaign, _) = database.log().load::<Campaign>(&stream).await?;
    Ok(Progress::Done(Tallies::from([(
        "imported".to_owned(),
        campaign.names(),
    )])))
}

/// Finds where to go on: at which of the sources, after which of its ordinals.
fn place(campaign: &Campaign, sources: &[CampaignId]) -> (usize, i64) {
    let reached = campaign.taken_to().and_then(|(source, to)| {
        let at = sources.iter().position(|one| *one == source)?;
        Some((at, i64::try_from(to).unwrap_or(i64::MAX)))
    });
    reached.unwrap_or((0, BEFORE_THE_FIRST))
}

/// Finds the last check that a campaign has made of all its names.
async fn checked_up_to(database: &Database, source: CampaignId) -> Result<Phase, DiscoveryError> {
    let campaign = campaigns::by_id(database.pool(), source)
        .await?
        .ok_or(DiscoveryError::Gone(source))?;
    let completed = |phase: Phase| campaign.phase(phase).state == PhaseState::Completed;
    let checks = [Phase::Extraction, Phase::Validation];
    let made = checks.into_iter().find(|phase| completed(*phase));
    Ok(made.unwrap_or(Phase::Discovery))
}

/// Records the names that are new to the campaign; answers whether the run goes on.
async fn record(
    database: &Database,
    order: &Order,
    (source, to): (CampaignId, i64),
    names: Vec<String>,
    metadata: &Metadata,
) -> Result<bool, DiscoveryError> {
    let stream = order.campaign_id.to_string();
    let log = database.log();
    loop {
        let (_, version) = log.load::<Campaign>(&stream).await?;
        let shown = log.position_of(Campaign::TYPE, &stream, version).await?;
        domains_show(database, shown).await?;
        let known = domains::existing_names(database.pool(), order.campaign_id, &names).await?;
        let mut new = names.clone();
        new.retain(|name| !known.contains(name));
        if new.is_empty() {
            return Ok(true);
        }
        let command = Command::RecordTaken(RecordTaken {
            run_id: order.run_id,
            source,
            to_ordinal: u64::try_from(to).unwrap_or(0),
            names: new,
        });
        match log
            .execute::<Campaign>(&stream, command, metadata, Some(version))
            .await
        {
            Ok(_) => return Ok(true),
            Err(ExecuteError::VersionMismatch { .. } | ExecuteError::Conflict { .. }) => {}
            Err(error) if is_interruption(&error) => return Ok(false),
            Err(error) => return Err(DiscoveryError::Record(Box::new(error))),
        }
    }
}

/// Waits until the read model of domains shows everything up to a position; this process need not be the one that
/// leads it.
async fn domains_show(database: &Database, position: Position) -> Result<(), DiscoveryError> {
    let deadline = Instant::now() + CATCH_UP;
    loop {
        let checkpoints = checkpoints(database.pool()).await?;
        let domains = checkpoints.iter().find(|one| one.name == "domains");
        let behind = position.as_i64() - domains.map_or(0, |one| one.position);
        if behind <= 0 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(DiscoveryError::Behind { behind });
        }
        sleep(LOOK).await;
    }
}
