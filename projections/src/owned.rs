//! How much users own.

use aggregates::ids::UserId;
use sqlx::PgPool;

/// What a user can own many of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Campaigns of all types.
    Campaigns,
    /// Keyword sets.
    KeywordSets,
    /// Personas of both types.
    Personas,
    /// Proxies.
    Proxies,
    /// Pools of proxies.
    ProxyPools,
    /// Scoring profiles.
    ScoringProfiles,
}

impl Kind {
    /// Finds whether there is one behind so many, by an index and no further.
    const fn statement(self) -> &'static str {
        match self {
            Self::Campaigns => {
                "SELECT EXISTS (SELECT FROM read.campaigns WHERE owner = $1 OFFSET $2)"
            }
            Self::KeywordSets => {
                "SELECT EXISTS (SELECT FROM read.keyword_sets WHERE owner = $1 OFFSET $2)"
            }
            Self::Personas => {
                "SELECT EXISTS (SELECT FROM read.personas WHERE owner = $1 OFFSET $2)"
            }
            Self::Proxies => "SELECT EXISTS (SELECT FROM read.proxies WHERE owner = $1 OFFSET $2)",
            Self::ProxyPools => {
                "SELECT EXISTS (SELECT FROM read.proxy_pools WHERE owner = $1 OFFSET $2)"
            }
            Self::ScoringProfiles => {
                "SELECT EXISTS (SELECT FROM read.scoring_profiles WHERE owner = $1 OFFSET $2)"
            }
        }
    }
}

/// Tells whether a user owns at least so many, as far as the read models are.
///
/// # Errors
/// When the database does not answer.
pub async fn owns(pool: &PgPool, user: UserId, kind: Kind, many: u32) -> Result<bool, sqlx::Error> {
    let Some(others) = many.checked_sub(1) else {
        return Ok(true);
    };
    sqlx::query_scalar(kind.statement())
        .bind(user.0)
        .bind(i64::from(others))
        .fetch_one(pool)
        .await
}
