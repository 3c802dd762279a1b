//! How everything stands that a server rests on.

use event_store::{Database, describe};
use replay::Lag;
use sqlx::PgPool;

use crate::work::{self, Standstill};

/// How everything stands that a server rests on, as the database says.
#[derive(Clone, Debug)]
pub struct Status {
    /// Why the database does not say; then nothing else is known.
    pub unreachable: Option<String>,
    /// Whether the schema is the one that this program is for.
    pub migrated: bool,
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

/// Why the status is not known.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot ask the database")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Lag(#[from] replay::Error),
}

impl Status {
    /// Asks the database.
    pub(super) async fn read(database: &Database) -> Self {
        match Self::ask(database).await {
            Ok(status) => status,
            Err(error) => Self::unreachable(describe(&error)),
        }
    }

    /// What is known where the database does not answer.
    pub(super) fn unreachable(why: impl Into<String>) -> Self {
        Self {
            unreachable: Some(why.into()),
            migrated: false,
            lag: None,
            orders: Orders::default(),
            standstills: Vec::new(),
        }
    }

    async fn ask(database: &Database) -> Result<Self, Error> {
        let pool = database.pool();
        let lag = replay::lag(database).await?;
        Ok(Self {
            unreachable: None,
            migrated: database.is_up_to_date().await,
            lag: Some(lag),
            orders: orders(pool).await?,
            standstills: work::standstills(pool, work::PATIENCE).await?,
        })
    }
}

async fn orders(pool: &PgPool) -> Result<Orders, sqlx::Error> {
    sqlx::query_as(ORDERS).fetch_one(pool).await
}
