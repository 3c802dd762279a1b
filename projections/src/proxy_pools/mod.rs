//! Pools of proxies with their members.
//!
//! A proxy that was deleted is in no pool, so this reads the ends of proxies as well as the streams of pools.

mod query;

use aggregates::{
    proxy,
    proxy_pool::{Event, Settings},
};
use chrono::{DateTime, Utc};
use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;
use uuid::Uuid;

pub use self::query::{Member, Row, by_id, list, member, members_of, with};
use crate::runtime::{ApplyError, Projection, decode};

/// The projection behind the tables `proxy_pools` and `proxy_pool_members`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProxyPools;

const CREATE: &str = "INSERT INTO proxy_pools (pool_id, owner, name, description, enabled, strategy, \
    health_check_enabled, health_check_interval_seconds, max_retries, timeout_seconds, version, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
const CHANGE: &str = "UPDATE proxy_pools SET name = coalesce($2, name), description = coalesce($3, description), \
    enabled = coalesce($4, enabled), strategy = coalesce($5, strategy), \
    health_check_enabled = coalesce($6, health_check_enabled), \
    health_check_interval_seconds = coalesce($7, health_check_interval_seconds), \
    max_retries = coalesce($8, max_retries), timeout_seconds = coalesce($9, timeout_seconds), version = $10, \
    updated_at = $11 WHERE pool_id = $1";
const REMOVE: &str = "DELETE FROM proxy_pools WHERE pool_id = $1";
const REMOVE_MEMBERS: &str = "DELETE FROM proxy_pool_members WHERE pool_id = $1";
const ADD: &str = "INSERT INTO proxy_pool_members (pool_id, proxy_id, weight, place, added_at) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (pool_id, proxy_id) DO UPDATE SET weight = EXCLUDED.weight";
const TAKE_OUT: &str = "DELETE FROM proxy_pool_members WHERE pool_id = $1 AND proxy_id = $2";
const FORGET: &str = "DELETE FROM proxy_pool_members WHERE proxy_id = $1";
const MOVED: &str = "UPDATE proxy_pools SET version = $2, updated_at = $3 WHERE pool_id = $1";

impl Projection for ProxyPools {
    fn name(&self) -> &'static str {
        "proxy_pools"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["proxy_pools", "proxy_pool_members"]
    }

    fn reads(&self) -> &'static [&'static str] {
        &["proxy", "proxy_pool"]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            for event in events {
                let id: Uuid = event.aggregate_id.parse().map_err(|_| {
                    let message = format!("the stream id names no {}", event.aggregate_type);
                    ApplyError::poison(event, message)
                })?;
                match event.aggregate_type.as_str() {
                    "proxy" => {
                        if let proxy::Event::Deleted { .. } = decode(event)? {
                            sqlx::query(FORGET)
                                .bind(id)
                                .execute(&mut *connection)
                                .await?;
                        }
                    }
                    _ => {
                        let at = At {
                            pool_id: id,
                            version: i64::try_from(event.sequence).unwrap_or(i64::MAX),
                            time: event.recorded_at,
                        };
                        at.apply(connection, decode(event)?).await?;
                    }
                }
            }
            Ok(())
        }
        .boxed()
    }
}

/// Which pool an event is about, and when it happened.
#[derive(Clone, Copy, Debug)]
struct At {
    pool_id: Uuid,
    version: i64,
    time: DateTime<Utc>,
}

impl At {
    async fn apply(self, connection: &mut PgConnection, event: Event) -> Result<(), sqlx::Error> {
        match event {
            Event::Created {
                owner,
                name,
                description,
                settings,
            } => {
                let settings = Columns::of(&settings);
                sqlx::query(CREATE)
                    .bind(self.pool_id)
                    .bind(owner.0)
                    .bind(name)
                    .bind(description)
                    .bind(settings.enabled)
                    .bind(settings.strategy)
                    .bind(settings.health_check_enabled)
                    .bind(settings.interval)
                    .bind(settings.max_retries)
                    .bind(settings.timeout)
                    .bind(self.version)
                    .bind(self.time)
                    .execute(connection)
                    .await?;
            }
            Event::Changed {
                name,
                description,
                settings,
                ..
            } => {
                let settings = settings.as_ref().map(Columns::of);
                sqlx::query(CHANGE)
                    .bind(self.pool_id)
                    .bind(name)
                    .bind(description)
                    .bind(settings.map(|settings| settings.enabled))
                    .bind(settings.map(|settings| settings.strategy))
                    .bind(settings.map(|settings| settings.health_check_enabled))
                    .bind(settings.map(|settings| settings.interval))
                    .bind(settings.map(|settings| settings.max_retries))
                    .bind(settings.map(|settings| settings.timeout))
                    .bind(self.version)
                    .bind(self.time)
                    .execute(connection)
                    .await?;
            }
            Event::ProxyAdded {
                proxy_id, weight, ..
            } => {
                sqlx::query(ADD)
                    .bind(self.pool_id)
                    .bind(proxy_id.0)
                    .bind(column(weight))
                    .bind(self.version)
                    .bind(self.time)
                    .execute(&mut *connection)
                    .await?;
                self.moved(connection).await?;
            }
            Event::ProxyRemoved { proxy_id, .. } => {
                sqlx::query(TAKE_OUT)
                    .bind(self.pool_id)
                    .bind(proxy_id.0)
                    .execute(&mut *connection)
                    .await?;
                self.moved(connection).await?;
            }
            Event::Deleted { .. } => {
                for statement in [REMOVE_MEMBERS, REMOVE] {
                    sqlx::query(statement)
                        .bind(self.pool_id)
                        .execute(&mut *connection)
                        .await?;
                }
            }
        }
        Ok(())
    }

    async fn moved(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(MOVED)
            .bind(self.pool_id)
            .bind(self.version)
            .bind(self.time)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Settings as the table has them.
#[derive(Clone, Copy, Debug)]
struct Columns {
    enabled: bool,
    strategy: &'static str,
    health_check_enabled: bool,
    interval: i32,
    max_retries: i32,
    timeout: i32,
}

impl Columns {
    fn of(settings: &Settings) -> Self {
        Self {
            enabled: settings.enabled,
            strategy: settings.strategy.name(),
            health_check_enabled: settings.health_check_enabled,
            interval: column(settings.health_check_interval_seconds),
            max_retries: column(settings.max_retries),
            timeout: column(settings.timeout_seconds),
        }
    }
}

/// Writes a number that its aggregate has bounded far below what a column takes.
fn column(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
