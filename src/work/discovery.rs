//! Discovery: a range of offsets is set apart, and its names are recorded chunk by chunk.
//!
//! Both steps may be repeated: the pattern answers the same run with the same range, and the campaign records no offset
//! twice. A worker that dies between two chunks is followed by one that goes on where the campaign's stream ends.

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign, Command, GENERATED_CHUNK, RecordGenerated, Source, Tallies},
    names, pattern,
};
use event_store::{Database, ExecuteError};

use super::Order;

/// Why names could not be generated.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiscoveryError {
    /// The pattern's stream refused or failed.
    #[error("cannot set a range of the pattern apart")]
    Reserve(#[source] Box<ExecuteError<pattern::Error>>),
    /// The campaign's stream refused or failed.
    #[error("cannot record names")]
    Record(#[source] Box<ExecuteError<campaign::Error>>),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
}

/// How far a discovery order came.
pub(super) enum Progress {
    /// Every name is recorded.
    Done(Tallies),
    /// The run was paused or is over.
    Interrupted,
}

/// Generates the names of a run, or takes stock of the imported ones.
pub(super) async fn discover(
    database: &Database,
    worker: &str,
    order: &Order,
    source: &Source,
) -> Result<Progress, DiscoveryError> {
    let metadata = Metadata::new(Actor::Worker(worker.to_owned()), order.run_id.to_string());
    match source {
        Source::Import => {
            let (campaign, _) = database
                .log()
                .load::<Campaign>(&order.campaign_id.to_string())
                .await?;
            Ok(Progress::Done(Tallies::from([(
                "imported".to_owned(),
                campaign.names(),
            )])))
        }
        Source::Pattern { pattern, count } => {
            let Some(range) = reserve(database, order, pattern, *count, &metadata).await? else {
                return Ok(Progress::Done(Tallies::from([
                    ("generated".to_owned(), 0),
                    ("exhausted".to_owned(), 1),
                ])));
            };
            generate(database, order, pattern, range, *count, &metadata).await
        }
    }
}

/// Sets a range apart; nothing when every offset was given away before.
async fn reserve(
    database: &Database,
    order: &Order,
    pattern: &names::Pattern,
    wanted: Option<u64>,
    metadata: &Metadata,
) -> Result<Option<pattern::Range>, DiscoveryError> {
    let command = pattern::Command::Reserve(pattern::Reserve {
        campaign_id: order.campaign_id,
        run_id: order.run_id,
        count: wanted.unwrap_or(u64::MAX),
        total: pattern.total(),
    });
    let stream = pattern.hash();
    loop {
        let log = database.log();
        match log
            .execute::<pattern::Pattern>(&stream, command.clone(), metadata, None)
            .await
        {
            Ok(_) => {
                let (state, _) = log.load::<pattern::Pattern>(&stream).await?;
                return Ok(state.range_of(order.run_id));
            }
            Err(ExecuteError::Rejected(pattern::Error::Exhausted { .. })) => return Ok(None),
            // Many campaigns of one pattern may ask at once; each conflict means that another one was served.
            Err(ExecuteError::Conflict { .. }) => {}
            Err(error) => return Err(DiscoveryError::Reserve(Box::new(error))),
        }
    }
}

async fn generate(
    database: &Database,
    order: &Order,
    pattern: &names::Pattern,
    range: pattern::Range,
    wanted: Option<u64>,
    metadata: &Metadata,
) -> Result<Progress, DiscoveryError> {
    let stream = order.campaign_id.to_string();
    let (campaign, _) = database.log().load::<Campaign>(&stream).await?;
    let mut start = campaign
        .generated_to()
        .unwrap_or(range.start)
        .max(range.start);
    while start < range.end() {
        let count = GENERATED_CHUNK.min(range.end() - start);
        let command = Command::RecordGenerated(RecordGenerated {
            run_id: order.run_id,
            pattern: pattern.clone(),
            generator_version: names::GENERATOR_VERSION,
            start,
            count,
            names: count_names(pattern, start, count),
        });
        match database
            .log()
            .execute::<Campaign>(&stream, command, metadata, None)
            .await
        {
            Ok(_) => start += count,
            Err(ExecuteError::Rejected(
                campaign::Error::RunIsOver
                | campaign::Error::InvalidTransition { .. }
                | campaign::Error::NotFound,
            )) => return Ok(Progress::Interrupted),
            Err(ExecuteError::Conflict { .. }) => {}
            Err(error) => return Err(DiscoveryError::Record(Box::new(error))),
        }
    }
    Ok(Progress::Done(tallies(pattern, range, wanted)))
}

/// Counts what the run came to, by computing its names once more: the campaign may have names of earlier runs.
fn tallies(pattern: &names::Pattern, range: pattern::Range, wanted: Option<u64>) -> Tallies {
    let names = count_names(pattern, range.start, range.count);
    let short = wanted.is_some_and(|wanted| range.count < wanted);
    Tallies::from([
        ("generated".to_owned(), names),
        ("skipped".to_owned(), range.count.saturating_sub(names)),
        ("exhausted".to_owned(), u64::from(short)),
    ])
}

fn count_names(pattern: &names::Pattern, start: u64, count: u64) -> u64 {
    let mut steps = pattern.names(start, count);
    let mut names = 0;
    while let Some(step) = steps.step() {
        names += u64::from(step.name.is_some());
    }
    names
}
