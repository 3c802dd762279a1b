//! The list as it is asked for.

use aggregates::{ids::SuppressionId, suppression::Target};
use chrono::{DateTime, Utc};
use event_store::Position;
use sqlx::PgPool;
use uuid::Uuid;

use crate::snapshot;

/// An entry.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Row {
    /// Its id.
    pub entry_id: Uuid,
    /// What it names: domain, suffix, cidr, nameserver.
    pub kind: String,
    /// Whom it names.
    pub value: String,
    /// Why.
    pub reason: String,
    /// What else is to be known.
    pub note: Option<String>,
    /// Who added it.
    pub added_by: Uuid,
    /// When.
    pub added_at: DateTime<Utc>,
    /// The sequence of its last event.
    pub version: i64,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What they name.
    pub kind: Option<&'static str>,
    /// A part of value, reason or note, in any case.
    pub part: Option<String>,
    /// The last value and kind of the page before.
    pub after: Option<(String, String)>,
}

const BY_ID: &str = "SELECT entry_id, kind, value, reason, note, added_by, added_at, version \
    FROM read.suppression_entries WHERE entry_id = $1";
const LIST: &str = "SELECT entry_id, kind, value, reason, note, added_by, added_at, version \
    FROM read.suppression_entries \
    WHERE ($1::text IS NULL OR kind = $1) \
      AND ($2::text IS NULL OR strpos(lower(concat_ws(' ', value, reason, note)), lower($2)) > 0) \
      AND ($3::text IS NULL OR (value, kind) > ($3, $4)) \
    ORDER BY value, kind LIMIT $5";
const COUNT: &str = "SELECT count(*) FROM read.suppression_entries \
    WHERE ($1::text IS NULL OR kind = $1) \
      AND ($2::text IS NULL OR strpos(lower(concat_ws(' ', value, reason, note)), lower($2)) > 0)";

/// Reads an entry.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(pool: &PgPool, id: SuppressionId) -> Result<Option<Row>, sqlx::Error> {
    sqlx::query_as(BY_ID).bind(id.0).fetch_optional(pool).await
}

/// Lists entries by value and kind, and counts all that the filter lets through, at one moment.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    pool: &PgPool,
    filter: &Filter,
    limit: i64,
) -> Result<(Vec<Row>, i64), sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let (value, kind) = filter.after.clone().unzip();
    let rows = sqlx::query_as(LIST)
        .bind(filter.kind)
        .bind(&filter.part)
        .bind(value)
        .bind(kind)
        .bind(limit)
        .fetch_all(&mut *snapshot)
        .await?;
    let total = sqlx::query_scalar(COUNT)
        .bind(filter.kind)
        .bind(&filter.part)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok((rows, total))
}

/// The whole list, and where in the log it stands.
#[derive(Clone, Debug)]
pub struct List {
    /// The log's position up to which the list has everything.
    pub at: Position,
    /// Whom it names, by the ids of the entries.
    pub targets: Vec<(SuppressionId, Target)>,
}

const WHOLE: &str = "SELECT entry_id, jsonb_build_object('kind', kind, 'value', value) FROM read.suppression_entries";
const POSITION: &str =
    "SELECT position FROM projection_checkpoints WHERE name = 'suppression_entries'";

/// Reads the whole list with the position that it stands at: the beginning, before any projection has read anything.
///
/// # Errors
/// When the database does not answer.
pub async fn whole(pool: &PgPool) -> Result<List, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let at: Option<i64> = sqlx::query_scalar(POSITION)
        .fetch_optional(&mut *snapshot)
        .await?;
    let rows: Vec<(Uuid, sqlx::types::Json<Target>)> =
        sqlx::query_as(WHOLE).fetch_all(&mut *snapshot).await?;
    snapshot.commit().await?;
    Ok(List {
        at: at.map_or(Position::START, Position::from_i64),
        targets: rows
            .into_iter()
            .map(|(id, target)| (SuppressionId(id), target.0))
            .collect(),
    })
}
