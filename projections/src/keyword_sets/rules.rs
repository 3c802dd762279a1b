//! The rules of all keyword sets of a user as one list.

use aggregates::{
    ids::KeywordSetId,
    keyword_set::{Rule, RuleType},
};
use futures::TryStreamExt as _;
use serde_json::value::RawValue;
use sqlx::{PgPool, types::Json};
use uuid::Uuid;

use super::bound::{ListError, Room};
use crate::{Whose, snapshot};

/// A rule and the set that it belongs to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The set.
    pub keyword_set_id: Uuid,
    /// The rule.
    pub rule: Rule,
}

type Record = (Uuid, Json<Box<RawValue>>);

/// Which rules are wanted; absent fields do not filter.
#[derive(Clone, Debug, Default)]
pub struct RuleFilter {
    /// Those of one set.
    pub keyword_set_id: Option<KeywordSetId>,
    /// How the pattern is read.
    pub rule_type: Option<RuleType>,
    /// The label, exactly.
    pub category: Option<String>,
    /// Whether case matters.
    pub is_case_sensitive: Option<bool>,
    /// A part of the pattern, in any case.
    pub pattern: Option<String>,
}

/// The sets of one user are some dozens, so the rules are unrolled after the set's index has found them.
const RULES: &str = "
SELECT s.keyword_set_id, r.rule
FROM read.keyword_sets s
CROSS JOIN LATERAL jsonb_array_elements(s.rules) WITH ORDINALITY AS r (rule, place)
WHERE ($1::uuid IS NULL OR s.owner = $1)
  AND ($2::uuid IS NULL OR s.keyword_set_id = $2)
  AND ($3::text IS NULL OR r.rule ->> 'rule_type' = $3)
  AND ($4::text IS NULL OR r.rule ->> 'category' = $4)
  AND ($5::bool IS NULL OR (r.rule ->> 'is_case_sensitive')::bool = $5)
  AND ($6::text IS NULL OR strpos(lower(r.rule ->> 'pattern'), lower($6)) > 0)
ORDER BY s.created_at, s.keyword_set_id, r.place
LIMIT $7 OFFSET $8";
const COUNT: &str = "
SELECT count(*)
FROM read.keyword_sets s
CROSS JOIN LATERAL jsonb_array_elements(s.rules) AS r (rule)
WHERE ($1::uuid IS NULL OR s.owner = $1)
  AND ($2::uuid IS NULL OR s.keyword_set_id = $2)
  AND ($3::text IS NULL OR r.rule ->> 'rule_type' = $3)
  AND ($4::text IS NULL OR r.rule ->> 'category' = $4)
  AND ($5::bool IS NULL OR (r.rule ->> 'is_case_sensitive')::bool = $5)
  AND ($6::text IS NULL OR strpos(lower(r.rule ->> 'pattern'), lower($6)) > 0)";

/// Lists the rules of somebody's sets, or of everybody's, in the order of the sets, and counts all that the filter lets through, at one moment.
///
/// # Errors
/// [`ListError::TooLarge`] for more than one answer holds, and when the database does not answer.
pub async fn rules(
    pool: &PgPool,
    whose: impl Into<Whose>,
    filter: &RuleFilter,
    limit: i64,
    offset: i64,
) -> Result<(Vec<Found>, i64), ListError> {
    let whose = whose.into().owner();
    let mut snapshot = snapshot(pool).await?;
    let rule_type = filter.rule_type.map(|rule_type| match rule_type {
        RuleType::String => "string",
        RuleType::Regex => "regex",
    });
    let mut records = sqlx::query_as::<_, Record>(RULES)
        .bind(whose)
        .bind(filter.keyword_set_id.map(|id| id.0))
        .bind(rule_type)
        .bind(&filter.category)
        .bind(filter.is_case_sensitive)
        .bind(&filter.pattern)
        .bind(limit)
        .bind(offset)
        .fetch(&mut *snapshot);
    let (mut rows, mut room) = (Vec::new(), Room::default());
    while let Some((keyword_set_id, rule)) = records.try_next().await? {
        rows.push(Found {
            keyword_set_id,
            rule: room.decode(&rule)?,
        });
    }
    drop(records);
    let total = sqlx::query_scalar(COUNT)
        .bind(whose)
        .bind(filter.keyword_set_id.map(|id| id.0))
        .bind(rule_type)
        .bind(&filter.category)
        .bind(filter.is_case_sensitive)
        .bind(&filter.pattern)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((rows, total))
}
