//! Figures over a campaign's analyzed domains, computed from the rows each time they are asked for.

use aggregates::ids::CampaignId;
use sqlx::PgPool;

/// The figures, all from one moment. Analyzed is a domain that has a keyword and was scored.
#[derive(Clone, Debug, Default, PartialEq, sqlx::FromRow)]
pub struct Metrics {
    /// Analyzed domains.
    pub analyzed: i64,
    /// Analyzed domains with a score of at least 0.80.
    pub high_potential: i64,
    /// Domains that were decided to be leads.
    pub leads: i64,
    /// Domains that gave a page.
    pub fetched: i64,
    /// Domains whose page has a keyword.
    pub keyword_hits: i64,
    /// Domains whose page is a parking service's, as the lead decision sees it where no threshold is set.
    pub parked: i64,
    /// Domains whose page was reached through a redirect.
    pub redirected: i64,
    /// The mean richness of analyzed domains, 0 to 1; absent where there is none.
    pub average_richness: Option<f64>,
    /// The median of what the micro-crawl added to analyzed domains; absent where there is none.
    pub median_gain: Option<f64>,
    /// Analyzed domains with a warning.
    pub warned: i64,
    /// Analyzed domains with a deduction for stuffing.
    pub stuffing: i64,
    /// Analyzed domains that repeat one keyword more than its due.
    pub repetition: i64,
    /// Analyzed domains whose finds are mostly link texts.
    pub anchor: i64,
}

/// What counts as repetition and as anchor-heavy is the scoring's own rule, given as $2 and $3.
const SELECT: &str = "SELECT count(*) FILTER (WHERE analyzed) AS analyzed, \
    count(*) FILTER (WHERE analyzed AND high_potential) AS high_potential, \
    count(*) FILTER (WHERE lead_status = 'match') AS leads, \
    count(*) FILTER (WHERE http_status = 'ok') AS fetched, \
    count(*) FILTER (WHERE keyword_hit) AS keyword_hits, \
    count(*) FILTER (WHERE http_status = 'ok' AND parked_confidence >= $4::float8::real) AS parked, \
    count(*) FILTER (WHERE http_status = 'ok' AND (evidence ->> 'redirects')::int > 0) AS redirected, \
    avg(richness_score) FILTER (WHERE analyzed) AS average_richness, \
    percentile_cont(0.5) WITHIN GROUP (ORDER BY (features ->> 'gain')::float8) \
        FILTER (WHERE analyzed) AS median_gain, \
    count(*) FILTER (WHERE analyzed AND warned) AS warned, \
    count(*) FILTER (WHERE analyzed AND (features ->> 'stuffing_penalty')::float8 > 0) AS stuffing, \
    count(*) FILTER (WHERE analyzed AND (features ->> 'repetition')::float8 > $2) AS repetition, \
    count(*) FILTER (WHERE analyzed AND (features ->> 'anchor_share')::float8 > $3) AS anchor \
    FROM (SELECT *, keyword_hit AND scored AS analyzed FROM read.domains WHERE campaign_id = $1) d";

/// Computes a campaign's figures.
///
/// # Errors
/// When the database does not answer.
pub async fn metrics_of(pool: &PgPool, campaign_id: CampaignId) -> Result<Metrics, sqlx::Error> {
    sqlx::query_as(SELECT)
        .bind(campaign_id.0)
        .bind(aggregates::scoring::REPEATED_ABOVE)
        .bind(aggregates::scoring::ANCHORS_ABOVE)
        .bind(aggregates::lead::Thresholds::default().parked_confidence)
        .fetch_one(pool)
        .await
}
