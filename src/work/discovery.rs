//! Discovery: offsets are set apart, and their names are recorded chunk by chunk; or those of other campaigns are taken
//! ([`taking`]).
//!
//! Both steps may be repeated: the pattern answers the same run with the same ranges, and the campaign records no offset
//! twice. A worker that dies between two chunks is followed by one that goes on where the campaign's stream ends; what a
//! run leaves that is stopped, the campaign's next run begins with.

use std::sync::Arc;

use aggregates::{
    Actor, Metadata,
    campaign::{
        self, Campaign, Command, GENERATED_CHUNK, Input, RecordGenerated, Source, TAKEN_CHUNK,
        Tallies,
    },
    names, pattern,
};
use event_store::{Database, ExecuteError};
use tokio::task::{JoinError, spawn_blocking};

use super::Order;

mod taking;

/// Why names could not be generated.
#[derive(Debug, thiserror::Error)]
pub(super) enum DiscoveryError {
    /// The pattern's stream refused or failed.
    #[error("cannot set a range of the pattern apart")]
    Reserve(#[source] Box<ExecuteError<pattern::Error>>),
    /// The campaign's stream refused or failed.
    #[error("cannot record names")]
    Record(#[source] Box<ExecuteError<campaign::Error>>),
    /// A count broke off.
    #[error("cannot count names")]
    Count(#[from] JoinError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// The read model of domains failed.
    #[error("cannot read names")]
    Query(#[from] sqlx::Error),
}

/// Names that are counted in one go on a thread that may block; between two goes the work can be ended.
const COUNTED_AT_ONCE: u64 = 250_000;

/// How far a discovery order came.
pub(super) enum Progress {
    /// Every name is recorded.
    Done(Tallies),
    /// The run was paused or is over, or what it waits for is not there yet.
    Interrupted,
    /// It cannot be done, and why.
    Impossible(String),
}

/// Generates the names of a run, or takes stock of the imported ones.
pub(super) async fn discover(
    database: &Database,
    worker: &str,
    order: &Order,
    source: &Source,
    inputs: &[Input],
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
        Source::Campaigns { .. } => {
            taking::take(database, order, inputs, TAKEN_CHUNK, &metadata).await
        }
        Source::Pattern { pattern, count } => {
            let Some(ranges) = reserve(database, order, pattern, *count, &metadata).await? else {
                return Ok(Progress::Done(Tallies::from([
                    ("generated".to_owned(), 0),
                    ("exhausted".to_owned(), 1),
                ])));
            };
            for range in &ranges {
                if !generate(database, order, pattern, *range, &metadata).await? {
                    return Ok(Progress::Interrupted);
                }
            }
            Ok(Progress::Done(tallies(pattern, &ranges, *count).await?))
        }
    }
}

/// Sets offsets apart; nothing when every one was given away before.
async fn reserve(
    database: &Database,
    order: &Order,
    pattern: &names::Pattern,
    wanted: Option<u64>,
    metadata: &Metadata,
) -> Result<Option<Vec<pattern::Range>>, DiscoveryError> {
    let log = database.log();
    let (campaign, _) = log.load::<Campaign>(&order.campaign_id.to_string()).await?;
    let command = pattern::Command::Reserve(pattern::Reserve {
        campaign_id: order.campaign_id,
        run_id: order.run_id,
        count: wanted.unwrap_or(u64::MAX),
        total: pattern.total(),
        enumerated_to: campaign.enumerated_to(),
    });
    let stream = pattern.hash();
    loop {
        match log
            .execute::<pattern::Pattern>(&stream, command.clone(), metadata, None)
            .await
        {
            Ok(_) => {
                let (state, _) = log.load::<pattern::Pattern>(&stream).await?;
                return Ok(Some(state.ranges_of(order.run_id)));
            }
            Err(ExecuteError::Rejected(pattern::Error::Exhausted { .. })) => return Ok(None),
            // Many campaigns of one pattern may ask at once; each conflict means that another one was served.
            Err(ExecuteError::Conflict { .. }) => {}
            Err(error) => return Err(DiscoveryError::Reserve(Box::new(error))),
        }
    }
}

/// Records the names of a range; not to its end where the run was paused or is over.
async fn generate(
    database: &Database,
    order: &Order,
    pattern: &names::Pattern,
    range: pattern::Range,
    metadata: &Metadata,
) -> Result<bool, DiscoveryError> {
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
            names: count_names(pattern, start, count).await?,
        });
        match database
            .log()
            .execute::<Campaign>(&stream, command, metadata, None)
            .await
        {
            Ok(_) => start += count,
            Err(ExecuteError::Conflict { .. }) => {}
            Err(error) if is_interruption(&error) => return Ok(false),
            Err(error) => return Err(DiscoveryError::Record(Box::new(error))),
        }
    }
    Ok(true)
}

/// Tells whether the campaign takes no more names of the run, or not now.
const fn is_interruption(error: &ExecuteError<campaign::Error>) -> bool {
    matches!(
        error,
        ExecuteError::Rejected(
            campaign::Error::RunIsOver
                | campaign::Error::InvalidTransition { .. }
                | campaign::Error::NotFound
        )
    )
}

/// Counts what the run came to, by computing its names once more: the campaign may have names of earlier runs.
async fn tallies(
    pattern: &names::Pattern,
    ranges: &[pattern::Range],
    wanted: Option<u64>,
) -> Result<Tallies, JoinError> {
    let (mut offsets, mut names) = (0_u64, 0_u64);
    for range in ranges {
        offsets = offsets.saturating_add(range.count);
        names += count_names(pattern, range.start, range.count).await?;
    }
    let short = wanted.is_some_and(|wanted| offsets < wanted);
    Ok(Tallies::from([
        ("generated".to_owned(), names),
        ("skipped".to_owned(), offsets.saturating_sub(names)),
        ("exhausted".to_owned(), u64::from(short)),
    ]))
}

/// Counts the legal names of a range, off the async threads: a run has up to millions.
async fn count_names(
    pattern: &names::Pattern,
    mut start: u64,
    mut count: u64,
) -> Result<u64, JoinError> {
    let pattern = Arc::new(pattern.clone());
    let mut names = 0;
    while count > 0 {
        let (now, pattern) = (count.min(COUNTED_AT_ONCE), Arc::clone(&pattern));
        names += spawn_blocking(move || count_here(&pattern, start, now)).await?;
        start += now;
        count -= now;
    }
    Ok(names)
}

fn count_here(pattern: &names::Pattern, start: u64, count: u64) -> u64 {
    let mut steps = pattern.names(start, count);
    let mut names = 0;
    while let Some(step) = steps.step() {
        names += u64::from(step.name.is_some());
    }
    names
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Poll};

    use futures::poll;

    use super::*;
    use crate::work::testing::{all_done, on_one_thread_each};

    #[test]
    fn many_names_are_counted_piece_by_piece_and_off_the_async_threads() {
        let pattern = names::Pattern::parse(names::Spec {
            kind: names::Kind::Prefix,
            constant: "shop".to_owned(),
            prefix_length: 12,
            suffix_length: 0,
            charset: "-ab".to_owned(),
            tlds: vec!["test".to_owned()],
            ..names::Spec::default()
        })
        .unwrap();
        let (start, count) = (50_000, COUNTED_AT_ONCE + 50_000);
        on_one_thread_each(async {
            let mut counting = pin!(count_names(&pattern, start, count));
            assert!(poll!(counting.as_mut()).is_pending());
            all_done().await;
            assert!(
                poll!(counting.as_mut()).is_pending(),
                "the first piece is done"
            );
            all_done().await;
            let Poll::Ready(names) = poll!(counting) else {
                panic!("there are two pieces");
            };
            let names = names.unwrap();
            assert_eq!(names, count_here(&pattern, start, count));
            assert!(names < count, "a name that begins with a hyphen is none");
        });
    }
}
