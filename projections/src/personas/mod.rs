//! Personas as the API lists them.

use aggregates::{
    ids::PersonaId,
    persona::{Config, Event},
};
use chrono::{DateTime, Utc};
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use crate::{
    Whose,
    row_per_stream::{self, At, RowPerStream, Statement},
    snapshot,
};

/// The projection behind the table `personas`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Personas;

const CREATE: &str = "INSERT INTO personas (persona_id, owner, persona_type, name, description, config, enabled, \
    version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
const CHANGE: &str = "UPDATE personas SET name = coalesce($2, name), description = coalesce($3, description), \
    config = coalesce($4, config), enabled = coalesce($5, enabled), version = $6, updated_at = $7 \
    WHERE persona_id = $1";
const REMOVE: &str = "DELETE FROM personas WHERE persona_id = $1";

impl RowPerStream for Personas {
    const TABLE: &'static [&'static str; 1] = &["personas"];
    const AGGREGATE: &'static [&'static str; 1] = &["persona"];
    type Event = Event;

    fn statement(at: At, event: Event) -> Statement {
        match event {
            Event::Created {
                owner,
                name,
                description,
                config,
                enabled,
            } => sqlx::query(CREATE)
                .bind(at.id)
                .bind(owner.0)
                .bind(config.kind().name())
                .bind(name)
                .bind(description)
                .bind(Json(config))
                .bind(enabled)
                .bind(at.version)
                .bind(at.time),
            Event::Changed {
                name,
                description,
                config,
                ..
            } => change(at, name, description, config, None),
            Event::Enabled { .. } => change(at, None, None, None, Some(true)),
            Event::Disabled { .. } => change(at, None, None, None, Some(false)),
            Event::Deleted { .. } => sqlx::query(REMOVE).bind(at.id),
        }
    }
}

/// Changes a row; absent values stay.
fn change(
    at: At,
    name: Option<String>,
    description: Option<String>,
    config: Option<Config>,
    enabled: Option<bool>,
) -> Statement {
    sqlx::query(CHANGE)
        .bind(at.id)
        .bind(name)
        .bind(description)
        .bind(config.map(Json))
        .bind(enabled)
        .bind(at.version)
        .bind(at.time)
}

/// A persona.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub persona_id: Uuid,
    /// `dns` or `http`.
    pub persona_type: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its configuration, in the wire's form.
    pub config: serde_json::Value,
    /// Whether phases may use it.
    pub enabled: bool,
    /// The sequence of its last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

const BY_ID: &str = "SELECT persona_id, persona_type, name, description, config, enabled, version, created_at, \
    updated_at FROM read.personas WHERE persona_id = $1 AND ($2::uuid IS NULL OR owner = $2)";
const OF_OWNER: &str = "SELECT persona_id, persona_type, name, description, config, enabled, version, created_at, \
    updated_at FROM read.personas WHERE ($1::uuid IS NULL OR owner = $1) AND ($2::text IS NULL OR persona_type = $2) \
    AND ($3::bool IS NULL OR enabled = $3) ORDER BY created_at, persona_id LIMIT $4 OFFSET $5";
const COUNT: &str = "SELECT count(*) FROM read.personas WHERE ($1::uuid IS NULL OR owner = $1) AND ($2::text IS NULL OR persona_type = $2) \
    AND ($3::bool IS NULL OR enabled = $3)";

/// Reads a user's persona; somebody else's is none.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    pool: &PgPool,
    whose: impl Into<Whose>,
    id: PersonaId,
) -> Result<Option<Row>, sqlx::Error> {
    row_per_stream::by_id(pool, BY_ID, whose.into(), id.0).await
}

/// Which personas are wanted; absent fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// `dns` or `http`.
    pub persona_type: Option<String>,
    /// Whether phases may use it.
    pub enabled: Option<bool>,
}

/// Lists somebody's, or everybody's, personas in the order of creation, and counts all that the filter lets through, at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    pool: &PgPool,
    whose: impl Into<Whose>,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Row>, i64), sqlx::Error> {
    let whose = whose.into().owner();
    let mut snapshot = snapshot(pool).await?;
    let rows = sqlx::query_as(OF_OWNER)
        .bind(whose)
        .bind(&filter.persona_type)
        .bind(filter.enabled)
        .bind(limit)
        .bind(offset)
        .fetch_all(&mut *snapshot)
        .await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(whose)
        .bind(&filter.persona_type)
        .bind(filter.enabled)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((rows, total))
}
