//! The one way by which results of network work reach the log.

use std::collections::HashSet;

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
    let mut results = results;
    let mut contended = 0;
    for _ in 0..REDECISIONS {
        let mut transaction = database.begin().await?;
        let fenced = orders.fence(&mut transaction, order).await?;
        if fenced != Finished::Done {
            transaction.rollback().await?;
            return Ok(fenced);
        }
        let decided = decide(order.campaign_id, &metadata, &results)?;
        let answers = transaction.append(&decided.batch).await?;
        let answered = decided.names.into_iter().zip(answers);
        let moved: HashSet<String> = answered
            .filter(|(_, answer)| matches!(answer, Answer::Conflict { .. }))
            .map(|(name, _)| name.to_owned())
            .collect();
        if moved.is_empty() {
            orders.finish(&mut transaction, order, &tallies).await?;
            transaction.commit().await?;
            return Ok(Finished::Done);
        }
        // Nothing is held while streams are read: a connection that waits for another one is how a pool runs dry, and
        // a pause would wait behind the gate.
        transaction.rollback().await?;
        contended = moved.len();
        reload(database, order.campaign_id, &moved, &mut results).await?;
    }
    Err(RecordError::Contended(contended))
}

struct Decided<'a> {
    batch: BulkAppend,
    /// The domains in the order of the batch.
    names: Vec<&'a str>,
}

fn decide<'a>(
    campaign_id: CampaignId,
    metadata: &Metadata,
    results: &'a [Found],
) -> Result<Decided<'a>, RecordError> {
    let mut batch = BulkAppend::new(metadata);
    let mut names = Vec::with_capacity(results.len());
    for found in results {
        let decision = found.state.record(found.result.clone());
        let event = decision.map_err(|source| RecordError::Refused {
            name: found.name.clone(),
            source,
        })?;
        if let Some(event) = event {
            let stream = domain::stream_id(campaign_id, &found.name);
            batch.stream::<Domain>(&stream, found.state.version, &[event])?;
            names.push(found.name.as_str());
        }
    }
    Ok(Decided { batch, names })
}

/// Reads the streams of some results again, to decide from where they are now.
async fn reload(
    database: &Database,
    campaign_id: CampaignId,
    moved: &HashSet<String>,
    results: &mut [Found],
) -> Result<(), RecordError> {
    for found in results
        .iter_mut()
        .filter(|found| moved.contains(&found.name))
    {
        let stream = domain::stream_id(campaign_id, &found.name);
        let (state, _) = database.log().load::<Domain>(&stream).await?;
        found.state = state;
    }
    Ok(())
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
