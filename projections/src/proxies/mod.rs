//! Proxies as the API lists them.
//!
//! How they fare is a projection of the log; how often they were checked, and the name that they are told, is state that
//! is kept beside it, and joined when a proxy is read. A rebuild touches neither.

mod query;

use aggregates::proxy::{Endpoint, Event, Health, Protocol};

pub use self::query::{Filter, Found, Row, State, by_id, by_ids, list, state_of};
use crate::row_per_stream::{At, RowPerStream, Statement};

/// The projection behind the table `proxies`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Proxies;

const CREATE: &str = "INSERT INTO proxies (proxy_id, owner, name, description, protocol, host, port, country_code, notes, \
    enabled, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
const CHANGE: &str = "UPDATE proxies SET name = coalesce($2, name), description = coalesce($3, description), \
    protocol = coalesce($4, protocol), host = coalesce($5, host), port = coalesce($6, port), \
    country_code = coalesce($7, country_code), notes = coalesce($8, notes), enabled = coalesce($9, enabled), \
    health = coalesce($10, health), version = $11, updated_at = $12 WHERE proxy_id = $1";
const REMOVE: &str = "DELETE FROM proxies WHERE proxy_id = $1";

impl RowPerStream for Proxies {
    const TABLE: &'static [&'static str; 1] = &["proxies"];
    const AGGREGATE: &'static [&'static str; 1] = &["proxy"];
    type Event = Event;

    fn statement(at: At, event: Event) -> Statement {
        match event {
            Event::Created {
                owner,
                name,
                description,
                protocol,
                endpoint,
                country_code,
                notes,
                enabled,
            } => sqlx::query(CREATE)
                .bind(at.id)
                .bind(owner.0)
                .bind(name)
                .bind(description)
                .bind(protocol.name())
                .bind(endpoint.host().to_owned())
                .bind(i32::from(endpoint.port()))
                .bind(country_code)
                .bind(notes)
                .bind(enabled)
                .bind(at.version)
                .bind(at.time),
            Event::Deleted { .. } => sqlx::query(REMOVE).bind(at.id),
            event => Change::of(event).statement(at),
        }
    }
}

/// What an event does to a row; absent values stay.
#[derive(Default)]
struct Change {
    name: Option<String>,
    description: Option<String>,
    protocol: Option<Protocol>,
    endpoint: Option<Endpoint>,
    country_code: Option<String>,
    notes: Option<String>,
    enabled: Option<bool>,
    health: Option<Health>,
}

impl Change {
    fn of(event: Event) -> Self {
        match event {
            Event::Changed {
                name,
                description,
                protocol,
                endpoint,
                country_code,
                notes,
                ..
            } => Self {
                // What was checked was another proxy.
                health: (protocol.is_some() || endpoint.is_some()).then_some(Health::Unknown),
                name,
                description,
                protocol,
                endpoint,
                country_code,
                notes,
                enabled: None,
            },
            Event::CredentialsChanged { .. } => Self {
                health: Some(Health::Unknown),
                ..Self::default()
            },
            Event::Enabled { .. } => Self {
                enabled: Some(true),
                ..Self::default()
            },
            Event::Disabled { .. } => Self {
                enabled: Some(false),
                ..Self::default()
            },
            Event::HealthChanged { healthy, .. } => Self {
                health: Some(match healthy {
                    true => Health::Healthy,
                    false => Health::Unhealthy,
                }),
                ..Self::default()
            },
            Event::Created { .. } | Event::Deleted { .. } => Self::default(),
        }
    }

    fn statement(self, at: At) -> Statement {
        let (host, port) = self
            .endpoint
            .map(|endpoint| (endpoint.host().to_owned(), i32::from(endpoint.port())))
            .unzip();
        sqlx::query(CHANGE)
            .bind(at.id)
            .bind(self.name)
            .bind(self.description)
            .bind(self.protocol.map(Protocol::name))
            .bind(host)
            .bind(port)
            .bind(self.country_code)
            .bind(self.notes)
            .bind(self.enabled)
            .bind(self.health.map(Health::name))
            .bind(at.version)
            .bind(at.time)
    }
}
