//! Keyword sets as a list.

use aggregates::keyword_set::Rule;
use chrono::{DateTime, Utc};
use futures::TryStreamExt as _;
use serde_json::value::RawValue;
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use super::bound::{ListError, Room};
use crate::{Whose, snapshot};

/// A keyword set as lists show it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its id.
    pub keyword_set_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether phases may use it.
    pub enabled: bool,
    /// How many rules it has.
    pub rule_count: usize,
    /// Its rules in their order, where they were asked for.
    pub rules: Option<Vec<Rule>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Record {
    keyword_set_id: Uuid,
    name: String,
    description: Option<String>,
    enabled: bool,
    rule_count: i32,
    rules: Option<Json<Box<RawValue>>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

const OF_OWNER: &str = "SELECT keyword_set_id, name, description, enabled, jsonb_array_length(rules) AS rule_count, \
    CASE WHEN $5 THEN rules END AS rules, created_at, updated_at \
    FROM read.keyword_sets WHERE ($1::uuid IS NULL OR owner = $1) AND ($2::bool IS NULL OR enabled = $2) \
    ORDER BY created_at, keyword_set_id LIMIT $3 OFFSET $4";
const COUNT: &str = "SELECT count(*) FROM read.keyword_sets WHERE ($1::uuid IS NULL OR owner = $1) AND ($2::bool IS NULL OR enabled = $2)";

/// Lists somebody's, or everybody's, keyword sets in the order of creation, with their rules or without, and counts them at
/// the same moment; `enabled` lets through only those.
///
/// # Errors
/// [`ListError::TooLarge`] for more rules than one answer holds, and when the database does not answer.
pub async fn list(
    pool: &PgPool,
    whose: impl Into<Whose>,
    enabled: Option<bool>,
    with_rules: bool,
    (limit, offset): (i64, i64),
) -> Result<(Vec<Listed>, i64), ListError> {
    let whose = whose.into().owner();
    let mut snapshot = snapshot(pool).await?;
    let mut listed = Vec::new();
    let mut room = Room::default();
    let mut records = sqlx::query_as(OF_OWNER)
        .bind(whose)
        .bind(enabled)
        .bind(limit)
        .bind(offset)
        .bind(with_rules)
        .fetch(&mut *snapshot);
    while let Some(record) = records.try_next().await? {
        listed.push(decode(record, &mut room)?);
    }
    drop(records);
    let total = sqlx::query_scalar(COUNT)
        .bind(whose)
        .bind(enabled)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((listed, total))
}

fn decode(record: Record, room: &mut Room) -> Result<Listed, ListError> {
    let rules = record.rules.as_ref();
    Ok(Listed {
        keyword_set_id: record.keyword_set_id,
        name: record.name,
        description: record.description,
        enabled: record.enabled,
        rule_count: usize::try_from(record.rule_count).unwrap_or(0),
        rules: rules.map(|rules| room.decode(rules)).transpose()?,
        created_at: record.created_at,
        updated_at: record.updated_at,
    })
}
