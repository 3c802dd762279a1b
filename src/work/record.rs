//! The one way by which results of network work reach the log.

use aggregates::{
    Actor, Metadata,
    campaign::Tallies,
    domain::{self, Domain, Event},
    ids::CampaignId,
};
use event_store::{Answer, BulkAppend, Database};

use super::{Finished, Order, OrderError, Orders};

/// How often results whose stream moved meanwhile are decided anew.
const REDECISIONS: u32 = 3;

/// A domain's result, with the state that it was decided from.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) state: Domain,
    pub(super) result: Event,
}

/// Why results were not recorded.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// The log refused or failed.
    #[error("cannot append results")]
    Append(#[from] event_store::Error),
    /// The orders failed.
    #[error(transparent)]
    Orders(#[from] OrderError),
    /// A domain refused its result.
    #[error("domain {name}")]
    Refused {
        /// The domain.
        name: String,
        /// Why.
        source: domain::Error,
    },
    /// Streams kept moving under the results.
    #[error("{0} domains were changed by others again and again")]
    Contended(usize),
}

/// Records an order's results and marks it done, in one transaction: all of it or nothing. What the run recorded
/// before counts as done; a stream that moved is decided again from where it is now.
pub(super) async fn record(
    database: &Database,
    orders: &dyn Orders,
    worker: &str,
    order: &Order,
    results: Vec<Found>,
) -> Result<Finished, RecordError> {
    let mut tallies = tallies_of(&results);
    tallies.insert("processed".to_owned(), results.len() as u64);
    let metadata = Metadata::new(Actor::Worker(worker.to_owned()), order.run_id.to_string());
    let mut transaction = database.begin().await?;
    let fenced = orders.fence(&mut transaction, order).await?;
    if fenced != Finished::Done {
        transaction.rollback().await?;
        return Ok(fenced);
    }
    let mut open = results;
    for _ in 0..REDECISIONS {
        let decided = decide(order.campaign_id, &metadata, open)?;
        let answers = transaction.append(&decided.batch).await?;
        let mut moved = Vec::new();
        for (found, answer) in decided.appended.into_iter().zip(answers) {
            if let Answer::Conflict { .. } = answer {
                moved.push(found);
            }
        }
        if moved.is_empty() {
            orders.finish(&mut transaction, order, &tallies).await?;
            transaction.commit().await?;
            return Ok(Finished::Done);
        }
        open = reload(database, order.campaign_id, moved).await?;
    }
    let left = open.len();
    transaction.rollback().await?;
    Err(RecordError::Contended(left))
}

struct Decided {
    batch: BulkAppend,
    appended: Vec<Found>,
}

fn decide(
    campaign_id: CampaignId,
    metadata: &Metadata,
    results: Vec<Found>,
) -> Result<Decided, RecordError> {
    let mut batch = BulkAppend::new(metadata);
    let mut appended = Vec::with_capacity(results.len());
    for found in results {
        let decision = found.state.record(found.result.clone());
        let event = decision.map_err(|source| RecordError::Refused {
            name: found.name.clone(),
            source,
        })?;
        if let Some(event) = event {
            let stream = domain::stream_id(campaign_id, &found.name);
            batch.stream::<Domain>(&stream, found.state.version, &[event])?;
            appended.push(found);
        }
    }
    Ok(Decided { batch, appended })
}

/// Reads the streams of results again, to decide from where they are now.
async fn reload(
    database: &Database,
    campaign_id: CampaignId,
    moved: Vec<Found>,
) -> Result<Vec<Found>, RecordError> {
    let mut reloaded = Vec::with_capacity(moved.len());
    for found in moved {
        let stream = domain::stream_id(campaign_id, &found.name);
        let (state, _) = database.log().load::<Domain>(&stream).await?;
        reloaded.push(Found { state, ..found });
    }
    Ok(reloaded)
}

/// Counts results by what came of them: outcomes, and reasons by their wire names.
fn tallies_of(results: &[Found]) -> Tallies {
    let mut tallies = Tallies::new();
    let mut count = |key: &str| *tallies.entry(key.to_owned()).or_default() += 1;
    for found in results {
        match &found.result {
            Event::DnsChecked(checked) => {
                count(checked.outcome.name());
                if let Some(reason) = checked.reason {
                    count(reason.name());
                }
            }
            Event::HttpChecked(checked) => {
                count(checked.outcome.name());
                if let Some(reason) = checked.reason {
                    count(reason.name());
                }
                let keywords = checked
                    .page
                    .as_ref()
                    .and_then(|page| page.keywords.as_deref());
                if keywords.is_some_and(|found| !found.is_empty()) {
                    count("keyword_domains");
                }
            }
            Event::Scored(_) => count("scored"),
            Event::LeadDecided(decided) => {
                count(decided.reason.name());
                // A domain that is pending is so by status and by reason, and counts once.
                if decided.status.name() != decided.reason.name() {
                    count(decided.status.name());
                }
            }
        }
    }
    tallies
}
