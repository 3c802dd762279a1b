//! The database: connections, schema, and the signals between writers, the sequencer and readers of this process.

use std::{
    io,
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sqlx::{
    Connection as _, Executor as _, PgConnection, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout_at},
};

use crate::{Error, Feed, Log, Past, Position, Transaction, Upcasters, describe, personal::Wrap};

/// How a database is connected to.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The most connections that this process holds.
    pub max_connections: u32,
    /// How long a caller waits for a free connection.
    pub acquire_timeout: Duration,
    /// How old versions of events are read.
    pub upcasters: Upcasters,
    /// What the keys of persons are kept under; without it personal data is stored as it is.
    pub wrap: Option<Arc<dyn Wrap>>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(10),
            upcasters: Upcasters::default(),
            wrap: None,
        }
    }
}

/// A database that holds a log. Cheap to clone; all clones share the connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    upcasters: Upcasters,
    wrap: Option<Arc<dyn Wrap>>,
    signals: Arc<Signals>,
}

/// What tasks of one process tell each other. Hints only: everything is also found by polling.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Somebody has appended.
    pub(crate) appended: Notify,
    /// The highest head that anybody here has seen.
    head: watch::Sender<Position>,
    /// How many sequencers of this process poll the head.
    sequencers: AtomicUsize,
}

/// Equal outside of a transaction, where every statement of the simple protocol is one of its own.
const IS_IDLE: &str = "SELECT statement_timestamp() = transaction_timestamp()";

/// Tells whether a connection may go back to the pool. sqlx rolls a dropped transaction back, but not one that is
/// dropped while it begins, as when a task is cancelled there: such a connection is inside a transaction that nobody
/// knows of, and what the next user writes on it would never be committed. It is closed instead.
async fn is_idle(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Text without arguments goes over the simple protocol.
    connection.fetch_one(IS_IDLE).await?.try_get(0)
}

/// Keeps PostgreSQL from compiling statements, which it does for those that it takes for expensive: that takes a hundred
/// milliseconds, and statements here read an index for one, whatever the planner takes them for.
async fn without_compiling(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("SET jit = off").await.map(|_| ())
}

/// The oldest PostgreSQL that has everything that is used, as `server_version_num` writes it.
const OLDEST: i32 = 140_000;

/// Refuses a server that would fail later, in the middle of something.
async fn is_known(pool: &PgPool) -> Result<(), Error> {
    let version = "SELECT current_setting('server_version_num')::integer";
    let version: i32 = sqlx::query_scalar(version)
        .fetch_one(pool)
        .await
        .map_err(Error::database(CONNECT))?;
    newer_than_oldest(version)
}

const fn newer_than_oldest(version: i32) -> Result<(), Error> {
    match version >= OLDEST {
        true => Ok(()),
        false => Err(Error::OldServer {
            major: version / 10_000,
            oldest: OLDEST / 10_000,
        }),
    }
}

const CONNECT: &str = "connect to the database";

/// How long a server that does not answer is tried: it may have been started at the same moment as this program.
pub const START_PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two tries.
const TRY_PAUSE: Duration = Duration::from_millis(250);

/// Waits until the server lets somebody in. A pool would wait as well, but would not tell for what.
async fn reach(server: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let deadline = Instant::now() + START_PATIENCE;
    let mut is_first = true;
    loop {
        let refused = match timeout_at(deadline, PgConnection::connect_with(server)).await {
            Ok(Ok(connection)) => return connection.close().await,
            Ok(Err(refused)) => refused,
            Err(_) => {
                let silent = format!("no answer within {START_PATIENCE:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, silent).into());
            }
        };
        if !is_starting(&refused) || Instant::now() + TRY_PAUSE > deadline {
            return Err(refused);
        }
        if std::mem::take(&mut is_first) {
            tracing::warn!(error = %describe(&refused), "the database does not answer yet, trying again");
        }
        sleep(TRY_PAUSE).await;
    }
}

/// Tells whether a server answers so that is about to come up.
fn is_starting(refused: &sqlx::Error) -> bool {
    match refused {
        sqlx::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::NotFound
        ),
        // cannot_connect_now
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code == "57P03"),
        _ => false,
    }
}

impl Database {
    /// Connects, and for [`START_PATIENCE`] tries again while the server is only starting.
    ///
    /// # Errors
    /// [`Error::Database`] when the address is wrong or the server does not answer.
    pub async fn connect(url: &str, options: ConnectOptions) -> Result<Self, Error> {
        let server = PgConnectOptions::from_str(url).map_err(Error::database(CONNECT))?;
        reach(&server).await.map_err(Error::database(CONNECT))?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .after_connect(|connection, _| Box::pin(without_compiling(connection)))
            .after_release(|connection, _| Box::pin(is_idle(connection)))
            .connect_with(server)
            .await
            .map_err(Error::database(CONNECT))?;
        is_known(&pool).await?;
        let (head, _) = watch::channel(Position::START);
        let signals = Signals {
            appended: Notify::new(),
            head,
            sequencers: AtomicUsize::new(0),
        };
        Ok(Self {
            pool,
            upcasters: options.upcasters,
            wrap: options.wrap,
            signals: Arc::new(signals),
        })
    }

    /// Returns the connections, for the rooms that write SQL of their own: the projections and the shell's state tables.
    #[must_use]
    pub const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Returns the interactive lane.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new(self.clone())
    }

    /// Returns the log as it was.
    #[must_use]
    pub fn past(&self) -> Past {
        Past::new(self.clone())
    }

    /// Returns the ordered feed.
    #[must_use]
    pub fn feed(&self) -> Feed {
        Feed::new(self.clone())
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// [`Error::Database`] when no connection can be had.
    pub async fn begin(&self) -> Result<Transaction, Error> {
        Transaction::begin(self).await
    }

    /// Closes the connections, waiting for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) const fn upcasters(&self) -> &Upcasters {
        &self.upcasters
    }

    pub(crate) const fn wrap(&self) -> Option<&Arc<dyn Wrap>> {
        self.wrap.as_ref()
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }
}

impl Signals {
    /// Tells waiting readers that the log reaches at least this far.
    pub(crate) fn publish(&self, head: Position) {
        self.head.send_if_modified(|known| {
            let news = head > *known;
            if news {
                *known = head;
            }
            news
        });
    }

    pub(crate) fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// Counts a sequencer for as long as the returned value lives.
    pub(crate) fn sequencing(self: &Arc<Self>) -> Sequencing {
        self.sequencers.fetch_add(1, Ordering::Relaxed);
        Sequencing(Arc::clone(self))
    }

    pub(crate) fn has_sequencer(&self) -> bool {
        self.sequencers.load(Ordering::Relaxed) > 0
    }
}

impl Database {
    pub(crate) fn sequencing(&self) -> Sequencing {
        self.signals.sequencing()
    }
}

/// A sequencer that runs in this process.
#[derive(Debug)]
pub(crate) struct Sequencing(Arc<Signals>);

impl Drop for Sequencing {
    fn drop(&mut self) {
        self.0.sequencers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_lacks_what_is_used_is_refused_by_name() {
        assert!(newer_than_oldest(140_000).is_ok());
        let refused = newer_than_oldest(130_016).map_err(|error| error.to_string());
        let message = "the server is PostgreSQL 13, and 14 is the oldest that will do";
        assert_eq!(refused, Err(message.to_owned()));
    }
}
