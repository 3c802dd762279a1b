//! Keyword sets with their rules, and the rules as a list of their own.
//!
//! The rules of a set are kept in its row: they are replaced together, and a page that lists sets with rules reads no
//! second table. A set may have megabytes of them, so lists read them where they are asked for, and no more than one
//! answer may hold.

mod bound;
mod list;
mod rules;

use aggregates::{
    ids::KeywordSetId,
    keyword_set::{Event, Rule},
};
use chrono::{DateTime, Utc};
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

pub use self::{
    bound::{ListError, MOST_BYTES},
    list::{Listed, list},
    rules::{Found, RuleFilter, rules},
};
use crate::{
    Whose,
    row_per_stream::{self, At, RowPerStream, Statement},
};

/// The projection behind the table `keyword_sets`.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeywordSets;

const CREATE: &str = "INSERT INTO keyword_sets (keyword_set_id, owner, name, description, enabled, rules, version, \
    created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
const CHANGE: &str = "UPDATE keyword_sets SET name = coalesce($2, name), description = coalesce($3, description), \
    enabled = coalesce($4, enabled), rules = coalesce($5, rules), version = $6, updated_at = $7 \
    WHERE keyword_set_id = $1";
const REMOVE: &str = "DELETE FROM keyword_sets WHERE keyword_set_id = $1";

impl RowPerStream for KeywordSets {
    const TABLE: &'static [&'static str; 1] = &["keyword_sets"];
    const AGGREGATE: &'static [&'static str; 1] = &["keyword_set"];
    type Event = Event;

    fn statement(at: At, event: Event) -> Statement {
        match event {
            Event::Created {
                owner,
                name,
                description,
                rules,
                enabled,
            } => sqlx::query(CREATE)
                .bind(at.id)
                .bind(owner.0)
                .bind(name)
                .bind(description)
                .bind(enabled)
                .bind(Json(rules))
                .bind(at.version)
                .bind(at.time),
            Event::Changed {
                name, description, ..
            } => change(at, name, description, None, None),
            Event::RulesReplaced { rules, .. } => change(at, None, None, None, Some(rules)),
            Event::Enabled { .. } => change(at, None, None, Some(true), None),
            Event::Disabled { .. } => change(at, None, None, Some(false), None),
            Event::Deleted { .. } => sqlx::query(REMOVE).bind(at.id),
        }
    }
}

/// Changes a row; absent values stay.
fn change(
    at: At,
    name: Option<String>,
    description: Option<String>,
    enabled: Option<bool>,
    rules: Option<Vec<Rule>>,
) -> Statement {
    sqlx::query(CHANGE)
        .bind(at.id)
        .bind(name)
        .bind(description)
        .bind(enabled)
        .bind(rules.map(Json))
        .bind(at.version)
        .bind(at.time)
}

/// A keyword set.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub keyword_set_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether phases may use it.
    pub enabled: bool,
    /// Its rules in their order.
    pub rules: Json<Vec<Rule>>,
    /// The sequence of its last event.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

const BY_ID: &str = "SELECT keyword_set_id, name, description, enabled, rules, version, created_at, updated_at \
    FROM read.keyword_sets WHERE keyword_set_id = $1 AND ($2::uuid IS NULL OR owner = $2)";

/// Reads a user's keyword set; somebody else's is none.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    pool: &PgPool,
    whose: impl Into<Whose>,
    id: KeywordSetId,
) -> Result<Option<Row>, sqlx::Error> {
    row_per_stream::by_id(pool, BY_ID, whose.into(), id.0).await
}
