//! A pool as it is answered.

use aggregates::{
    proxy::Health,
    proxy_pool::{self, Settings},
};
use chrono::{DateTime, Utc};
use projections::proxy_pools::{Member, Row};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::commands::Snapshot;

/// A pool of proxies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProxyPool)]
pub(super) struct PoolView {
    id: Uuid,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Whether phases may use it.
    is_enabled: bool,
    /// `round_robin`, `random`, `weighted` or `failover`.
    pool_strategy: String,
    /// Whether its proxies are checked by themselves.
    health_check_enabled: bool,
    /// How long after a check of a proxy the next one is due.
    health_check_interval_seconds: i32,
    /// How many other proxies are tried for a page after one failed.
    max_retries: i32,
    /// How long a page may take through one proxy.
    timeout_seconds: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Its proxies, in the order in which they were added.
    #[schema(value_type = Vec<Object>)]
    proxies: Vec<MemberView>,
}

/// A proxy of a pool.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberView {
    proxy_id: Uuid,
    weight: i32,
    is_active: bool,
    added_at: DateTime<Utc>,
    name: String,
    is_healthy: bool,
}

/// That a proxy is in a pool.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ProxyPoolMembership)]
pub(super) struct MembershipView {
    pub(super) pool_id: Uuid,
    pub(super) proxy_id: Uuid,
    /// Its chances under `weighted`, against those of the others.
    pub(super) weight: u32,
    /// Whether the pool uses it: whether the proxy is switched on.
    pub(super) is_active: bool,
    pub(super) added_at: DateTime<Utc>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            proxy_id: member.proxy_id,
            weight: member.weight,
            is_active: member.enabled,
            added_at: member.added_at,
            name: member.name,
            is_healthy: member.health == Health::Healthy.name(),
        }
    }
}

impl PoolView {
    /// Shows a pool with its members.
    pub(super) fn new(row: Row, members: impl IntoIterator<Item = Member>) -> Self {
        Self {
            id: row.pool_id,
            name: row.name,
            description: row.description,
            is_enabled: row.enabled,
            pool_strategy: row.strategy,
            health_check_enabled: row.health_check_enabled,
            health_check_interval_seconds: row.health_check_interval_seconds,
            max_retries: row.max_retries,
            timeout_seconds: row.timeout_seconds,
            created_at: row.created_at,
            updated_at: row.updated_at,
            proxies: members.into_iter().map(Into::into).collect(),
        }
    }

    /// Shows a pool as a command left it, which changed no member.
    pub(super) fn of(
        id: Uuid,
        snapshot: &Snapshot<proxy_pool::ProxyPool>,
        members: Vec<Member>,
    ) -> Self {
        let pool = &snapshot.aggregate;
        let settings: &Settings = pool.settings();
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        Self {
            id,
            name: pool.name().to_owned(),
            description: pool.description().map(str::to_owned),
            is_enabled: settings.enabled,
            pool_strategy: settings.strategy.name().to_owned(),
            health_check_enabled: settings.health_check_enabled,
            health_check_interval_seconds: number(settings.health_check_interval_seconds),
            max_retries: number(settings.max_retries),
            timeout_seconds: number(settings.timeout_seconds),
            created_at: snapshot.created_at,
            updated_at: snapshot.updated_at,
            proxies: members.into_iter().map(Into::into).collect(),
        }
    }
}
