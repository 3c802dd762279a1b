//! Audit entries: every action of users and of the system, with who, from where and because of what.
//!
//! Results for single domains are not copied here (they are most of the log); a domain's history is read from its
//! stream.

mod erase;

use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use serde_json::Value;
use sqlx::{PgConnection, PgExecutor, PgPool};

use aggregates::Metadata;
use chrono::{DateTime, Utc};

use crate::runtime::{ApplyError, Projection};

/// The projection behind the table `audit_entries`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Audit;

const INSERT: &str = "INSERT INTO audit_entries (position, recorded_at, actor, action, resource_type, resource_id, \
    sequence, details, correlation_id, causation_id, ip, user_agent) \
    SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], \
    $7::bigint[], $8::jsonb[], $9::text[], $10::text[], $11::text[], $12::text[])";

#[derive(Default)]
struct Columns {
    positions: Vec<i64>,
    times: Vec<DateTime<Utc>>,
    actors: Vec<String>,
    actions: Vec<String>,
    types: Vec<String>,
    ids: Vec<String>,
    sequences: Vec<i64>,
    details: Vec<Value>,
    correlations: Vec<String>,
    causations: Vec<Option<String>>,
    ips: Vec<Option<String>>,
    agents: Vec<Option<String>>,
}

impl Columns {
    fn push(&mut self, event: &Recorded) -> Result<(), ApplyError> {
        let Metadata {
            actor,
            correlation_id,
            causation_id,
            ip,
            user_agent,
            ..
        } = event
            .metadata()
            .map_err(|error| ApplyError::poison(event, error))?;
        self.positions.push(event.position.as_i64());
        self.times.push(event.recorded_at);
        self.actors.push(actor.to_string());
        self.actions.push(event.event_type.clone());
        self.types.push(event.aggregate_type.clone());
        self.ids.push(event.aggregate_id.clone());
        self.sequences
            .push(i64::try_from(event.sequence).unwrap_or(i64::MAX));
        self.details.push(details(event)?);
        self.correlations.push(correlation_id);
        self.causations.push(causation_id);
        self.ips.push(ip);
        self.agents.push(user_agent);
        Ok(())
    }
}

/// Returns what happened without the event type around it; long lists of names are left to the stream.
fn details(event: &Recorded) -> Result<Value, ApplyError> {
    let payload: Value =
        serde_json::from_str(&event.payload).map_err(|error| ApplyError::poison(event, error))?;
    let mut inner = match payload {
        Value::Object(mut object) => object
            .remove(&event.event_type)
            .unwrap_or(Value::Object(object)),
        other => other,
    };
    if let Some(Value::Array(names)) = inner.get("names") {
        let count = names.len();
        if let Some(object) = inner.as_object_mut() {
            object.insert("names".to_owned(), Value::from(count));
        }
    }
    Ok(inner)
}

impl Projection for Audit {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["audit_entries"]
    }

    fn reads(&self) -> &'static [&'static str] {
        &[
            "campaign",
            "keyword_set",
            "pattern",
            "persona",
            "proxy",
            "proxy_pool",
            "scoring_profile",
            "suppression_entry",
            "user",
        ]
    }

    fn shows_personal_data(&self) -> bool {
        true
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let mut columns = Columns::default();
            for event in events {
                columns.push(event)?;
            }
            sqlx::query(INSERT)
                .bind(columns.positions)
                .bind(columns.times)
                .bind(columns.actors)
                .bind(columns.actions)
                .bind(columns.types)
                .bind(columns.ids)
                .bind(columns.sequences)
                .bind(columns.details)
                .bind(columns.correlations)
                .bind(columns.causations)
                .bind(columns.ips)
                .bind(columns.agents)
                .execute(&mut *connection)
                .await?;
            erase::forget(connection, events).await?;
            Ok(())
        }
        .boxed()
    }
}

/// One entry.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Entry {
    /// The event's position in the log.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
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
    /// The request, or the run.
    pub correlation_id: String,
    /// What led to it.
    pub causation_id: Option<String>,
    /// From where.
    pub ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

const OF_RESOURCE: &str = "SELECT position, recorded_at, actor, action, resource_type, resource_id, sequence, details, \
    correlation_id, causation_id, ip, user_agent FROM read.audit_entries \
    WHERE resource_type = $1 AND resource_id = $2 AND position > $3 ORDER BY position LIMIT $4";

/// Reads the entries of one thing after a position, the oldest first.
///
/// # Errors
/// When the database does not answer.
pub async fn of_resource(
    pool: &PgPool,
    resource_type: &str,
    resource_id: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(OF_RESOURCE)
        .bind(resource_type)
        .bind(resource_id)
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await
}

const LATEST: &str = "SELECT position, recorded_at, actor, action, resource_type, resource_id, sequence, details, \
    correlation_id, causation_id, ip, user_agent FROM read.audit_entries \
    WHERE resource_type = $1 AND resource_id = $2 AND action = ANY($3) ORDER BY position DESC LIMIT $4";

/// Reads the newest entries of one thing that have one of the actions, the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn latest_of_resource(
    executor: impl PgExecutor<'_>,
    resource_type: &str,
    resource_id: &str,
    actions: &[&str],
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(LATEST)
        .bind(resource_type)
        .bind(resource_id)
        .bind(actions)
        .bind(limit)
        .fetch_all(executor)
        .await
}

const LATEST_OF_MANY: &str = "SELECT last.* FROM unnest($2::text[]) AS wanted (id) CROSS JOIN LATERAL \
    (SELECT position, recorded_at, actor, action, resource_type, resource_id, sequence, details, correlation_id, \
     causation_id, ip, user_agent FROM read.audit_entries WHERE resource_type = $1 AND resource_id = wanted.id \
     ORDER BY position DESC LIMIT $3) last";

/// Reads the newest entries of each of several things, those of each the newest first.
///
/// # Errors
/// When the database does not answer.
pub async fn latest_of_resources(
    executor: impl PgExecutor<'_>,
    resource_type: &str,
    resource_ids: &[String],
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(LATEST_OF_MANY)
        .bind(resource_type)
        .bind(resource_ids)
        .bind(limit)
        .fetch_all(executor)
        .await
}
