//! Taking the names that passed the checks of other campaigns, chunk by chunk.
//!
//! A name may be in several of them and is taken once: every chunk is compared with the names that the campaign has, at
//! the version that the chunk is recorded at. A worker that dies between two chunks is followed by one that goes on where
//! the campaign's stream ends.

use std::time::Duration;

use aggregates::{
    Metadata,
    campaign::{Campaign, Command, Event, Input, RecordTaken, Tallies},
    ids::CampaignId,
};
use cqrs_es::Aggregate as _;
use event_store::{Database, ExecuteError, Position};
use projections::{domains, runtime::checkpoints};
use tokio::time::{Instant, sleep};

use super::{DiscoveryError, Progress, is_interruption};
use crate::work::Order;

/// How long the read model of domains is waited for after a chunk, and between two looks at it.
const CATCH_UP: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);

/// What comes before the first ordinal.
const BEFORE_THE_FIRST: i64 = -1;

/// What became of a chunk.
enum Chunk {
    Recorded,
    Interrupted,
}

/// Takes the names of the campaigns, one after the other and so many at a time. A campaign that runs again meanwhile, or
/// is deleted, ends the taking: what passed its checks then is not what passed when it was asked for.
pub(super) async fn take(
    database: &Database,
    order: &Order,
    inputs: &[Input],
    chunk: usize,
    metadata: &Metadata,
) -> Result<Progress, DiscoveryError> {
    let stream = order.campaign_id.to_string();
    let (campaign, _) = database.log().load::<Campaign>(&stream).await?;
    let (begun, mut after) = place(&campaign, inputs);
    for input in inputs.iter().skip(begun) {
        loop {
            let limit = i64::try_from(chunk).unwrap_or(i64::MAX);
            let (source, checked) = (input.campaign_id, input.checked);
            let rows =
                domains::passed_after(database.pool(), source, checked, after, limit).await?;
            // A run that resets rows is in the log before it does.
            if let Some(why) = has_moved(database, inputs).await? {
                return Ok(Progress::Impossible(why));
            }
            let Some((_, last)) = rows.last() else { break };
            let last = *last;
            let names = rows.into_iter().map(|(name, _)| name).collect();
            match record(database, order, (source, last), names, metadata).await? {
                Chunk::Recorded => after = last,
                Chunk::Interrupted => return Ok(Progress::Interrupted),
            }
        }
        after = BEFORE_THE_FIRST;
    }
    let (campaign, _) = database.log().load::<Campaign>(&stream).await?;
    Ok(Progress::Done(Tallies::from([(
        "imported".to_owned(),
        campaign.names(),
    )])))
}

/// Finds where to go on: at which of the inputs, after which of its ordinals.
fn place(campaign: &Campaign, inputs: &[Input]) -> (usize, i64) {
    let reached = campaign.taken_to().and_then(|(source, to)| {
        let at = inputs.iter().position(|one| one.campaign_id == source)?;
        Some((at, i64::try_from(to).unwrap_or(i64::MAX)))
    });
    reached.unwrap_or((0, BEFORE_THE_FIRST))
}

/// Says which campaign is not as it was when the run began, and why.
async fn has_moved(
    database: &Database,
    inputs: &[Input],
) -> Result<Option<String>, DiscoveryError> {
    let streams: Vec<(String, u64)> = inputs
        .iter()
        .map(|input| (input.campaign_id.to_string(), u64::MAX))
        .collect();
    let log = database.log();
    for stored in log
        .latest_of(Campaign::TYPE, &streams, &["PhaseStarted", "Deleted"])
        .await?
    {
        let id = &stored.aggregate_id;
        match stored.decode()? {
            Event::PhaseStarted { run_id, .. } => {
                let mut pinned = inputs.iter().flat_map(|input| &input.runs);
                if !pinned.any(|run| *run == run_id) {
                    return Ok(Some(format!(
                        "campaign {id} was run again while its names were taken"
                    )));
                }
            }
            _ => return Ok(Some(format!("campaign {id} is not there any more"))),
        }
    }
    Ok(None)
}

/// Records the names that are new to the campaign.
async fn record(
    database: &Database,
    order: &Order,
    (source, to): (CampaignId, i64),
    names: Vec<String>,
    metadata: &Metadata,
) -> Result<Chunk, DiscoveryError> {
    let stream = order.campaign_id.to_string();
    let log = database.log();
    loop {
        let (_, version) = log.load::<Campaign>(&stream).await?;
        let shown = log.position_of(Campaign::TYPE, &stream, version).await?;
        if !domains_show(database, shown).await? {
            return Ok(Chunk::Interrupted);
        }
        let known = domains::existing_names(database.pool(), order.campaign_id, &names).await?;
        let mut new = names.clone();
        new.retain(|name| !known.contains(name));
        if new.is_empty() {
            return Ok(Chunk::Recorded);
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
            Ok(_) => return Ok(Chunk::Recorded),
            Err(ExecuteError::VersionMismatch { .. } | ExecuteError::Conflict { .. }) => {}
            Err(error) if is_interruption(&error) => return Ok(Chunk::Interrupted),
            Err(error) => return Err(DiscoveryError::Record(Box::new(error))),
        }
    }
}

/// Waits until the read model of domains shows everything up to a position, and says whether it does; this process need
/// not be the one that leads it. One that is far behind is no failure of the run, which goes on another time.
async fn domains_show(database: &Database, position: Position) -> Result<bool, DiscoveryError> {
    let deadline = Instant::now() + CATCH_UP;
    loop {
        let checkpoints = checkpoints(database.pool()).await?;
        let domains = checkpoints.iter().find(|one| one.name == "domains");
        if domains.is_some_and(|domains| domains.position >= position.as_i64()) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests;
