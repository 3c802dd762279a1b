//! The caller's campaigns that have names of a pattern.

use std::{cmp::Reverse, collections::BTreeMap};

use aggregates::{
    campaign::Status,
    ids::CampaignId,
    pattern::{Pattern, Range},
};
use chrono::{DateTime, Utc};
use projections::{
    campaigns::{self, Campaign},
    domains::{self, Counts},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::{Caller, Error, State, vocabulary};

/// Campaigns that are shown at most.
const SHOWN: usize = 10;

/// A campaign that has names of the pattern.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryLineageCampaign {
    /// Its id.
    id: Uuid,
    /// Its name.
    name: String,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// The offsets that it has.
    offset_range: OffsetRange,
    /// What came of them.
    stats: LineageStats,
}

/// Offsets of a pattern.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct OffsetRange {
    /// The first.
    start: u64,
    /// The first after the last.
    end: u64,
}

/// What came of a campaign's names.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineageStats {
    /// Names.
    domains_generated: u64,
    /// Domains with an address.
    dns_valid: u64,
    /// Domains whose page has a keyword.
    keyword_matches: u64,
    /// Leads.
    leads: u64,
    /// `pending`, `partial`, `complete` or `degraded`.
    #[schema(value_type = vocabulary::LineageCompleteness)]
    completeness: &'static str,
}

/// Lists the campaigns that the caller reaches among those that have ranges of a pattern, the newest ranges first, without the one that is
/// asked about. One that has several ranges is shown with the span from the first to the last.
pub(super) async fn prior_campaigns(
    state: &State,
    caller: &Caller,
    pattern: &Pattern,
    besides: Option<CampaignId>,
) -> Result<Vec<DiscoveryLineageCampaign>, Error> {
    let pool = state.app.database.pool();
    let mut spans = BTreeMap::new();
    for given in pattern.ranges() {
        let span: &mut Range = spans.entry(given.campaign_id.0).or_insert(given.range);
        span.count = given.range.end().saturating_sub(span.start);
    }
    if let Some(campaign_id) = besides {
        spans.remove(&campaign_id.0);
    }
    // Campaigns of one pattern may be very many; those that he reaches are few.
    let given: Vec<Uuid> = spans.keys().copied().collect();
    let found = campaigns::of_owner_among(pool, caller.whose(), &given).await?;
    let mut found: Vec<(Campaign, Range)> = found
        .into_iter()
        .filter_map(|campaign| {
            let range = spans.remove(&campaign.campaign_id.0)?;
            Some((campaign, range))
        })
        .collect();
    found.sort_by_key(|(_, range)| Reverse(range.end()));
    found.truncate(SHOWN);
    let ids: Vec<_> = found
        .iter()
        .map(|(campaign, _)| campaign.campaign_id)
        .collect();
    let counts = domains::counts_of_many(pool, &ids).await?;
    let none = Counts::default();
    let lineage = found
        .into_iter()
        .map(|(campaign, range)| DiscoveryLineageCampaign {
            stats: LineageStats::of(
                &campaign,
                counts.get(&campaign.campaign_id).unwrap_or(&none),
            ),
            id: campaign.campaign_id.0,
            name: campaign.name,
            created_at: campaign.created_at,
            offset_range: OffsetRange {
                start: range.start,
                end: range.end(),
            },
        });
    Ok(lineage.collect())
}

impl LineageStats {
    fn of(campaign: &Campaign, counts: &Counts) -> Self {
        Self {
            domains_generated: counts.generated,
            dns_valid: counts.dns("ok"),
            keyword_matches: counts.keyword_hits,
            leads: counts.lead("match"),
            completeness: match campaign.status() {
                Status::Draft => "pending",
                Status::Completed => "complete",
                Status::Failed | Status::Cancelled => "degraded",
                Status::Running | Status::Paused => "partial",
            },
        }
    }
}
