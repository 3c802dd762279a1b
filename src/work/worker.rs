//! The worker: claims orders, works on them under a lease that it renews, and records what it found.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use aggregates::{
    Actor, Metadata,
    campaign::{self, Campaign, FailPhase, Pinned, Tallies},
    scoring::Weights,
};
use chrono::Utc;
use event_store::{Database, ExecuteError, describe};
use futures::FutureExt as _;
use projections::domains;
use tokio::{sync::Notify, time::MissedTickBehavior};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use super::{
    Engines, Finished, Order, OrderError, Orders, Release, analysis,
    discovery::{self, Progress},
    engines::Engine,
    enrichment, extraction,
    manner::Manner,
    record::{Found, record},
    slots::{Held, Slots},
    taken, validation,
};
use crate::installation::Installation;

/// How long work waits for the settings of a process that has just begun.
const SETTINGS_WAIT: Duration = Duration::from_secs(30);

/// How a worker works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name that the worker's events carry.
    pub name: String,
    /// Orders that are worked on at once.
    pub slots: u16,
    /// How long a lease holds without being renewed.
    pub lease: Duration,
    /// How long an idle worker waits before it looks for orders again.
    pub idle: Duration,
    /// How often an order may fail before its run is ended.
    pub most_failures: i32,
    /// How long an order rests after its first failure; doubled for each further one, up to 64 times.
    pub first_rest: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: format!("{}-{}", hostname(), std::process::id()),
            slots: 12,
            lease: Duration::from_secs(15),
            idle: Duration::from_millis(100),
            most_failures: 10,
            first_rest: Duration::from_millis(500),
        }
    }
}

fn hostname() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// A worker with everything that it needs.
#[derive(Clone)]
pub struct Worker {
    database: Database,
    orders: Arc<dyn Orders>,
    engines: Arc<Engines>,
    installation: Installation,
    settings: Settings,
    slots: Arc<Slots>,
    planned: Arc<Notify>,
}

/// What came of an order.
enum Worked {
    /// It is done, or somebody else's.
    Over,
    /// It was given back.
    GivenBack,
}

impl Worker {
    /// Makes a worker; `planned` wakes it when orders were written.
    #[must_use]
    pub fn new(
        database: Database,
        orders: Arc<dyn Orders>,
        engines: Arc<Engines>,
        installation: Installation,
        settings: Settings,
        planned: Arc<Notify>,
    ) -> Self {
        Self {
            database,
            orders,
            engines,
            installation,
            slots: Arc::new(Slots::new(settings.slots)),
            settings,
            planned,
        }
    }

    /// Starts the worker's slots; each gives the order that it has back when the token is cancelled.
    pub fn spawn(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        for _ in 0..self.settings.slots {
            let (worker, cancel) = (self.clone(), cancel.clone());
            tracker.spawn(async move { worker.serve(&cancel).await });
        }
    }

    async fn serve(&self, cancel: &CancellationToken) {
        while !cancel.is_cancelled() {
            match self.claim().await {
                Ok(Some((order, held))) => {
                    // As large as all that an engine does for an order, and made once an order.
                    let work = self.work_under_lease(&order, &held, cancel);
                    let given_back = Box::pin(work.instrument(span_of(&order))).await;
                    drop(held);
                    if given_back {
                        self.rest(cancel).await;
                    }
                }
                Ok(None) => self.rest(cancel).await,
                Err(error) => {
                    tracing::warn!(error = %describe(&error), "cannot claim work, trying again");
                    self.rest(cancel).await;
                }
            }
        }
    }

    /// Claims an order for a slot, of a run that may take another one.
    async fn claim(&self) -> Result<Option<(Order, Held<'_>)>, OrderError> {
        let _turn = self.slots.turn.lock().await;
        let sated = self.slots.sated();
        let (name, lease) = (&self.settings.name, self.settings.lease);
        let order = self.orders.claim(name, lease, &sated).await?;
        Ok(order.map(|order| {
            let held = self.slots.hold(order.run_id);
            (order, held)
        }))
    }

    async fn rest(&self, cancel: &CancellationToken) {
        tokio::select! {
            () = cancel.cancelled() => {}
            () = self.planned.notified() => {}
            () = tokio::time::sleep(self.settings.idle) => {}
        }
    }

    /// Works on an order until it is done, its lease is lost or the worker ends; answers whether it was given back.
    async fn work_under_lease(
        &self,
        order: &Order,
        held: &Held<'_>,
        cancel: &CancellationToken,
    ) -> bool {
        let worked = tokio::select! {
            worked = caught(self.work(order, held)) => worked,
            // The order is somebody else's, and giving it back changes nothing; or nobody's, and has no worker any more.
            () = self.keep_lease(order) => {
                self.give_back(order, Release::Undone).await;
                return false;
            }
            () = cancel.cancelled() => Ok(Worked::GivenBack),
        };
        match worked {
            Ok(Worked::Over) => false,
            Ok(Worked::GivenBack) => {
                self.give_back(order, Release::Undone).await;
                true
            }
            Err(error) => {
                self.after_failure(order, error).await;
                true
            }
        }
    }

    /// Gives an order back after an error, to rest for a while, longer each time; an order that failed again and again
    /// will not succeed, and ends its run.
    async fn after_failure(&self, order: &Order, error: String) {
        let failures = order.failures.saturating_add(1);
        tracing::warn!(
            campaign.id = %order.campaign_id, run.id = %order.run_id, phase = %order.phase, failures, error,
            "work order failed, giving it back"
        );
        if failures >= self.settings.most_failures {
            let message =
                format!("a part of the work failed {failures} times, at last because of: {error}");
            if let Err(error) = self.fail(order, message).await {
                tracing::warn!(error, "cannot end a run that cannot go on");
            }
        }
        let doubled = u32::try_from(order.failures).unwrap_or(u32::MAX).min(6);
        let rest = self
            .settings
            .first_rest
            .saturating_mul(2_u32.saturating_pow(doubled));
        self.give_back(order, Release::Failed { rest }).await;
    }

    async fn give_back(&self, order: &Order, because: Release) {
        if let Err(error) = self.orders.release(order, because).await {
            tracing::warn!(error = %describe(&error), "cannot give a work order back, its lease will run out");
        }
    }

    /// Renews the lease three times before it would run out; returns when it is lost or the run is over.
    async fn keep_lease(&self, order: &Order) {
        let mut tick = tokio::time::interval(self.settings.lease / 3);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tick.tick().await;
        loop {
            tick.tick().await;
            match self.orders.renew(order, self.settings.lease).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(error = %describe(&error), "cannot renew a lease"),
            }
        }
    }

    async fn work(&self, order: &Order, held: &Held<'_>) -> Result<Worked, String> {
        let kit = match self.engines.of(order.campaign_id, order.run_id).await {
            Ok(kit) => kit,
            Err(error) if error.is_final() => {
                self.fail(order, describe(&error)).await?;
                return Ok(Worked::Over);
            }
            Err(error) => return Err(describe(&error)),
        };
        if !kit.crawls && held.allow_many() {
            // Other slots passed the run over until now.
            self.planned.notify_waiters();
        }
        if let Engine::Pure(Pinned::Discovery { source, inputs, .. }) = &kit.engine {
            return self.discover(order, source, inputs).await;
        }
        let ordinals = (order.first, order.last);
        let pool = self.database.pool();
        let candidates = domains::candidates(pool, order.campaign_id, ordinals, order.phase)
            .await
            .map_err(|error| describe(&error))?;
        let run_id = order.run_id;
        let (mut results, candidates) =
            taken::take_over(&self.database, &kit.taken, order, candidates)
                .await
                .map_err(|error| describe(&error))?;
        let found: Vec<Found> = match &kit.engine {
            Engine::Dns(engine) => {
                let manner = self.manner().await?;
                validation::check(engine, run_id, candidates, manner).await
            }
            Engine::Http(kit) => {
                let mut candidates = candidates;
                let of = order.campaign_id;
                extraction::add_name_servers(kit, &self.database, of, &mut candidates)
                    .await
                    .map_err(|error| describe(&error))?;
                let manner = self.manner().await?;
                extraction::fetch(kit, run_id, candidates, manner)
                    .await
                    .map_err(|error| describe(&error))?
            }
            Engine::Pure(Pinned::Analysis {
                scoring_profile,
                weights,
            }) => {
                let weights = Weights::parse(weights).map_err(|error| describe(&error))?;
                analysis::score(&weights, *scoring_profile, run_id, candidates, Utc::now())
            }
            Engine::Pure(Pinned::Enrichment { thresholds }) => {
                enrichment::decide(thresholds, run_id, candidates)
            }
            Engine::Pure(_) => return Err("the run's configuration is of another phase".to_owned()),
        };
        results.extend(found);
        let worker = &self.settings.name;
        let finished = record(&self.database, self.orders.as_ref(), worker, order, results)
            .await
            .map_err(|error| describe(&error))?;
        Ok(self.over(order, finished).await)
    }

    /// Tells how names are to be sent for.
    async fn manner(&self) -> Result<Manner, String> {
        match self.installation.is_read(SETTINGS_WAIT).await {
            true => Ok(Manner::of(&self.installation)),
            false => Err("the settings of the installation cannot be read".to_owned()),
        }
    }

    /// Leaves an order whose results were recorded or refused. Those of a run that is over are nobody's any more.
    async fn over(&self, order: &Order, finished: Finished) -> Worked {
        if finished == Finished::RunOver {
            tracing::info!(campaign.id = %order.campaign_id, run.id = %order.run_id, "late results refused, the run is over");
            self.give_back(order, Release::Undone).await;
        }
        Worked::Over
    }

    async fn discover(
        &self,
        order: &Order,
        source: &campaign::Source,
        inputs: &[campaign::Input],
    ) -> Result<Worked, String> {
        let worker = &self.settings.name;
        let progress = discovery::discover(&self.database, worker, order, source, inputs)
            .await
            .map_err(|error| describe(&error))?;
        match progress {
            Progress::Done(tallies) => self.finish(order, &tallies).await,
            Progress::Interrupted => Ok(Worked::GivenBack),
            Progress::Impossible(message) => {
                self.fail(order, message).await?;
                Ok(Worked::Over)
            }
        }
    }

    /// Marks an order done that has recorded its results already.
    async fn finish(&self, order: &Order, tallies: &Tallies) -> Result<Worked, String> {
        let mut transaction = self
            .database
            .begin()
            .await
            .map_err(|error| describe(&error))?;
        let fenced = self
            .orders
            .fence(&mut transaction, order)
            .await
            .map_err(|error| describe(&error))?;
        if fenced == Finished::Done {
            self.orders
                .finish(&mut transaction, order, tallies)
                .await
                .map_err(|error| describe(&error))?;
            transaction
                .commit()
                .await
                .map_err(|error| describe(&error))?;
        } else {
            // Before the order is given back, which its lock would hold up.
            transaction
                .rollback()
                .await
                .map_err(|error| describe(&error))?;
        }
        Ok(self.over(order, fenced).await)
    }

    /// Ends a run that can never go on.
    async fn fail(&self, order: &Order, message: String) -> Result<(), String> {
        tracing::error!(
            campaign.id = %order.campaign_id, run.id = %order.run_id, phase = %order.phase, message,
            "a run cannot go on"
        );
        let command = campaign::Command::FailPhase(FailPhase {
            phase: order.phase,
            run_id: order.run_id,
            message,
        });
        let actor = Actor::Worker(self.settings.name.clone());
        let metadata = Metadata::new(actor, order.run_id.to_string());
        let stream = order.campaign_id.to_string();
        match self
            .database
            .log()
            .execute::<Campaign>(&stream, command, &metadata, None)
            .await
        {
            Ok(_) | Err(ExecuteError::Rejected(_)) => Ok(()),
            Err(error) => Err(describe(&error)),
        }
    }
}

/// What is on every line that is logged of an order; its events carry the run as their correlation.
fn span_of(order: &Order) -> tracing::Span {
    let Order {
        run_id,
        campaign_id,
        phase,
        ..
    } = order;
    tracing::error_span!("order", correlation.id = %run_id, campaign.id = %campaign_id, %phase)
}

/// Makes a panic a failure of the work: what takes a work order along must not take the slot along, and an order that
/// panics again and again ends its run like any other that cannot be done.
async fn caught<T>(work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    // What the work leaves half done is what a crash would leave: nothing that is shared is held across it.
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(format!("a panic: {}", message_of(panic.as_ref()))))
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

#[cfg(test)]
mod tests {
    use aggregates::campaign::{Event, FailureCause};

    use super::*;
    use crate::installation::Reconciling;
    use crate::work::{
        Network, PostgresOrders,
        testing::{append, database, leased, state_of_the_order},
    };

    fn worker(database: &Database) -> Worker {
        let engines = Engines::new(
            database.clone(),
            Network::default(),
            TaskTracker::new(),
            CancellationToken::new(),
        );
        Worker::new(
            database.clone(),
            Arc::new(PostgresOrders::new(database.clone())),
            Arc::new(engines),
            Installation::new(
                database.clone(),
                Reconciling::default(),
                Network::default().politeness,
            ),
            Settings::default(),
            Arc::default(),
        )
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_of_the_work_that_tells_its_message() {
        let numbers = [1];
        let at = numbers.len();
        let worked: Result<i32, String> = caught(async {
            tokio::task::yield_now().await;
            Ok(numbers[at])
        })
        .await;
        let error = worked.unwrap_err();
        assert!(error.starts_with("a panic: index out of bounds"), "{error}");
        assert_eq!(caught(async { Ok(1) }).await, Ok(1));
    }

    #[tokio::test]
    async fn an_order_whose_run_is_over_when_it_is_to_be_finished_is_given_back() {
        let (_test, database) = database().await;
        let order = leased(&database).await;
        let failed = Event::PhaseFailed {
            phase: order.phase,
            run_id: order.run_id,
            cause: FailureCause::Stopped,
            message: "stopped".to_owned(),
        };
        append(&database, order.campaign_id, 1, &[failed]).await;
        let finished = worker(&database).finish(&order, &Tallies::new()).await;
        assert!(matches!(finished, Ok(Worked::Over)));
        assert_eq!(state_of_the_order(&database).await, "pending");
    }
}
