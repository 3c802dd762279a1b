//! One entry of the audit trail, as the read model has it.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

/// One entry.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Entry {
    /// The event's position in the log.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// The name that the user goes by now, where it was one.
    pub actor_name: Option<String>,
    /// What, as the event is called.
    pub action: String,
    /// The kind of thing that it happened to.
    pub resource_type: String,
    /// Which.
    pub resource_id: String,
    /// The event's sequence in its stream.
    pub sequence: i64,
    /// What the event says.
    pub details: Value,
    /// The fields that it changed, as they were.
    pub before: Option<Value>,
    /// The fields that it changed, as they are since.
    pub after: Option<Value>,
    /// The request, or the run.
    pub correlation_id: String,
    /// What led to it.
    pub causation_id: Option<String>,
    /// SHA-256 of user, operation and idempotency key, where a key was sent.
    pub idempotency: Option<String>,
    /// The API key that the command came with, where it was one.
    pub api_key: Option<Uuid>,
    /// From where.
    pub ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

/// The columns of an [`Entry`] but for the name, of `audit_entries` as `e`.
macro_rules! columns {
    () => {
        columns!("e.details")
    };
    ($details:literal) => {
        concat!(
            "e.position, e.recorded_at, e.actor, e.action, e.resource_type, e.resource_id, e.sequence, ",
            $details,
            ", e.before, e.after, e.correlation_id, e.causation_id, e.idempotency, e.api_key, e.ip, e.user_agent"
        )
    };
}

/// The name that an actor goes by, as a row `named` beside `audit_entries` as `e`.
macro_rules! named {
    () => {
        " LEFT JOIN LATERAL (SELECT username AS actor_name FROM read.users \
         WHERE user_id = CASE WHEN e.actor LIKE 'user:%' THEN substr(e.actor, 6)::uuid END LIMIT 1) named ON true "
    };
}

pub(super) use columns;
pub(super) use named;
