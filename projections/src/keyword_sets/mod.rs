//! Keyword sets with their rules, and the rules as a list of their own.
//!
//! The rules of a set are kept in its row: they are replaced together, and a page that lists sets with rules reads no
//! second table.

mod rules;

use aggregates::{
    ids::{KeywordSetId, UserId},
    keyword_set::{Event, Rule},
};
use chrono::{DateTime, Utc};
use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

pub use self::rules::{Found, RuleFilter, rules};
use crate::runtime::{ApplyError, Projection, decode};

/// The projection behind the table `keyword_sets`.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeywordSets;

const CREATE: &str = "INSERT INTO keyword_sets (keyword_set_id, owner, name, description, enabled, rules, version, \
    created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)";
const CHANGE: &str = "UPDATE keyword_sets SET name = coalesce($2, name), description = coalesce($3, description), \
    enabled = coalesce($4, enabled), rules = coalesce($5, rules), version = $6, updated_at = $7 \
    WHERE keyword_set_id = $1";
const REMOVE: &str = "DELETE FROM keyword_sets WHERE keyword_set_id = $1";

impl Projection for KeywordSets {
    fn name(&self) -> &'static str {
        "keyword_sets"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["keyword_sets"]
    }

    fn reads(&self) -> &'static [&'static str] {
        &["keyword_set"]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            for event in events {
                apply(connection, event).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

async fn apply(connection: &mut PgConnection, event: &Recorded) -> Result<(), ApplyError> {
    let id: KeywordSetId = event
        .aggregate_id
        .parse()
        .map_err(|_| ApplyError::poison(event, "the stream id names no keyword set"))?;
    let version = i64::try_from(event.sequence).unwrap_or(i64::MAX);
    let (name, description, enabled, rules) = match decode(event)? {
        Event::Created {
            owner,
            name,
            description,
            rules,
            enabled,
        } => {
            sqlx::query(CREATE)
                .bind(id.0)
                .bind(owner.0)
                .bind(name)
                .bind(description)
                .bind(enabled)
                .bind(Json(rules))
                .bind(version)
                .bind(event.recorded_at)
                .execute(connection)
                .await?;
            return Ok(());
        }
        Event::Deleted { .. } => {
            sqlx::query(REMOVE).bind(id.0).execute(connection).await?;
            return Ok(());
        }
        Event::Changed {
            name, description, ..
        } => (name, description, None, None),
        Event::RulesReplaced { rules, .. } => (None, None, None, Some(rules)),
        Event::Enabled { .. } => (None, None, Some(true), None),
        Event::Disabled { .. } => (None, None, Some(false), None),
    };
    sqlx::query(CHANGE)
        .bind(id.0)
        .bind(name)
        .bind(description)
        .bind(enabled)
        .bind(rules.map(Json))
        .bind(version)
        .bind(event.recorded_at)
        .execute(connection)
        .await?;
    Ok(())
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
    FROM read.keyword_sets WHERE keyword_set_id = $1 AND owner = $2";
const OF_OWNER: &str = "SELECT keyword_set_id, name, description, enabled, rules, version, created_at, updated_at \
    FROM read.keyword_sets WHERE owner = $1 AND ($2::bool IS NULL OR enabled = $2) \
    ORDER BY created_at, keyword_set_id LIMIT $3 OFFSET $4";
const COUNT: &str = "SELECT count(*) FROM read.keyword_sets WHERE owner = $1 AND ($2::bool IS NULL OR enabled = $2)";

/// Reads a user's keyword set; somebody else's is none.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(
    pool: &PgPool,
    owner: UserId,
    id: KeywordSetId,
) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as(BY_ID)
        .bind(id.0)
        .bind(owner.0)
        .fetch_optional(pool)
        .await
}

/// Lists a user's keyword sets in the order of creation, and counts them; `enabled` lets through only those.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    pool: &PgPool,
    owner: UserId,
    enabled: Option<bool>,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Row>, i64), sqlx::Error> {
    let rows = sqlx::query_as(OF_OWNER)
        .bind(owner.0)
        .bind(enabled)
        .bind(limit)
        .bind(offset)
        .fetch_all(pool)
        .await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(owner.0)
        .bind(enabled)
        .fetch_one(pool)
        .await?;
    Ok((rows, total))
}
