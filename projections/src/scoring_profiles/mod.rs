//! Scoring profiles as the API lists them.

use std::collections::BTreeMap;

use aggregates::{ids::ScoringProfileId, scoring_profile::Event};
use chrono::{DateTime, Utc};
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use crate::{
    Whose,
    row_per_stream::{self, At, RowPerStream, Statement},
    snapshot,
};

/// The projection behind the table `scoring_profiles`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScoringProfiles;

const CREATE: &str = "INSERT INTO scoring_profiles (scoring_profile_id, owner, name, description, weights, version, \
    created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
const CHANGE: &str = "UPDATE scoring_profiles SET name = coalesce($2, name), description = coalesce($3, description), \
    weights = coalesce($4, weights), version = $5, updated_at = $6 WHERE scoring_profile_id = $1";
const REMOVE: &str = "DELETE FROM scoring_profiles WHERE scoring_profile_id = $1";

impl RowPerStream for ScoringProfiles {
    const TABLE: &'static [&'static str; 1] = &["scoring_profiles"];
    const AGGREGATE: &'static [&'static str; 1] = &["scoring_profile"];
    type Event = Event;

    fn statement(at: At, event: Event) -> Statement {
        match event {
            Event::Created {
                owner,
                name,
                description,
                weights,
            } => sqlx::query(CREATE)
                .bind(at.id)
                .bind(owner.0)
                .bind(name)
                .bind(description)
                .bind(Json(weights))
                .bind(at.version)
                .bind(at.time),
            Event::Changed {
                name,
                description,
                weights,
                ..
            } => sqlx::query(CHANGE)
                .bind(at.id)
                .bind(name)
                .bind(description)
                .bind(weights.map(Json))
                .bind(at.version)
                .bind(at.time),
            Event::Deleted { .. } => sqlx::query(REMOVE).bind(at.id),
        }
    }
}

/// A scoring profile.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub scoring_profile_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its weights by component, as they were given.
    pub weights: Json<BTreeMap<String, f64>>,
    /// The sequence of its last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

const BY_ID: &str = "SELECT scoring_profile_id, name, description, weights, version, created_at, updated_at \
    FROM read.scoring_profiles WHERE scoring_profile_id = $1 AND ($2::uuid IS NULL OR owner = $2)";
const OF_OWNER: &str = "SELECT scoring_profile_id, name, description, weights, version, created_at, updated_at \
    FROM read.scoring_profiles WHERE ($1::uuid IS NULL OR owner = $1) ORDER BY created_at, scoring_profile_id LIMIT $2 OFFSET $3";
const COUNT: &str =
    "SELECT count(*) FROM read.scoring_profiles WHERE ($1::uuid IS NULL OR owner = $1)";

/// Reads a user's scoring profile; somebody else's is none.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    pool: &PgPool,
    whose: impl Into<Whose>,
    id: ScoringProfileId,
) -> Result<Option<Row>, sqlx::Error> {
    row_per_stream::by_id(pool, BY_ID, whose.into(), id.0).await
}

/// Lists somebody's, or everybody's, scoring profiles in the order of creation, and counts them at the same moment.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    pool: &PgPool,
    whose: impl Into<Whose>,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Row>, i64), sqlx::Error> {
    let whose = whose.into().owner();
    let mut snapshot = snapshot(pool).await?;
    let rows = sqlx::query_as(OF_OWNER)
        .bind(whose)
        .bind(limit)
        .bind(offset)
        .fetch_all(&mut *snapshot)
        .await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(whose)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((rows, total))
}
