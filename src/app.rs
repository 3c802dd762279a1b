//! The application: what every entrance of a process shares.

use std::sync::Arc;

use event_store::{ConnectOptions, Database, Sequencer, TreeKeeper};
use projections::runtime::Runtime;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::pin::Defaults,
    installation::{Installation, Reconciling},
    reconciliation::Reconciler,
    suppression::Follower,
    work::{
        Coordinator, Engines, Network, Orders, PostgresOrders, Settings, Worker,
        proxies::{Fetchers, Rounds},
        trials::Trials,
    },
};

/// The most connections of a process with every part: two of the sequencer, one of the tree's keeper, one of the
/// reconciliation, one of each projection, one of each of the standing slots; the others are for requests, streams, the coordinator and the renewal
/// of leases.
const CONNECTIONS: u32 = 40;

/// The most connections that a process of nothing but workers has beside one a slot: two of the sequencer; the others
/// renew leases while every slot holds its own.
const BESIDE_SLOTS: u32 = 8;

/// The most slots of a process of nothing but workers: 56 connections, which a PostgreSQL of standing settings
/// (`max_connections = 100`, three of them for superusers) bears beside those of a server.
pub const MOST_SLOTS: u16 = 48;

/// What every entrance of a process shares. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database with the log.
    pub database: Database,
    /// The read models.
    pub runtime: Runtime,
    /// The work orders.
    pub orders: Arc<dyn Orders>,
    /// What the operator says for all runs.
    pub defaults: Defaults,
    /// What checks of proxies are made with.
    pub fetchers: Fetchers,
    /// What users try outside of runs.
    pub trials: Trials,
    /// The suppression list of this process.
    pub suppression: Follower,
    /// What holds for the whole installation, in force in this process.
    pub installation: Installation,
    planned: Arc<Notify>,
}

impl App {
    /// Connects to a database, with what every part and the standing number of slots need, and brings its schema up to
    /// date.
    ///
    /// # Errors
    /// When the server does not answer or a migration fails.
    pub async fn open(url: &str, network: Network) -> Result<Self, event_store::Error> {
        Self::connect(url, network, CONNECTIONS).await
    }

    /// Connects as [`open`](Self::open) does, with what workers of so many slots need and no other part.
    ///
    /// # Errors
    /// When the server does not answer or a migration fails.
    pub async fn open_for_workers(
        url: &str,
        network: Network,
        slots: u16,
    ) -> Result<Self, event_store::Error> {
        Self::connect(url, network, BESIDE_SLOTS + u32::from(slots)).await
    }

    async fn connect(
        url: &str,
        network: Network,
        max_connections: u32,
    ) -> Result<Self, event_store::Error> {
        let options = ConnectOptions {
            max_connections,
            wrap: Some(Arc::new(network.keys.clone())),
            ..ConnectOptions::default()
        };
        let database = Database::connect(url, options).await?;
        database.migrate().await?;
        Ok(Self::new(database, network))
    }

    /// Puts the application together on a database whose schema is up to date. Its engines wait for the suppression list,
    /// which is read by what [`spawn_sequencer`](Self::spawn_sequencer) starts.
    #[must_use]
    pub fn new(database: Database, network: Network) -> Self {
        let suppression = Follower::new(database.clone());
        let network = Network {
            suppression: suppression.list().clone(),
            ..network
        };
        let mut defaults = Defaults {
            network,
            ..Defaults::default()
        };
        if !defaults.network.resolvers.is_empty() {
            defaults
                .dns
                .resolvers
                .clone_from(&defaults.network.resolvers);
            defaults.dns.use_system_resolvers = false;
        }
        Self {
            runtime: Runtime::new(database.clone(), projections::all()),
            orders: Arc::new(PostgresOrders::new(database.clone())),
            planned: Arc::new(Notify::new()),
            fetchers: Fetchers::default(),
            trials: Trials::default(),
            suppression,
            installation: Installation::new(
                database.clone(),
                Reconciling::default(),
                defaults.network.politeness.clone(),
            ),
            database,
            defaults,
        }
    }

    /// Holds counters against their rows in this way, where no administrator says otherwise.
    #[must_use]
    pub fn reconciling(self, as_started: Reconciling) -> Self {
        Self {
            installation: Installation::new(
                self.database.clone(),
                as_started,
                self.defaults.network.politeness.clone(),
            ),
            ..self
        }
    }

    /// Starts what keeps the log in order, the read models and the tree level with it, and counters what their rows are.
    pub fn spawn_read_side(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        self.spawn_sequencer(tracker, cancel);
        tracker.spawn(TreeKeeper::new(self.database.clone()).run(cancel.clone()));
        self.runtime.spawn(tracker, cancel);
        let reconciler = Reconciler::new(self.database.clone(), self.installation.clone());
        tracker.spawn(reconciler.run(cancel.clone()));
    }

    /// Starts what gives positions to what this process appends, and what keeps its suppression list and its settings level
    /// with them: a process that writes anything may send as well.
    pub fn spawn_sequencer(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        tracker.spawn(Sequencer::new(self.database.clone()).run(cancel.clone()));
        tracker.spawn(self.suppression.clone().run(cancel.clone()));
        tracker.spawn(self.installation.clone().run(cancel.clone()));
    }

    /// Starts the coordinator.
    pub fn spawn_coordinator(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        let coordinator = Coordinator::new(
            self.database.clone(),
            self.runtime.clone(),
            self.orders.clone(),
            self.defaults.clone(),
            self.planned.clone(),
        );
        tracker.spawn(coordinator.run(cancel.clone()));
    }

    /// Starts the checks that proxies get by themselves, where the operator names a page for them.
    pub fn spawn_proxy_checks(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        if self.defaults.network.proxy_check_url.is_some() {
            tracker.spawn(Rounds::new(self.clone()).run(cancel.clone()));
        }
    }

    /// Starts workers.
    pub fn spawn_workers(
        &self,
        settings: Settings,
        tracker: &TaskTracker,
        cancel: &CancellationToken,
    ) {
        let engines = Engines::new(
            self.database.clone(),
            self.defaults.network.clone(),
            tracker.clone(),
            cancel.clone(),
        );
        let worker = Worker::new(
            self.database.clone(),
            self.orders.clone(),
            Arc::new(engines),
            self.installation.clone(),
            settings,
            self.planned.clone(),
        );
        worker.spawn(tracker, cancel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aggregates::{
        campaign::Phase,
        ids::{CampaignId, RunId},
    };
    use private_postgres::testing::TestDatabase;
    use uuid::Uuid;

    use super::*;
    use crate::work::Order;

    /// What `max_connections` of a PostgreSQL server is where nobody changed it, without those for superusers.
    const STANDING: u32 = 100 - 3;

    async fn database() -> TestDatabase {
        let opened = TestDatabase::from_template("app", |url| async move {
            let database = Database::connect(&url, ConnectOptions::default()).await?;
            database.migrate().await?;
            database.close().await;
            Ok::<_, event_store::Error>(())
        });
        opened.await.unwrap()
    }

    #[tokio::test]
    async fn leases_are_renewed_while_every_slot_holds_a_connection() {
        let database = database().await;
        let app = App::open_for_workers(database.url(), Network::default(), MOST_SLOTS)
            .await
            .unwrap();
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_sequencer(&tracker, &cancel);
        let mut held = Vec::new();
        for _ in 0..MOST_SLOTS {
            held.push(app.database.begin().await.unwrap());
        }
        let nobodys = Order {
            run_id: RunId(Uuid::now_v7()),
            campaign_id: CampaignId(Uuid::now_v7()),
            phase: Phase::Validation,
            first: 0,
            last: 0,
            epoch: 1,
            failures: 0,
        };
        let lease = Duration::from_secs(15);
        let renewed = app.orders.renew(&nobodys, lease).await;
        assert!(!renewed.unwrap(), "asked and answered");
        drop(held);
        cancel.cancel();
        tracker.close();
        tracker.wait().await;
        app.database.close().await;
    }

    #[tokio::test]
    async fn a_server_and_workers_of_the_most_slots_fit_a_standing_postgres() {
        let database = database().await;
        let network = Network::default();
        let url = database.url();
        let server = App::open(url, network.clone()).await.unwrap();
        let workers = App::open_for_workers(url, network, MOST_SLOTS);
        let workers = workers.await.unwrap();
        let most =
            [&server, &workers].map(|app| app.database.pool().options().get_max_connections());
        assert!(most.iter().sum::<u32>() <= STANDING, "{most:?}");
        server.database.close().await;
        workers.database.close().await;
    }
}
