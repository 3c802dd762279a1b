//! Figures over a campaign's pages: of the analyzed ones, and of all that were fetched.

use aggregates::ids::CampaignId;
use sqlx::PgPool;

use super::{Counts, counts_of};
use crate::snapshot_of_campaign;

/// A campaign's counters, and what its analyzed domains are like, from one moment. Analyzed is a domain that has a
/// keyword and was scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// The counters.
    pub counts: Counts,
    /// The figures of the analyzed domains.
    pub analyzed: Analyzed,
}

/// What a campaign's analyzed domains are like.
#[derive(Clone, Debug, Default, PartialEq, sqlx::FromRow)]
pub struct Analyzed {
    /// The mean richness, 0 to 1; absent where there is none.
    pub average_richness: Option<f64>,
    /// The median of what the micro-crawl added; absent where there is none.
    pub median_gain: Option<f64>,
    /// Domains with a deduction for stuffing.
    pub stuffing: i64,
    /// Domains that repeat one keyword more than its due.
    pub repetition: i64,
    /// Domains whose finds are mostly link texts.
    pub anchor: i64,
}

/// What counts as repetition and as anchor-heavy is the scoring's own rule, given as $2 and $3. Only scored rows have a
/// richness, and they have an index of their own.
const ANALYZED: &str = "SELECT avg(richness_score) AS average_richness, \
    percentile_cont(0.5) WITHIN GROUP (ORDER BY (features ->> 'gain')::float8) AS median_gain, \
    count(*) FILTER (WHERE (features ->> 'stuffing_penalty')::float8 > 0) AS stuffing, \
    count(*) FILTER (WHERE (features ->> 'repetition')::float8 > $2) AS repetition, \
    count(*) FILTER (WHERE (features ->> 'anchor_share')::float8 > $3) AS anchor \
    FROM read.domains WHERE campaign_id = $1 AND richness_score IS NOT NULL AND keyword_hit AND scored";

/// Computes a campaign's figures.
///
/// # Errors
/// When the database does not answer.
pub async fn metrics_of(pool: &PgPool, campaign_id: CampaignId) -> Result<Metrics, sqlx::Error> {
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let counts = counts_of(&mut *snapshot, campaign_id).await?;
    let analyzed = sqlx::query_as(ANALYZED)
        .bind(campaign_id.0)
        .bind(aggregates::scoring::REPEATED_ABOVE)
        .bind(aggregates::scoring::ANCHORS_ABOVE)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok(Metrics { counts, analyzed })
}

/// What was seen of a campaign's pages, whether they were analyzed or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Pages {
    /// Pages of a parking service, as the lead decision sees it where no threshold is set.
    pub parked: i64,
    /// Pages that were reached through a redirect.
    pub redirected: i64,
}

const PAGES: &str = "SELECT count(*) FILTER (WHERE parked_confidence >= $2::float8::real) AS parked, \
    count(*) FILTER (WHERE (evidence ->> 'redirects')::int > 0) AS redirected \
    FROM read.domains WHERE campaign_id = $1 AND http_status = 'ok'";

/// Counts a campaign's pages; reads every row of the campaign.
///
/// # Errors
/// When the database does not answer.
pub async fn pages_of(pool: &PgPool, campaign_id: CampaignId) -> Result<Pages, sqlx::Error> {
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let pages = sqlx::query_as(PAGES)
        .bind(campaign_id.0)
        .bind(aggregates::lead::Thresholds::default().parked_confidence)
        .fetch_one(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok(pages)
}
