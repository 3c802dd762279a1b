//! Keeping a server running that ends without being asked to.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{Cluster, Error, cluster::blocking, room};

/// How often a server that ended is started again within [`WINDOW`]; one that goes on ending has something that a start
/// does not mend.
const MOST_STARTS: usize = 5;
const WINDOW: Duration = Duration::from_secs(600);

impl Cluster {
    /// Waits until the present server has ended, asked to or not.
    pub async fn ended(&self) {
        self.running.server().ended().await;
    }

    /// Starts the server again whenever it ends, at the same address: what had been committed is there, connections and
    /// what they held are gone. Returns why it was given up.
    pub async fn keep_running(&self) -> Error {
        let mut starts = VecDeque::new();
        loop {
            self.ended().await;
            let now = Instant::now();
            starts.retain(|earlier| now.duration_since(*earlier) < WINDOW);
            if starts.len() >= MOST_STARTS {
                return Error::KeepsEnding {
                    cluster: self.directory().to_owned(),
                    times: starts.len() + 1,
                };
            }
            starts.push_back(now);
            tracing::warn!(cluster = %self.directory().display(), "the private PostgreSQL ended without being asked to, starting it again");
            if let Err(error) = self.start_with_room().await {
                return error;
            }
            tracing::info!(pid = self.pid(), "the private PostgreSQL runs again");
        }
    }

    /// Starts the server in the place of one that has ended, once its disk has room; a start that filled the disk is tried
    /// again.
    async fn start_with_room(&self) -> Result<(), Error> {
        loop {
            room::wait_for(self.directory()).await;
            // Goes on by itself where nobody waits for it any more; a stop waits for it, or comes first.
            let running = Arc::clone(&self.running);
            match blocking("the next start", move || running.start_again()).await {
                Err(_) if !room::is_there(self.directory()) => {}
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::Signal;
    use tempfile::TempDir;

    use super::*;
    use crate::{Options, cluster::Running};

    /// Starts a cluster and kills its server.
    async fn killed() -> (TempDir, Cluster) {
        let directory = TempDir::new().unwrap();
        let options = Options {
            durable: false,
            ..Options::new(directory.path())
        };
        let cluster = Cluster::start(options).await.unwrap();
        cluster.running.server().signal(Signal::KILL);
        (directory, cluster)
    }

    /// Waits until nobody else has the cluster's servers, not even a start that nobody waits for.
    async fn alone(running: &Arc<Running>) {
        let waited = async {
            while Arc::strong_count(running) > 1 {
                tokio::task::yield_now().await;
            }
        };
        let limit = Duration::from_secs(60);
        tokio::time::timeout(limit, waited).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_stop_while_a_server_starts_again_leaves_none_behind() {
        let (_directory, cluster) = killed().await;
        // The start has begun and nobody waits for it any more.
        tokio::select! {
            biased;
            error = cluster.keep_running() => panic!("given up: {error}"),
            () = cluster.ended() => {}
        }
        let running = Arc::clone(&cluster.running);
        cluster.stop().await.unwrap();
        alone(&running).await;
        assert!(running.server().exit_status().is_some());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_start_that_comes_after_the_stop_starts_nothing() {
        let (_directory, cluster) = killed().await;
        cluster.ended().await;
        let running = Arc::clone(&cluster.running);
        let killed = running.server().pid();
        cluster.stop().await.unwrap();
        let late = Arc::clone(&running);
        let started = blocking("the next start", move || late.start_again()).await;
        started.unwrap();
        assert_eq!(running.server().pid(), killed);
    }
}
