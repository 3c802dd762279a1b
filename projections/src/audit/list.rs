//! Pages of the audit trail: exact filters, joined with AND, in the order of the log.
//!
//! An entry may say all that a request could, some megabytes, so a page ends by what its entries say, as text, as well as by
//! their number: with the first entry that brings it to 8 MiB.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use super::entry::{Entry, columns, named};
use crate::Whose;

/// Which entries are wanted; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who, as `user:<id>`, `worker:<name>`, `operator` or `anonymous`.
    pub actor: Option<String>,
    /// What happened, as the event is called.
    pub action: Option<String>,
    /// The kind of thing that it happened to.
    pub resource_type: Option<String>,
    /// Which.
    pub resource_id: Option<String>,
    /// Recorded at this moment or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this moment.
    pub to: Option<DateTime<Utc>>,
    /// The request, or the run.
    pub correlation_id: Option<String>,
    /// What led to it.
    pub causation_id: Option<String>,
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they happened.
    #[default]
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// Which page is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The position of the last entry of the page before.
    pub after: Option<i64>,
    /// The position that no entry is beyond: [`end`], or where an export began.
    pub until: i64,
    /// Entries at most; fewer where they say much.
    pub limit: i64,
    /// In which order.
    pub order: Order,
}

/// Parameters $1 to $11: the filter, the cursor, the end. They are planned with their values, so that what is absent costs
/// nothing and the rest goes by its index.
macro_rules! filtered {
    ($past:literal) => {
        concat!(
            "($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR action = $2) \
             AND ($3::text IS NULL OR resource_type = $3) AND ($4::text IS NULL OR resource_id = $4) \
             AND ($5::timestamptz IS NULL OR recorded_at >= $5) AND ($6::timestamptz IS NULL OR recorded_at < $6) \
             AND ($7::text IS NULL OR correlation_id = $7) AND ($8::text IS NULL OR causation_id = $8) \
             AND ($9::bigint IS NULL OR position ",
            $past,
            " $9) AND position <= $10"
        )
    };
}

/// The entries at the first of these places, in their order: $11 at most, and none behind 8 MiB of what they say. Each place is
/// a step, so that only what is on the page is measured, and measured as text: what is stored is compressed. There is to be a
/// place more than entries are wanted, for the last entry to tell whether there are others.
macro_rules! at {
    ($places:expr, $order:literal) => {
        concat!(
            "WITH RECURSIVE places AS (SELECT array_agg(position ORDER BY position ",
            $order,
            ") AS positions FROM (",
            $places,
            ") place), \
             page AS (SELECT 1 AS nth, positions[1] AS position, 0::bigint AS bytes FROM places WHERE positions IS NOT NULL \
             UNION ALL SELECT page.nth + 1, (SELECT positions FROM places)[page.nth + 1], page.bytes + said.bytes \
             FROM page CROSS JOIN LATERAL (SELECT octet_length(e.details::text) + coalesce(octet_length(e.before::text), 0) \
             + coalesce(octet_length(e.after::text), 0) AS bytes \
             FROM read.audit_entries e WHERE e.position = page.position LIMIT 1) said \
             WHERE page.nth < least($11::bigint, (SELECT cardinality(positions) FROM places)) \
             AND page.bytes + said.bytes < 8388608) SELECT ",
            columns!(),
            ", named.actor_name, page.nth < (SELECT cardinality(positions) FROM places) AS is_followed \
             FROM page CROSS JOIN LATERAL (SELECT * FROM read.audit_entries WHERE position = page.position LIMIT 1) e",
            named!(),
            "ORDER BY e.position ",
            $order
        )
    };
}

macro_rules! everybodys {
    ($past:literal, $order:literal) => {
        at!(
            concat!(
                "SELECT position FROM read.audit_entries WHERE ",
                filtered!($past),
                " ORDER BY position ",
                $order,
                " LIMIT $11::bigint + 1"
            ),
            $order
        )
    };
}

/// What happened to somebody's things ($12) or was done by him ($13): each along its own index, and merged.
macro_rules! somebodys {
    ($past:literal, $order:literal) => {
        at!(
            concat!(
                "SELECT position FROM ((SELECT position FROM read.audit_entries WHERE owner = $12 AND ",
                filtered!($past),
                " ORDER BY position ",
                $order,
                " LIMIT $11::bigint + 1) UNION (SELECT position FROM read.audit_entries WHERE actor = $13 AND ",
                filtered!($past),
                " ORDER BY position ",
                $order,
                " LIMIT $11::bigint + 1)) his ORDER BY position ",
                $order,
                " LIMIT $11::bigint + 1"
            ),
            $order
        )
    };
}

/// An entry on its page.
#[derive(sqlx::FromRow)]
struct Placed {
    #[sqlx(flatten)]
    entry: Entry,
    /// Whether another one that is wanted comes after it.
    is_followed: bool,
}

/// Reads a page of the entries that pass the filter: of everybody, or of what somebody did and what happened to his things. Also
/// tells whether there are others after it.
///
/// # Errors
/// When the database does not answer.
pub async fn page(
    executor: impl PgExecutor<'_>,
    whose: Whose,
    filter: &Filter,
    wanted: &Page,
) -> Result<(Vec<Entry>, bool), sqlx::Error> {
    let statement = match (whose, wanted.order) {
        (Whose::Everybodys, Order::OldestFirst) => everybodys!(">", "ASC"),
        (Whose::Everybodys, Order::NewestFirst) => everybodys!("<", "DESC"),
        (Whose::Of(_), Order::OldestFirst) => somebodys!(">", "ASC"),
        (Whose::Of(_), Order::NewestFirst) => somebodys!("<", "DESC"),
    };
    let query = sqlx::query_as(statement)
        .bind(&filter.actor)
        .bind(&filter.action)
        .bind(&filter.resource_type)
        .bind(&filter.resource_id)
        .bind(filter.from)
        .bind(filter.to)
        .bind(&filter.correlation_id)
        .bind(&filter.causation_id)
        .bind(wanted.after)
        .bind(wanted.until)
        .bind(wanted.limit)
        .persistent(false);
    let placed: Vec<Placed> = match whose {
        Whose::Everybodys => query,
        Whose::Of(user) => query.bind(user.0).bind(format!("user:{user}")),
    }
    .fetch_all(executor)
    .await?;
    let has_next = placed.last().is_some_and(|last| last.is_followed);
    let entries = placed.into_iter().map(|placed| placed.entry).collect();
    Ok((entries, has_next))
}

const END: &str = "SELECT coalesce(max(position), 0) FROM read.audit_entries";

/// Returns the position of the last entry. What is read up to there is of one moment, however long it takes: entries come
/// behind it and never change.
///
/// # Errors
/// When the database does not answer.
pub async fn end(executor: impl PgExecutor<'_>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(END).fetch_one(executor).await
}
