//! Campaigns with what is shown beside them, from one moment.

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, PgPool};

use super::{Campaign, by_id};
use crate::{
    audit::{self, Entry},
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

/// A campaign with its counters and what happened to it last.
#[derive(Clone, Debug)]
pub struct Recent {
    /// The campaign and its counters.
    pub overview: Overview,
    /// The audit trail's last entries, the newest first.
    pub entries: Vec<Entry>,
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
    let overview = overview_in(&mut snapshot, campaign_id).await?;
    snapshot.commit().await?;
    Ok(overview)
}

/// Reads a campaign, its counters and its last entries of the audit trail with these actions in one snapshot.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn recent(
    pool: &PgPool,
    campaign_id: CampaignId,
    actions: &[&str],
    limit: i64,
) -> Result<Option<Recent>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    let Some(overview) = overview_in(&mut snapshot, campaign_id).await? else {
        return Ok(None);
    };
    let stream = campaign_id.to_string();
    let entries =
        audit::latest_of_resource(&mut *snapshot, "campaign", &stream, actions, limit).await?;
    snapshot.commit().await?;
    Ok(Some(Recent { overview, entries }))
}

async fn overview_in(
    snapshot: &mut PgConnection,
    campaign_id: CampaignId,
) -> Result<Option<Overview>, sqlx::Error> {
    let Some(campaign) = by_id(&mut *snapshot, campaign_id).await? else {
        return Ok(None);
    };
    let counts = counts_of(snapshot, campaign_id).await?;
    Ok(Some(Overview { campaign, counts }))
}
