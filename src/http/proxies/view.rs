//! A proxy as it is answered.

use aggregates::proxy::{self, Endpoint, Health, Protocol};
use chrono::{DateTime, Utc};
use projections::proxies::{Found, Row, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    commands::Snapshot,
    http::{Error, owned::Owned as _},
};

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProxyProtocol {
    /// HTTP in the clear up to the proxy.
    Http,
    /// HTTP over TLS up to the proxy.
    Https,
    /// SOCKS 5.
    Socks5,
    /// SOCKS 4, which knows no passwords.
    Socks4,
}

impl From<ProxyProtocol> for Protocol {
    fn from(protocol: ProxyProtocol) -> Self {
        match protocol {
            ProxyProtocol::Http => Self::Http,
            ProxyProtocol::Https => Self::Https,
            ProxyProtocol::Socks5 => Self::Socks5,
            ProxyProtocol::Socks4 => Self::Socks4,
        }
    }
}

/// A proxy. Its password is never answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Proxy)]
pub(super) struct ProxyView {
    pub(super) id: Uuid,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Where it listens: `host:port`, or `[v6]:port`.
    address: String,
    #[schema(value_type = ProxyProtocol)]
    protocol: String,
    /// The name that it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    host: String,
    port: i32,
    /// Whether pools use it.
    is_enabled: bool,
    /// Whether pages come through it, by what was last found out of it as it is set up now.
    pub(super) is_healthy: bool,
    /// How it fared when it was last checked, or when a run that uses it last found that it fares otherwise than before:
    /// `healthy`, `unhealthy`, or `unknown` where the page that a check asked for may be at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_status: Option<String>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_checked_at: Option<DateTime<Utc>>,
    /// How long the last check took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<String>,
    /// Checks that brought a page.
    success_count: i64,
    /// Checks that brought none.
    failure_count: i64,
    /// When somebody last tested it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_tested: Option<DateTime<Utc>>,
    /// Why no page came then, where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Found> for ProxyView {
    fn from(Found { row, state }: Found) -> Self {
        let address = match row.host.contains(':') {
            true => format!("[{}]:{}", row.host, row.port),
            false => format!("{}:{}", row.host, row.port),
        };
        Self {
            id: row.proxy_id,
            name: row.name,
            description: row.description,
            address,
            protocol: row.protocol,
            username: state.username,
            host: row.host,
            port: row.port,
            is_enabled: row.enabled,
            is_healthy: row.health == Health::Healthy.name(),
            last_status: state.last_status,
            last_checked_at: state.last_checked_at,
            latency_ms: state.latency_ms,
            country_code: row.country_code,
            success_count: state.success_count,
            failure_count: state.failure_count,
            last_tested: state.last_tested_at,
            last_error: state.last_error,
            notes: row.notes,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl ProxyView {
    /// Shows a proxy as a command left it, with what is kept of it beside the log.
    pub(super) fn of(
        id: Uuid,
        snapshot: &Snapshot<proxy::Proxy>,
        state: State,
    ) -> Result<Self, Error> {
        let proxy = &snapshot.aggregate;
        let endpoint: &Endpoint = proxy.endpoint().ok_or(proxy::Proxy::MISSING)?;
        let row = Row {
            proxy_id: id,
            name: proxy.name().to_owned(),
            description: proxy.description().map(str::to_owned),
            protocol: proxy.protocol().name().to_owned(),
            host: endpoint.host().to_owned(),
            port: i32::from(endpoint.port()),
            country_code: proxy.country_code().map(str::to_owned),
            notes: proxy.notes().map(str::to_owned),
            enabled: proxy.is_enabled(),
            health: proxy.health().name().to_owned(),
            version: i64::try_from(snapshot.version).unwrap_or(i64::MAX),
            created_at: snapshot.created_at,
            updated_at: snapshot.updated_at,
        };
        Ok(Found { row, state }.into())
    }
}
