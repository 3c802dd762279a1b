//! How everything stands that a server rests on.

use std::time::Duration;

use event_store::{Database, describe};
use replay::Lag;
use sqlx::PgPool;
use tokio::time::timeout;

use crate::work::{self, Standstill};

/// How everything stands that a server rests on, as the database says.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// Why the database does not say; then nothing else is known.
    pub unreachable: Option<String>,
    /// Whether the schema is the one that this program is for.
    pub migrated: bool,
    /// Why the database, although it answers, does not say everything that follows; of what it did not say there is nothing
    /// here.
    pub unknown: Option<String>,
    /// How far behind the log everything is that follows it.
    pub lag: Option<Lag>,
    /// The work orders of runs under way that are not done.
    pub orders: Orders,
    /// What should be moving and is not.
    pub standstills: Vec<Standstill>,
}

/// Work orders of runs under way that are not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Orders {
    /// Any worker may take them.
    pub waiting: i64,
    /// They failed, and rest.
    pub resting: i64,
    /// A worker has them.
    pub leased: i64,
    /// A worker had them and did not renew its lease.
    pub expired: i64,
}

const ORDERS: &str = "SELECT count(*) FILTER (WHERE o.state = 'pending' AND o.not_before <= now()) AS waiting, \
    count(*) FILTER (WHERE o.state = 'pending' AND o.not_before > now()) AS resting, \
    count(*) FILTER (WHERE o.state = 'leased' AND o.leased_until >= now()) AS leased, \
    count(*) FILTER (WHERE o.state = 'leased' AND o.leased_until < now()) AS expired \
    FROM run_gates g JOIN work_orders o ON o.run_id = g.run_id AND o.state <> 'done' WHERE g.state = 'running'";

/// The least that a database answers.
const ANSWERS: &str = "SELECT 1";
/// Why nobody knows what was not answered.
const LATE: &str = "no answer in time";

/// Why the status is not known.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot ask the database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Lag(#[from] replay::Error),
}

impl Status {
    /// Asks the database: whether it serves, and how everything else stands, each for so long at most. It is not down because
    /// it counts slowly.
    pub(super) async fn read(database: &Database, patience: Duration) -> Self {
        let mut status = Self::default();
        let (serves, told) = tokio::join!(
            timeout(patience, serves(database)),
            timeout(patience, status.ask(database)),
        );
        match serves {
            Ok(Ok(migrated)) => status.migrated = migrated,
            Ok(Err(error)) => return Self::unreachable(describe(&error)),
            Err(_) => return Self::unreachable(LATE.to_owned()),
        }
        status.unknown = match told {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(describe(&error)),
            Err(_) => Some(LATE.to_owned()),
        };
        status
    }

    /// What is known where the database does not answer.
    fn unreachable(why: String) -> Self {
        Self {
            unreachable: Some(why),
            ..Self::default()
        }
    }

    /// Asks for one thing after the other, and keeps what was said where it is given up.
    async fn ask(&mut self, database: &Database) -> Result<(), Error> {
        let pool = database.pool();
        self.lag = Some(replay::lag(database).await?);
        self.orders = orders(pool).await?;
        self.standstills = work::standstills(pool, work::PATIENCE).await?;
        Ok(())
    }
}

/// Tells whether the schema of a database that answers is the one that this program is for.
async fn serves(database: &Database) -> Result<bool, Error> {
    sqlx::query(ANSWERS).execute(database.pool()).await?;
    Ok(database.is_up_to_date().await)
}

async fn orders(pool: &PgPool) -> Result<Orders, sqlx::Error> {
    sqlx::query_as(ORDERS).fetch_one(pool).await
}
