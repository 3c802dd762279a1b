//! The task that keeps the tree level with the log.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Growing;
use crate::{Database, Error, Position, describe};

/// The pause between two steps while there is traffic: the last tile of each level is written again by every step, so
/// that fewer steps cost less, and nobody waits for the tree.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a quiet log is waited for before it is looked at all the same.
const QUIET: Duration = Duration::from_secs(5);
/// The pause after a step that another session makes, and after an error.
const STAND_BY: Duration = Duration::from_secs(2);
/// How long the tree may take at the end to cover what was appended last.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Keeps the tree level with the log, until it is told to end. Any number may run: one at a time grows the tree, the
/// others stand by.
#[derive(Debug)]
pub struct TreeKeeper {
    database: Database,
}

impl TreeKeeper {
    /// Makes a keeper of a database's tree.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Runs until the token is cancelled, then once more for what was appended last. Errors are logged and waited out:
    /// each one once, as long as it stays the same.
    pub async fn run(self, token: CancellationToken) {
        token.run_until_cancelled(self.follow()).await;
        let last = async {
            self.database.sequence().await?;
            self.database.tree().catch_up().await
        };
        match timeout(END_LIMIT, last).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let error = describe(&error);
                tracing::debug!(%error, "the last events are left to the next keeper of the tree");
            }
            Err(_) => tracing::debug!("the last events are left to the next keeper of the tree"),
        }
    }

    async fn follow(&self) {
        let mut told = None;
        loop {
            match self.step().await {
                Ok(pause) => {
                    told = None;
                    sleep(pause).await;
                }
                Err(error) => {
                    let error = describe(&error);
                    if told.as_ref() != Some(&error) {
                        tracing::error!(%error, "the tree over the log does not grow");
                        told = Some(error);
                    }
                    sleep(STAND_BY).await;
                }
            }
        }
    }

    /// Makes a step, or waits for something to do; returns how long to pause. Behind a burst it rests as long as it works, so
    /// that it takes half of a core at the most from those who append.
    async fn step(&self) -> Result<Duration, Error> {
        let began = Instant::now();
        let pause = match self.database.tree().grow().await? {
            Growing::StandBy => STAND_BY,
            Growing::At {
                is_behind: true, ..
            } => began.elapsed(),
            Growing::At { size, added: 0, .. } => {
                let feed = self.database.feed();
                feed.wait_past(Position::new(size), QUIET).await?;
                PAUSE
            }
            Growing::At { .. } => PAUSE,
        };
        Ok(pause)
    }
}
