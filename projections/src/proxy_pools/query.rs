//! What is asked of pools.

use aggregates::ids::{ProxyId, ProxyPoolId};
use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use crate::{Whose, snapshot};

/// A pool.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub pool_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether phases may use it.
    pub enabled: bool,
    /// Which proxy is taken next.
    pub strategy: String,
    /// Whether its proxies are checked by themselves.
    pub health_check_enabled: bool,
    /// How long after a check the next one is due, seconds.
    pub health_check_interval_seconds: i32,
    /// How many other proxies are tried for a page.
    pub max_retries: i32,
    /// How long a proxy may take, seconds.
    pub timeout_seconds: i32,
    /// The sequence of its last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

/// A proxy of a pool.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Member {
    /// The pool.
    pub pool_id: Uuid,
    /// The proxy.
    pub proxy_id: Uuid,
    /// Its chances under `weighted`.
    pub weight: i32,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// The proxy's name.
    pub name: String,
    /// Whether the pool uses it: whether the proxy is switched on.
    pub enabled: bool,
    /// `unknown`, `healthy` or `unhealthy`.
    pub health: String,
}

const BY_ID: &str = "SELECT pool_id, name, description, enabled, strategy, health_check_enabled, \
    health_check_interval_seconds, max_retries, timeout_seconds, version, created_at, updated_at \
    FROM read.proxy_pools WHERE pool_id = $1 AND ($2::uuid IS NULL OR owner = $2)";
const OF_OWNER: &str = "SELECT pool_id, name, description, enabled, strategy, health_check_enabled, \
    health_check_interval_seconds, max_retries, timeout_seconds, version, created_at, updated_at \
    FROM read.proxy_pools WHERE ($1::uuid IS NULL OR owner = $1) ORDER BY created_at, pool_id LIMIT $2 OFFSET $3";
const COUNT: &str = "SELECT count(*) FROM read.proxy_pools WHERE ($1::uuid IS NULL OR owner = $1)";
/// The proxy's own row is another projection's, which may be behind or ahead by a moment: one that is not there yet, or
/// not any more, is left out.
const MEMBERS: &str = "SELECT m.pool_id, m.proxy_id, m.weight, m.added_at, p.name, p.enabled, p.health \
    FROM read.proxy_pool_members m JOIN read.proxies p USING (proxy_id) \
    WHERE m.pool_id = ANY($1) AND ($2::uuid IS NULL OR m.proxy_id = $2) ORDER BY m.pool_id, m.place";

/// In one order, so that of two who delete proxies of the same pools one waits for the other.
const WITH: &str =
    "SELECT pool_id FROM read.proxy_pool_members WHERE proxy_id = $1 ORDER BY pool_id";

/// Reads a user's pool; somebody else's is none.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    pool: &PgPool,
    whose: impl Into<Whose>,
    id: ProxyPoolId,
) -> Result<Option<(Row, Vec<Member>)>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let row: Option<Row> = sqlx::query_as(BY_ID)
        .bind(id.0)
        .bind(whose.into().owner())
        .fetch_optional(&mut *snapshot)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let members = members(&mut *snapshot, &[id.0], None).await?;
    snapshot.commit().await?;
    Ok(Some((row, members)))
}

/// Lists somebody's, or everybody's, pools in the order of creation with the members of all of them, and counts all pools, at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    pool: &PgPool,
    whose: impl Into<Whose>,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Row>, Vec<Member>, i64), sqlx::Error> {
    let whose = whose.into().owner();
    let mut snapshot = snapshot(pool).await?;
    let rows: Vec<Row> = sqlx::query_as(OF_OWNER)
        .bind(whose)
        .bind(limit)
        .bind(offset)
        .fetch_all(&mut *snapshot)
        .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.pool_id).collect();
    let members = members(&mut *snapshot, &ids, None).await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(whose)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((rows, members, total))
}

/// Reads the members of a pool in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn members_of(pool: &PgPool, id: ProxyPoolId) -> Result<Vec<Member>, sqlx::Error> {
    members(pool, &[id.0], None).await
}

/// Reads one member of a pool.
///
/// # Errors
/// When the database does not answer.
pub async fn member(
    pool: &PgPool,
    id: ProxyPoolId,
    proxy_id: ProxyId,
) -> Result<Option<Member>, sqlx::Error> {
    Ok(members(pool, &[id.0], Some(proxy_id)).await?.pop())
}

async fn members(
    executor: impl PgExecutor<'_>,
    pools: &[Uuid],
    proxy_id: Option<ProxyId>,
) -> Result<Vec<Member>, sqlx::Error> {
    sqlx::query_as(MEMBERS)
        .bind(pools)
        .bind(proxy_id.map(|id| id.0))
        .fetch_all(executor)
        .await
}

/// Names the pools that have a proxy.
///
/// # Errors
/// When the database does not answer.
pub async fn with(
    executor: impl PgExecutor<'_>,
    proxy_id: ProxyId,
) -> Result<Vec<ProxyPoolId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(WITH)
        .bind(proxy_id.0)
        .fetch_all(executor)
        .await?;
    Ok(ids.into_iter().map(ProxyPoolId).collect())
}
