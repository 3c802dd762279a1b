//! What one user owns, over all read models: for him who wants to have it, and for whoever deletes it when he is erased.

use aggregates::ids::UserId;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use sqlx::{FromRow, PgPool, types::Json};
use uuid::Uuid;

/// What users own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Campaigns, with what was found.
    Campaigns,
    /// Proxy pools.
    ProxyPools,
    /// Proxies.
    Proxies,
    /// Personas.
    Personas,
    /// Keyword sets.
    KeywordSets,
    /// Scoring profiles.
    ScoringProfiles,
}

macro_rules! of_erased {
    ($table:literal, $id:literal) => {
        concat!(
            "SELECT o.",
            $id,
            " FROM read.",
            $table,
            " o JOIN personal_keys k ON k.person = o.owner \
             WHERE k.erased_at IS NOT NULL AND o.",
            $id,
            " > $1 ORDER BY o.",
            $id,
            " LIMIT $2"
        )
    };
}

/// The rows of the first of these places, in their order: all of them, or those up to the first that brings them to 8 MiB as
/// text. Each place is a step, so that only rows that are given are measured.
macro_rules! measured {
    ($places:expr, $order:literal, $row:expr) => {
        concat!(
            "WITH RECURSIVE places AS (SELECT array_agg(id ORDER BY ",
            $order,
            ") AS ids FROM (",
            $places,
            ") place), \
             page AS (SELECT 1 AS nth, ids[1] AS id, 0::bigint AS bytes FROM places WHERE ids IS NOT NULL \
             UNION ALL SELECT page.nth + 1, (SELECT ids FROM places)[page.nth + 1], page.bytes + octet_length(held.row::text) \
             FROM page CROSS JOIN LATERAL (",
            $row,
            ") held WHERE page.nth < (SELECT cardinality(ids) FROM places) \
             AND page.bytes + octet_length(held.row::text) < 8388608) \
             SELECT held.* FROM page CROSS JOIN LATERAL (",
            $row,
            ") held ORDER BY page.nth"
        )
    };
}

macro_rules! rows_of {
    ($table:literal, $id:literal) => {
        measured!(
            concat!(
                "SELECT created_at, ",
                $id,
                " AS id FROM read.",
                $table,
                " WHERE owner = $1 AND (created_at, ",
                $id,
                ") > ($2, $3) ORDER BY created_at, ",
                $id,
                " LIMIT $4"
            ),
            "created_at, id",
            concat!(
                "SELECT created_at, ",
                $id,
                " AS id, to_jsonb(o) AS row FROM read.",
                $table,
                " o WHERE ",
                $id,
                " = page.id LIMIT 1"
            )
        )
    };
}

impl Kind {
    /// All of them, in an order in which they can be deleted.
    pub const ALL: [Self; 6] = [
        Self::Campaigns,
        Self::ProxyPools,
        Self::Proxies,
        Self::Personas,
        Self::KeywordSets,
        Self::ScoringProfiles,
    ];

    /// Returns its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Campaigns => "campaigns",
            Self::ProxyPools => "proxyPools",
            Self::Proxies => "proxies",
            Self::Personas => "personas",
            Self::KeywordSets => "keywordSets",
            Self::ScoringProfiles => "scoringProfiles",
        }
    }

    const fn of_erased(self) -> &'static str {
        match self {
            Self::Campaigns => of_erased!("campaigns", "campaign_id"),
            Self::ProxyPools => of_erased!("proxy_pools", "pool_id"),
            Self::Proxies => of_erased!("proxies", "proxy_id"),
            Self::Personas => of_erased!("personas", "persona_id"),
            Self::KeywordSets => of_erased!("keyword_sets", "keyword_set_id"),
            Self::ScoringProfiles => of_erased!("scoring_profiles", "scoring_profile_id"),
        }
    }

    const fn rows(self) -> &'static str {
        match self {
            Self::Campaigns => rows_of!("campaigns", "campaign_id"),
            Self::ProxyPools => rows_of!("proxy_pools", "pool_id"),
            Self::Proxies => rows_of!("proxies", "proxy_id"),
            Self::Personas => rows_of!("personas", "persona_id"),
            Self::KeywordSets => rows_of!("keyword_sets", "keyword_set_id"),
            Self::ScoringProfiles => rows_of!("scoring_profiles", "scoring_profile_id"),
        }
    }
}

/// Lists objects of erased users after one of them, at most so many.
///
/// # Errors
/// When the database does not answer.
pub async fn of_erased(
    pool: &PgPool,
    kind: Kind,
    after: Uuid,
    limit: i64,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(kind.of_erased())
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await
}

/// An object as its read model has it, with every column.
#[derive(Debug, FromRow)]
pub struct Held {
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its id.
    pub id: Uuid,
    /// Everything that is known of it.
    pub row: Json<Box<RawValue>>,
}

/// Where a list goes on: after what was made then.
pub type After = (DateTime<Utc>, Uuid);

/// Lists objects of a user after one of them, the oldest first: at most so many, and fewer where they are long. None where
/// there are no more.
///
/// # Errors
/// When the database does not answer.
pub async fn of_user(
    pool: &PgPool,
    kind: Kind,
    owner: UserId,
    (time, id): After,
    limit: i64,
) -> Result<Vec<Held>, sqlx::Error> {
    sqlx::query_as(kind.rows())
        .bind(owner.0)
        .bind(time)
        .bind(id)
        .bind(limit)
        .fetch_all(pool)
        .await
}

/// What he did, and what was done to his account; from where and with what other users did it is theirs.
const ACTIONS: &str = measured!(
    "SELECT position AS id FROM ((SELECT position FROM read.audit_entries WHERE actor = 'user:' || $1 AND position > $2 \
         ORDER BY position LIMIT $3) \
     UNION (SELECT position FROM read.audit_entries WHERE resource_type = 'user' AND resource_id = $1 AND position > $2 \
         ORDER BY position LIMIT $3)) his ORDER BY position LIMIT $3",
    "id",
    "SELECT position, to_jsonb(a) - CASE WHEN actor LIKE 'user:%' AND actor <> 'user:' || $1 \
         THEN ARRAY['ip', 'user_agent', 'api_key', 'idempotency'] ELSE ARRAY[]::text[] END AS row \
     FROM read.audit_entries a WHERE position = page.id LIMIT 1"
);

/// An entry of the audit trail with every column; without `ip`, `user_agent`, `api_key` and `idempotency` where another user
/// did it.
#[derive(Debug, FromRow)]
pub struct Action {
    /// The event's position.
    pub position: i64,
    /// Everything that is told of it.
    pub row: Json<Box<RawValue>>,
}

/// Lists what a user did and what was done to his account, after a position: at most so many, and fewer where they are long.
/// None where there are no more.
///
/// # Errors
/// When the database does not answer.
pub async fn actions_of(
    pool: &PgPool,
    user: UserId,
    after: i64,
    limit: i64,
) -> Result<Vec<Action>, sqlx::Error> {
    sqlx::query_as(ACTIONS)
        .bind(user.to_string())
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await
}
