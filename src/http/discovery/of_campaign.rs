//! Which part of its pattern a campaign has, and which campaigns have others.

use aggregates::{
    campaign::{Phase, PhaseConfig, Source},
    names,
    pattern::{Pattern, Range},
};
use projections::campaigns::Campaign;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::lineage::{DiscoveryLineageCampaign, prior_campaigns};
use crate::http::{Answer, Caller, Error, Path, State, campaigns};

/// Which part of its pattern a campaign has.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryLineageResponse {
    /// Always true.
    #[schema(default = true)]
    success: bool,
    /// The request's id.
    request_id: String,
    /// The lineage.
    data: DiscoveryLineage,
}

/// A campaign among those of its pattern.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryLineage {
    /// The pattern's hash; campaigns with the same one share its names.
    config_hash: String,
    /// From the first to the last offset of this campaign.
    this_campaign: LineageRange,
    /// The caller's other campaigns that have names of the pattern, the newest first, ten at most.
    prior_campaigns: Vec<DiscoveryLineageCampaign>,
}

/// Offsets of a pattern.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LineageRange {
    /// The first; where the campaign has none yet, the one that it would begin with now.
    offset_start: i64,
    /// The first after the last; the same as the first where the campaign has none yet.
    offset_end: i64,
}

impl From<Range> for LineageRange {
    fn from(range: Range) -> Self {
        let wire = |offset| i64::try_from(offset).unwrap_or(i64::MAX);
        Self {
            offset_start: wire(range.start),
            offset_end: wire(range.end()),
        }
    }
}

/// The pattern that a campaign's names come from.
fn pattern_of(campaign: &Campaign) -> Option<names::Pattern> {
    let stored = campaign.phase(Phase::Discovery).config?;
    match serde_json::from_value(stored).ok()? {
        PhaseConfig::Discovery {
            source: Source::Pattern { pattern, .. },
        } => Some(pattern),
        _ => None,
    }
}

/// Answers which part of its pattern a campaign has, and which campaigns have others.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/discovery-lineage", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = DiscoveryLineageResponse), (status = 404))
)]
pub(super) async fn discovery_lineage(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<DiscoveryLineageResponse>, Error> {
    let campaign = campaigns::campaign(&state, &caller, id).await?;
    let pattern = pattern_of(&campaign).ok_or(NO_PATTERN)?;
    let config_hash = pattern.hash();
    let log = state.app.database.log();
    let (used, _) = log
        .load::<Pattern>(&config_hash)
        .await
        .map_err(Error::internal)?;
    let none_yet = Range {
        start: used.next_offset(),
        count: 0,
    };
    let data = DiscoveryLineage {
        this_campaign: used
            .span_of(campaign.campaign_id)
            .unwrap_or(none_yet)
            .into(),
        prior_campaigns: prior_campaigns(&state, &caller, &used, Some(campaign.campaign_id))
            .await?,
        config_hash,
    };
    Ok(Answer::ok(DiscoveryLineageResponse {
        success: true,
        request_id: caller.request_id.to_string(),
        data,
    }))
}

/// What is answered where a campaign's names were given to it one by one.
const NO_PATTERN: Error = Error::no_such("name pattern of this campaign", "campaignId");
