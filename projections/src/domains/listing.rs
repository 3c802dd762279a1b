//! A page of a campaign's domains with its total and the campaign's counters, all from one moment.

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, PgPool};

use super::{Counts, Filter, Listed, Page, counts::counts_in, pages::Reader, stretches::Stretches};
use crate::{snapshot, snapshot_of_campaign, tables::Tables};

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
    let listing = listing_in(&mut snapshot, Tables::Live, campaign_id, filter, &one_more).await?;
    snapshot.commit().await?;
    Ok(listing)
}

/// Reads a page, its total and the campaign's counters in the caller's transaction.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn listing_in(
    connection: &mut PgConnection,
    tables: Tables,
    campaign_id: CampaignId,
    filter: &Filter,
    wanted: &Page,
) -> Result<Listing, sqlx::Error> {
    let counts = counts_in(&mut *connection, tables, campaign_id).await?;
    let matching = Stretches::exact(connection, tables, campaign_id, filter).await?;
    let reader = Reader {
        connection,
        tables,
        campaign_id,
        filter,
    };
    let rows = reader.page(wanted, Some(&matching)).await?;
    Ok(Listing {
        rows,
        total: matching.total(),
        counts,
    })
}

/// Reads a page of a campaign's domains, in one snapshot.
///
/// # Errors
/// When the database does not answer.
pub async fn page(
    pool: &PgPool,
    campaign_id: CampaignId,
    filter: &Filter,
    wanted: &Page,
) -> Result<Vec<Listed>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let reader = Reader {
        connection: &mut snapshot,
        tables: Tables::Live,
        campaign_id,
        filter,
    };
    let rows = reader.page(wanted, None).await?;
    snapshot.commit().await?;
    Ok(rows)
}
