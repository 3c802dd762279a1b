//! The reasons of a campaign's lead decisions, once as counted and once as recounted, so that a drift shows.

use aggregates::ids::CampaignId;
use sqlx::PgPool;

use crate::snapshot_of_campaign;

/// One reason, counted twice.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Reason {
    /// The reason; `pending` before the decision.
    pub reason: String,
    /// What the counters say.
    pub counted: i64,
    /// How many rows have it.
    pub rows: i64,
    /// How many of those rows gave a page.
    pub fetched: i64,
}

/// Recounts every row of the campaign: that is what it is asked for. Where the counters of the stretches and those in all are
/// not the same, it is those that are wrong that are told.
const SELECT: &str = "WITH totals AS (SELECT rejection_reason, sum(n)::bigint AS n FROM read.domain_totals \
        WHERE campaign_id = $1 GROUP BY rejection_reason), \
    stretches AS (SELECT rejection_reason, sum(n)::bigint AS n FROM read.domain_counts \
        WHERE campaign_id = $1 GROUP BY rejection_reason), \
    recounted AS (SELECT rejection_reason, count(*) AS n, count(*) FILTER (WHERE http_status = 'ok') AS fetched \
        FROM read.domains WHERE campaign_id = $1 GROUP BY rejection_reason) \
    SELECT rejection_reason AS reason, coalesce(CASE WHEN totals.n IS DISTINCT FROM recounted.n THEN totals.n \
            ELSE stretches.n END, 0) AS counted, coalesce(recounted.n, 0) AS rows, \
        coalesce(recounted.fetched, 0) AS fetched \
    FROM totals FULL JOIN stretches USING (rejection_reason) FULL JOIN recounted USING (rejection_reason) ORDER BY 1";

/// Reads every reason that a domain of the campaign has.
///
/// # Errors
/// When the database does not answer.
pub async fn rejections_of(
    pool: &PgPool,
    campaign_id: CampaignId,
) -> Result<Vec<Reason>, sqlx::Error> {
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let reasons = sqlx::query_as(SELECT)
        .bind(campaign_id.0)
        .fetch_all(&mut *snapshot)
        .await?;
    snapshot.commit().await?;
    Ok(reasons)
}
