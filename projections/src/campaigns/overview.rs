//! A campaign with the counters of its domains, from one moment.

use aggregates::ids::CampaignId;
use sqlx::PgPool;

use super::{Campaign, by_id};
use crate::{
    domains::{Counts, counts_of},
    snapshot,
};

/// A campaign with the counters of its domains.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The campaign.
    pub campaign: Campaign,
    /// Its counters.
    pub counts: Counts,
}

/// Reads a campaign and its counters in one snapshot.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn overview(
    pool: &PgPool,
    campaign_id: CampaignId,
) -> Result<Option<Overview>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let Some(campaign) = by_id(&mut *snapshot, campaign_id).await? else {
        return Ok(None);
    };
    let counts = counts_of(&mut *snapshot, campaign_id).await?;
    snapshot.commit().await?;
    Ok(Some(Overview { campaign, counts }))
}
