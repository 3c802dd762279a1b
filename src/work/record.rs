//! The one way by which results of network work reach the log.

use std::collections::HashSet;

use aggregates::{
    Actor, Metadata,
    campaign::Tallies,
    domain::{self, Domain, Event},
    ids::CampaignId,
};
use event_store::{Answer, BulkAppend, Database};
use validation::{http::politeness::BACKED_OFF, suppression::SUPPRESSED};

use super::{Finished, Order, OrderError, Orders};
use crate::monitoring::names::RESULTS;

/// The tally of domains that the suppression list names.
const LEFT_ALONE: &str = "suppressed";

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
    let mut redecisions = 0;
    loop {
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
            count(order, &tallies);
            return Ok(Finished::Done);
        }
        // Nothing is held while streams are read: a connection that waits for another one is how a pool runs dry, and
        // a pause would wait behind the gate.
        transaction.rollback().await?;
        if redecisions == REDECISIONS {
            return Err(RecordError::Contended(moved.len()));
        }
        redecisions += 1;
        reload(database, order.campaign_id, &moved, &mut results).await?;
    }
}

/// Counts what was recorded for those who watch, by outcome and reason.
fn count(order: &Order, tallies: &Tallies) {
    for (outcome, number) in tallies {
        let of = [
            ("phase", order.phase.name().to_owned()),
            ("outcome", outcome.clone()),
        ];
        metrics::counter!(RESULTS, &of).increment(*number);
    }
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

/// Tells the verdict of whom the suppression list names.
fn is_suppressed(detail: Option<&str>) -> bool {
    detail.is_some_and(|detail| detail.starts_with(SUPPRESSED))
}

/// Tells the verdict of a page whose site wanted to be left alone for longer than is waited.
fn is_backed_off(detail: Option<&str>) -> bool {
    detail.is_some_and(|detail| detail.starts_with(BACKED_OFF))
}

/// Counts results by what came of them: outcomes, and reasons by their wire names.
fn tallies_of(results: &[Found]) -> Tallies {
    let mut tallies = Tallies::new();
    let mut count = |key: &str| *tallies.entry(key.to_owned()).or_default() += 1;
    for found in results {
        match &found.result {
            Event::DnsChecked(checked) => {
                count(checked.outcome.name());
                if is_suppressed(checked.detail.as_deref()) {
                    count(LEFT_ALONE);
                }
                if let Some(reason) = checked.reason {
                    count(reason.name());
                }
            }
            Event::HttpChecked(checked) => {
                count(checked.outcome.name());
                if is_suppressed(checked.detail.as_deref()) {
                    count(LEFT_ALONE);
                }
                if is_backed_off(checked.detail.as_deref()) {
                    count("backed_off");
                }
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

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU32, Ordering},
        time::Duration,
    };

    use aggregates::{campaign::Phase, domain::LeadDecided, ids::RunId, lead};
    use event_store::{ConnectOptions, Transaction};
    use futures::future::BoxFuture;
    use uuid::Uuid;

    use super::*;
    use crate::work::{
        PostgresOrders, Release,
        testing::{append, database, leased, metadata, state_of_the_order},
    };

    const NAME: &str = "shop.test";
    const STILL: &str = "still.test";

    fn found(name: &str, run_id: RunId) -> Found {
        let checked = serde_json::json!({
            "run_id": run_id, "outcome": "ok", "attempts": 1, "elapsed_ms": 1
        });
        Found {
            name: name.to_owned(),
            state: Domain::default(),
            result: Event::DnsChecked(serde_json::from_value(checked).unwrap()),
        }
    }

    async fn stream(database: &Database, order: &Order, name: &str) -> (Domain, u64) {
        let stream = domain::stream_id(order.campaign_id, name);
        database.log().load::<Domain>(&stream).await.unwrap()
    }

    /// Moves the domain's stream as another run would.
    async fn meddle(database: &Database, order: &Order) {
        let decided = Event::LeadDecided(LeadDecided {
            run_id: RunId(Uuid::now_v7()),
            status: lead::Status::NoMatch,
            reason: lead::Reason::NoKeywords,
            score: None,
        });
        let (_, version) = stream(database, order, NAME).await;
        let mut batch = BulkAppend::new(&metadata());
        let stream = domain::stream_id(order.campaign_id, NAME);
        batch
            .stream::<Domain>(&stream, version, &[decided])
            .unwrap();
        let mut transaction = database.begin().await.unwrap();
        transaction.append(&batch).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The orders of PostgreSQL with somebody who moves the domain's stream whenever results are about to be recorded.
    struct Meddled {
        orders: PostgresOrders,
        /// The connections of somebody else.
        others: Database,
        fences: AtomicU32,
    }

    impl Meddled {
        fn new(database: &Database, others: &Database) -> Self {
            Self {
                orders: PostgresOrders::new(database.clone()),
                others: others.clone(),
                fences: AtomicU32::new(0),
            }
        }
    }

    type Answered<'a, T> = BoxFuture<'a, Result<T, OrderError>>;

    impl Orders for Meddled {
        fn plan<'a>(
            &'a self,
            run: (CampaignId, Phase, RunId),
            ranges: &'a [(i64, i64, i64)],
        ) -> Answered<'a, bool> {
            self.orders.plan(run, ranges)
        }

        fn is_planned(&self, run_id: RunId) -> Answered<'_, bool> {
            self.orders.is_planned(run_id)
        }

        fn claim<'a>(
            &'a self,
            worker: &'a str,
            lease: Duration,
            sated: &'a [RunId],
        ) -> Answered<'a, Option<Order>> {
            self.orders.claim(worker, lease, sated)
        }

        fn renew<'a>(&'a self, order: &'a Order, lease: Duration) -> Answered<'a, bool> {
            self.orders.renew(order, lease)
        }

        fn release<'a>(&'a self, order: &'a Order, because: Release) -> Answered<'a, ()> {
            self.orders.release(order, because)
        }

        fn fence<'a>(
            &'a self,
            transaction: &'a mut Transaction,
            order: &'a Order,
        ) -> Answered<'a, Finished> {
            Box::pin(async move {
                self.fences.fetch_add(1, Ordering::Relaxed);
                meddle(&self.others, order).await;
                self.orders.fence(transaction, order).await
            })
        }

        fn finish<'a>(
            &'a self,
            transaction: &'a mut Transaction,
            order: &'a Order,
            tallies: &'a Tallies,
        ) -> Answered<'a, ()> {
            self.orders.finish(transaction, order, tallies)
        }

        fn finished_runs(&self) -> Answered<'_, Vec<(CampaignId, Phase, RunId, Tallies)>> {
            self.orders.finished_runs()
        }

        fn open(&self) -> Answered<'_, std::collections::BTreeMap<String, i64>> {
            self.orders.open()
        }

        fn tidy(&self) -> Answered<'_, u64> {
            self.orders.tidy()
        }
    }

    /// Connects a worker that has one connection and does not wait long for a second one.
    async fn narrow(url: &str) -> Database {
        let options = ConnectOptions {
            max_connections: 1,
            acquire_timeout: Duration::from_secs(3),
            ..ConnectOptions::default()
        };
        Database::connect(url, options).await.unwrap()
    }

    #[tokio::test]
    async fn a_result_whose_stream_moved_is_recorded_once_over_one_connection() {
        let (test, others) = database().await;
        let order = leased(&others).await;
        meddle(&others, &order).await;
        let database = narrow(test.url()).await;
        let orders = PostgresOrders::new(database.clone());
        let results = vec![found(NAME, order.run_id), found(STILL, order.run_id)];
        let recorded = record(&database, &orders, "tests", &order, results).await;
        assert_eq!(recorded.unwrap(), Finished::Done);

        let (moved, version) = stream(&others, &order, NAME).await;
        assert_eq!((moved.dns_run, version), (Some(order.run_id), 2));
        let (still, version) = stream(&others, &order, STILL).await;
        assert_eq!((still.dns_run, version), (Some(order.run_id), 1));
        assert_eq!(state_of_the_order(&others).await, "done");
        let finished = orders.finished_runs().await.unwrap();
        let tallies = Tallies::from([("ok".to_owned(), 2), ("processed".to_owned(), 2)]);
        let (phase, run_id) = (order.phase, order.run_id);
        assert_eq!(finished, [(order.campaign_id, phase, run_id, tallies)]);
    }

    #[tokio::test]
    async fn results_whose_stream_moves_every_time_are_given_up_with_nothing_recorded() {
        let (test, others) = database().await;
        let order = leased(&others).await;
        let database = narrow(test.url()).await;
        let orders = Meddled::new(&database, &others);
        let results = vec![found(NAME, order.run_id), found(STILL, order.run_id)];
        let refused = record(&database, &orders, "tests", &order, results).await;
        assert!(
            matches!(refused, Err(RecordError::Contended(1))),
            "{refused:?}"
        );
        assert_eq!(orders.fences.load(Ordering::Relaxed), 1 + REDECISIONS);
        assert_eq!(stream(&others, &order, NAME).await.0.dns_run, None);
        assert_eq!(stream(&others, &order, STILL).await.1, 0);
        assert_eq!(state_of_the_order(&others).await, "leased");
    }

    #[tokio::test]
    async fn results_whose_order_cannot_be_marked_done_are_not_recorded() {
        let (_test, database) = database().await;
        let order = leased(&database).await;
        let stays = "CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'it stays'; END $$; \
                     CREATE TRIGGER stay BEFORE UPDATE ON work_orders FOR EACH ROW WHEN (NEW.state = 'done') \
                     EXECUTE FUNCTION stay()";
        sqlx::raw_sql(stays).execute(database.pool()).await.unwrap();
        let orders = PostgresOrders::new(database.clone());
        let results = || vec![found(NAME, order.run_id)];
        let refused = record(&database, &orders, "tests", &order, results()).await;
        assert!(
            matches!(refused, Err(RecordError::Orders(_))),
            "{refused:?}"
        );
        assert_eq!(stream(&database, &order, NAME).await.1, 0);

        let goes = "DROP FUNCTION stay CASCADE";
        sqlx::query(goes).execute(database.pool()).await.unwrap();
        let recorded = record(&database, &orders, "tests", &order, results()).await;
        assert_eq!(recorded.unwrap(), Finished::Done);
        assert_eq!(stream(&database, &order, NAME).await.1, 1);
        assert_eq!(state_of_the_order(&database).await, "done");
    }

    #[tokio::test]
    async fn results_of_a_run_that_was_stopped_meanwhile_are_not_stored_even_in_part() {
        let (test, others) = database().await;
        let order = leased(&others).await;
        meddle(&others, &order).await;
        let stopped = aggregates::campaign::Event::PhaseFailed {
            phase: order.phase,
            run_id: order.run_id,
            cause: aggregates::campaign::FailureCause::Stopped,
            message: "stopped by command".to_owned(),
        };
        append(&others, order.campaign_id, 1, &[stopped]).await;
        let database = narrow(test.url()).await;
        let orders = PostgresOrders::new(database.clone());
        let results = vec![found(STILL, order.run_id), found(NAME, order.run_id)];
        let recorded = record(&database, &orders, "tests", &order, results).await;
        assert_eq!(recorded.unwrap(), Finished::RunOver);

        assert_eq!(stream(&others, &order, STILL).await.1, 0);
        assert_eq!(stream(&others, &order, NAME).await.0.dns_run, None);
        assert_eq!(state_of_the_order(&others).await, "leased");
        assert_eq!(orders.finished_runs().await.unwrap(), []);
    }
}
