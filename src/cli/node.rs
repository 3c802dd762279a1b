//! The parts of one process, started together and ended together.

use std::time::Duration;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Error;
use crate::{
    app::App,
    work::{Network, Settings},
};

/// How long tasks may take to end; what they leave is what a crash would leave, and that is mended by whoever comes. With
/// the requests under way before them, and the connections after them, that makes ten seconds.
const END_LIMIT: Duration = Duration::from_secs(5);

/// How long connections to the database may take to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// Which parts a process runs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The read models.
    pub read_side: bool,
    /// The coordinator, and the checks of proxies by themselves, with this process's word on the network: not for a command
    /// that has none.
    pub coordinator: bool,
    /// The workers.
    pub workers: Option<Settings>,
}

/// A running process of the system.
pub struct Node {
    /// The application.
    pub app: App,
    /// Where tasks belong.
    pub tracker: TaskTracker,
    /// What they end on.
    pub cancel: CancellationToken,
}

impl Node {
    /// Opens the application on a database, without a task.
    ///
    /// # Errors
    /// When the server does not answer or a migration fails.
    pub async fn open(url: &str, network: Network) -> Result<Self, Error> {
        Ok(Self::of(App::open(url, network).await?))
    }

    /// Opens the application on a database for workers of so many slots and no other part, without a task.
    ///
    /// # Errors
    /// When the server does not answer or a migration fails.
    pub async fn open_for_workers(url: &str, network: Network, slots: u16) -> Result<Self, Error> {
        Ok(Self::of(App::open_for_workers(url, network, slots).await?))
    }

    fn of(app: App) -> Self {
        Self {
            app,
            tracker: TaskTracker::new(),
            cancel: CancellationToken::new(),
        }
    }

    /// Starts the parts.
    pub fn start(&self, parts: Parts) {
        if parts.read_side {
            self.app.spawn_read_side(&self.tracker, &self.cancel);
        } else {
            self.app.spawn_sequencer(&self.tracker, &self.cancel);
        }
        if parts.coordinator {
            self.app.spawn_coordinator(&self.tracker, &self.cancel);
            self.app.spawn_proxy_checks(&self.tracker, &self.cancel);
        }
        if let Some(settings) = parts.workers {
            self.app
                .spawn_workers(settings, &self.tracker, &self.cancel);
        }
    }

    /// Ends the parts after a command's work: as [`stop`](Self::stop), but without waiting for tasks whose database is
    /// gone for good.
    pub async fn end<T>(self, ended: &Result<T, Error>) {
        if matches!(ended, Err(Error::Lost)) {
            self.cancel.cancel();
            self.tracker.close();
        } else {
            self.stop().await;
        }
    }

    /// Ends every task and the connections.
    pub async fn stop(self) {
        self.cancel.cancel();
        self.tracker.close();
        if tokio::time::timeout(END_LIMIT, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!("tasks did not end in time and are left behind");
        }
        // Connections that a task still holds are closed with the process.
        let _ = tokio::time::timeout(CLOSE_LIMIT, self.app.database.close()).await;
    }
}
