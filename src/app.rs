//! The application: what every entrance of a process shares.

use std::sync::Arc;

use event_store::{ConnectOptions, Database, Sequencer};
use projections::runtime::Runtime;
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    commands::pin::Defaults,
    work::{Coordinator, Engines, Network, Orders, PostgresOrders, Settings, Worker},
};

/// Connections to the database that a process holds at most.
pub const CONNECTIONS: u32 = 40;

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
    planned: Arc<Notify>,
}

impl App {
    /// Connects to a database and brings its schema up to date.
    ///
    /// # Errors
    /// When the server does not answer or a migration fails.
    pub async fn open(url: &str, network: Network) -> Result<Self, event_store::Error> {
        let options = ConnectOptions {
            max_connections: CONNECTIONS,
            ..ConnectOptions::default()
        };
        let database = Database::connect(url, options).await?;
        database.migrate().await?;
        Ok(Self::new(database, network))
    }

    /// Puts the application together on a database whose schema is up to date.
    #[must_use]
    pub fn new(database: Database, network: Network) -> Self {
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
            database,
            defaults,
        }
    }

    /// Starts what keeps the log in order and the read models level with it.
    pub fn spawn_read_side(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        self.spawn_sequencer(tracker, cancel);
        self.runtime.spawn(tracker, cancel);
    }

    /// Starts what gives positions to what this process appends.
    pub fn spawn_sequencer(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        tracker.spawn(Sequencer::new(self.database.clone()).run(cancel.clone()));
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

    /// Starts workers.
    pub fn spawn_workers(
        &self,
        settings: Settings,
        tracker: &TaskTracker,
        cancel: &CancellationToken,
    ) {
        let engines = Engines::new(
            self.database.pool().clone(),
            self.defaults.network.clone(),
            cancel.clone(),
        );
        let worker = Worker::new(
            self.database.clone(),
            self.orders.clone(),
            Arc::new(engines),
            settings,
            self.planned.clone(),
        );
        worker.spawn(tracker, cancel);
    }
}
