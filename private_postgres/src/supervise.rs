//! Keeping a server running that ends without being asked to.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{Cluster, Error, cluster::blocking};

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
            // Goes on by itself where nobody waits for it any more; a stop waits for it.
            let running = Arc::clone(&self.running);
            if let Err(error) = blocking("the next start", move || running.start_again()).await {
                return error;
            }
            tracing::info!(pid = self.pid(), "the private PostgreSQL runs again");
        }
    }
}
