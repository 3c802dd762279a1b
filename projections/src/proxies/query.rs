//! What is asked of proxies.

use aggregates::ids::ProxyId;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Whose, row_per_stream, snapshot};

/// A proxy.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub proxy_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it is spoken to.
    pub protocol: String,
    /// Its host, IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: i32,
    /// The country that it stands in.
    pub country_code: Option<String>,
    /// What the owner wants to remember.
    pub notes: Option<String>,
    /// Whether pools use it.
    pub enabled: bool,
    /// `unknown`, `healthy` or `unhealthy`.
    pub health: String,
    /// The sequence of its last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

/// What is kept of a proxy beside the log.
#[derive(Clone, Debug, Default, sqlx::FromRow)]
pub struct State {
    /// The name that it is told.
    pub username: Option<String>,
    /// Checks that brought a page.
    pub success_count: i64,
    /// Checks that brought none.
    pub failure_count: i64,
    /// How the last check came out.
    pub last_status: Option<String>,
    /// When it was last checked.
    pub last_checked_at: Option<DateTime<Utc>>,
    /// When somebody last tested it.
    pub last_tested_at: Option<DateTime<Utc>>,
    /// Why the last check failed, where it did.
    pub last_error: Option<String>,
    /// How long the last check took, milliseconds.
    pub latency_ms: Option<i32>,
}

/// A proxy with what is kept of it beside the log.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    /// The proxy.
    #[sqlx(flatten)]
    pub row: Row,
    /// What is kept of it.
    #[sqlx(flatten)]
    pub state: State,
}

/// The columns of a [`State`], of proxies that may have no row there while they are deleted.
macro_rules! state {
    () => {
        "k.username, coalesce(c.success_count, 0) AS success_count, coalesce(c.failure_count, 0) AS failure_count, \
         c.last_status, c.last_checked_at, c.last_tested_at, c.last_error, c.latency_ms"
    };
}

macro_rules! found {
    ($where:literal) => {
        concat!(
            "SELECT p.proxy_id, p.name, p.description, p.protocol, p.host, p.port, p.country_code, p.notes, p.enabled, \
             p.health, p.version, p.created_at, p.updated_at, ",
            state!(),
            " FROM read.proxies p LEFT JOIN proxy_checks c USING (proxy_id) LEFT JOIN proxy_credentials k USING (proxy_id) \
             WHERE ",
            $where
        )
    };
}

const BY_ID: &str = found!("p.proxy_id = $1 AND ($2::uuid IS NULL OR p.owner = $2)");
const BY_IDS: &str = found!(
    "p.proxy_id = ANY($1) AND ($2::uuid IS NULL OR p.owner = $2) ORDER BY array_position($1, p.proxy_id)"
);
const OF_OWNER: &str = found!(
    "($1::uuid IS NULL OR p.owner = $1) AND ($2::text IS NULL OR p.protocol = $2) AND ($3::text IS NULL OR p.country_code = $3) \
     AND ($4::bool IS NULL OR p.enabled = $4) AND ($5::bool IS NULL OR (p.health = 'healthy') = $5) \
     ORDER BY p.created_at, p.proxy_id LIMIT $6 OFFSET $7"
);
const COUNT: &str = "SELECT count(*) FROM read.proxies p WHERE ($1::uuid IS NULL OR p.owner = $1) AND ($2::text IS NULL OR p.protocol = $2) \
     AND ($3::text IS NULL OR p.country_code = $3) AND ($4::bool IS NULL OR p.enabled = $4) \
     AND ($5::bool IS NULL OR (p.health = 'healthy') = $5)";
const STATE: &str = concat!(
    "SELECT ",
    state!(),
    " FROM (SELECT $1::uuid AS proxy_id) p LEFT JOIN proxy_checks c USING (proxy_id) \
     LEFT JOIN proxy_credentials k USING (proxy_id)"
);

/// Reads a proxy; one that may not be shown is none.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    pool: &PgPool,
    whose: impl Into<Whose>,
    id: ProxyId,
) -> Result<Option<Found>, sqlx::Error> {
    row_per_stream::by_id(pool, BY_ID, whose.into(), id.0).await
}

/// Reads some proxies in the order of the ids; those that are not there, or may not be shown, are left out.
///
/// # Errors
/// When the database does not answer.
pub async fn by_ids(
    pool: &PgPool,
    whose: impl Into<Whose>,
    ids: &[ProxyId],
) -> Result<Vec<Found>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    sqlx::query_as(BY_IDS)
        .bind(ids)
        .bind(whose.into().owner())
        .fetch_all(pool)
        .await
}

/// Reads what is kept of a proxy beside the log; nothing is kept of one that is not there.
///
/// # Errors
/// When the database does not answer.
pub async fn state_of(pool: &PgPool, id: ProxyId) -> Result<State, sqlx::Error> {
    sqlx::query_as(STATE).bind(id.0).fetch_one(pool).await
}

/// Which proxies are wanted; absent fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// How they are spoken to.
    pub protocol: Option<String>,
    /// The country that they stand in, two capital letters.
    pub country_code: Option<String>,
    /// Whether pools use them.
    pub enabled: Option<bool>,
    /// Whether the last check of them brought a page; those that were never checked are not healthy.
    pub healthy: Option<bool>,
}

/// Lists somebody's, or everybody's, proxies in the order of creation, and counts all that the filter lets through, at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    pool: &PgPool,
    whose: impl Into<Whose>,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Found>, i64), sqlx::Error> {
    let whose = whose.into().owner();
    let mut snapshot = snapshot(pool).await?;
    let rows = sqlx::query_as(OF_OWNER)
        .bind(whose)
        .bind(&filter.protocol)
        .bind(&filter.country_code)
        .bind(filter.enabled)
        .bind(filter.healthy)
        .bind(limit)
        .bind(offset)
        .fetch_all(&mut *snapshot)
        .await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(whose)
        .bind(&filter.protocol)
        .bind(&filter.country_code)
        .bind(filter.enabled)
        .bind(filter.healthy)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((rows, total))
}
