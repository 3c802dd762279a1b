//! A page of a campaign's domains with its total and the campaign's counters, all from one moment.

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, PgExecutor, PgPool};

use super::{Counts, Filter, Listed, Page, counts_of, page, total};
use crate::{snapshot, snapshot_of_campaign};

/// A page with what belongs to it.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The rows of the page, and one more where there is a next page.
    pub rows: Vec<Listed>,
    /// How many domains the filter lets through.
    pub total: i64,
    /// The counters of the whole campaign.
    pub counts: Counts,
}

/// Reads a page, its total and the campaign's counters in one snapshot. One row more than the page's limit is read,
/// so that the caller sees whether there is a next page.
///
/// # Errors
/// When the database does not answer.
pub async fn listing(
    pool: &PgPool,
    campaign_id: CampaignId,
    filter: &Filter,
    wanted: &Page,
) -> Result<Listing, sqlx::Error> {
    // Conditions that the counters do not keep apart are counted over the campaign's rows.
    let mut snapshot = snapshot_of_campaign(pool).await?;
    let one_more = Page {
        limit: wanted.limit.saturating_add(1),
        ..wanted.clone()
    };
    let counts = counts_of(&mut *snapshot, campaign_id).await?;
    let total = if filter.is_counted() {
        counted_total(&mut *snapshot, campaign_id, filter).await?
    } else {
        total(&mut *snapshot, campaign_id, filter).await?
    };
    let rows = page_in_order(&mut snapshot, campaign_id, filter, &one_more).await?;
    snapshot.commit().await?;
    Ok(Listing {
        rows,
        total,
        counts,
    })
}

/// Reads a page in a transaction of its own: as [`page`], with a plan that follows the index whatever the statistics say.
///
/// # Errors
/// When the database does not answer.
pub async fn next_page(
    pool: &PgPool,
    campaign_id: CampaignId,
    filter: &Filter,
    wanted: &Page,
) -> Result<Vec<Listed>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let rows = page_in_order(&mut snapshot, campaign_id, filter, wanted).await?;
    snapshot.commit().await?;
    Ok(rows)
}

/// For this transaction. A table that grew by a million rows a moment ago has no statistics yet, and the planner, who
/// then takes a campaign, or what a filter leaves of it, for small, would fetch and sort all of it for every page.
pub(super) const FOLLOW_THE_INDEX: &str = "SELECT set_config('enable_bitmapscan', 'off', true), \
    set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), \
    set_config('enable_incremental_sort', 'off', true)";

async fn page_in_order(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    filter: &Filter,
    wanted: &Page,
) -> Result<Vec<Listed>, sqlx::Error> {
    sqlx::query(FOLLOW_THE_INDEX)
        .execute(&mut *connection)
        .await?;
    page(connection, campaign_id, filter, wanted).await
}

const COUNTED_TOTAL: &str = "SELECT coalesce(sum(n), 0)::bigint FROM read.domain_counts WHERE campaign_id = $1 \
    AND ($2::text IS NULL OR dns_status = $2) AND ($3::text IS NULL OR http_status = $3) \
    AND ($4::text IS NULL OR dns_reason = $4) AND ($5::text IS NULL OR http_reason = $5) \
    AND ($6::bool IS NULL OR warned = $6) AND ($7::text[] IS NULL OR rejection_reason = ANY($7)) \
    AND ($8::bool IS NULL OR (dns_status IN ('error', 'timeout') OR http_status IN ('error', 'timeout')) = $8)";

impl Filter {
    /// Tells whether every condition is one that the counters keep apart, so that no domain need be looked at.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.min_score.is_none()
            && self.not_parked.is_none()
            && self.has_contact.is_none()
            && self.keyword.is_none()
    }
}

/// Sums the counters that a filter lets through, which costs the same for ten domains and ten millions.
async fn counted_total(
    executor: impl PgExecutor<'_>,
    campaign_id: CampaignId,
    filter: &Filter,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(COUNTED_TOTAL)
        .bind(campaign_id.0)
        .bind(&filter.dns_status)
        .bind(&filter.http_status)
        .bind(&filter.dns_reason)
        .bind(&filter.http_reason)
        .bind(
            filter
                .warnings
                .map(|warnings| warnings == super::Warnings::Has),
        )
        .bind(&filter.rejection_reasons)
        .bind(filter.failed)
        .fetch_one(executor)
        .await
}
