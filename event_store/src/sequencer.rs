//! The sequencer: gives positions to what has committed.
//!
//! Runs once in every process that appends. Any number may run: one holds the lock at a time, the others find nothing
//! left to do. An append of this process wakes it at once; its tick catches what a process that crashed has left, and
//! looks at the head for everybody who waits in this process.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{Database, Error, Position, describe};

/// The pause between two looks while there is traffic.
const BUSY_TICK: Duration = Duration::from_millis(15);
/// The pause after which a quiet log is looked at.
const QUIET_TICK: Duration = Duration::from_millis(50);
/// How many looks without news make a log quiet.
const QUIET_AFTER: u32 = 60;
/// The pause after an error of the database.
const ERROR_PAUSE: Duration = Duration::from_millis(500);

/// The channel of the hint that `sequence_events()` sends.
const CHANNEL: &str = "event_log";
const SEQUENCE: &str = "SELECT moved, head FROM sequence_events()";

/// Gives positions to what has committed, until it is told to end.
#[derive(Debug)]
pub struct Sequencer {
    database: Database,
}

impl Sequencer {
    /// Makes a sequencer of a database.
    #[must_use]
    pub const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Runs until the token is cancelled, then once more for what was appended last. Errors of the database are logged
    /// and waited out: the next look finds everything that this one could not.
    pub async fn run(self, token: CancellationToken) {
        let _counted = self.database.sequencing();
        let mut listener = self.listen().await;
        let mut quiet = 0_u32;
        while !token.is_cancelled() {
            let pause = match self.database.sequence().await {
                Ok(Some(moved)) if moved > 0 => {
                    quiet = 0;
                    BUSY_TICK
                }
                Ok(_) => {
                    quiet = quiet.saturating_add(1);
                    if quiet > QUIET_AFTER {
                        QUIET_TICK
                    } else {
                        BUSY_TICK
                    }
                }
                Err(error) => {
                    tracing::warn!(error = %describe(&error), "events wait for their positions");
                    listener = None;
                    ERROR_PAUSE
                }
            };
            if listener.is_none() && pause != ERROR_PAUSE {
                listener = self.listen().await;
            }
            tokio::select! {
                () = token.cancelled() => {}
                () = self.database.signals().appended.notified() => quiet = 0,
                head = hint(listener.as_mut()) => match head {
                    Ok(head) => self.database.signals().publish(head),
                    Err(_) => listener = None,
                },
                () = sleep(pause) => {}
            }
        }
        if let Err(error) = self.database.sequence().await {
            tracing::debug!(error = %describe(&error), "the last events wait for another sequencer");
        }
    }

    /// Listens to the other processes; without it their events are found by the tick.
    async fn listen(&self) -> Option<PgListener> {
        let mut listener = PgListener::connect_with(self.database.pool()).await.ok()?;
        listener.listen(CHANNEL).await.ok()?;
        Some(listener)
    }
}

impl Database {
    /// Gives positions to everything that is committed and has none. Returns how many commits it moved, or nothing
    /// while another session is at it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn sequence(&self) -> Result<Option<u64>, Error> {
        let (moved, head): (Option<i64>, i64) = sqlx::query_as(SEQUENCE)
            .fetch_one(self.pool())
            .await
            .map_err(Error::database("give positions to events"))?;
        self.signals().publish(Position::from_i64(head));
        Ok(moved.and_then(|moved| u64::try_from(moved).ok()))
    }
}

/// Waits for a hint; without a listener, for ever.
async fn hint(listener: Option<&mut PgListener>) -> Result<Position, sqlx::Error> {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    let notification: PgNotification = listener.recv().await?;
    Ok(notification.payload().parse().unwrap_or_default())
}
