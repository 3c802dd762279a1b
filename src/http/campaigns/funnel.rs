//! The funnel of a campaign.

use aggregates::ids::CampaignId;
use projections::domains::{Counts, counts_of};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    as_of::{self, AsOfQuery},
};
use crate::http::{Answer, Caller, Error, Path, Query, State};

/// How many domains got how far. A lead needs less than a high score, so there may be more leads than high potentials;
/// every other number is at most the one before it.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignFunnelResponse {
    /// Names.
    generated: u64,
    /// Domains with an address.
    dns_valid: u64,
    /// Domains that gave a page.
    http_valid: u64,
    /// Domains whose page has a keyword.
    keyword_hits: u64,
    /// Domains with a keyword that were scored.
    analyzed: u64,
    /// Analyzed domains with a score of at least 80.
    high_potential: u64,
    /// Domains that were decided to be leads.
    leads: u64,
}

impl From<&Counts> for CampaignFunnelResponse {
    fn from(counts: &Counts) -> Self {
        Self {
            generated: counts.generated,
            dns_valid: counts.dns("ok"),
            http_valid: counts.http("ok"),
            keyword_hits: counts.keyword_hits,
            analyzed: counts.analyzed,
            high_potential: counts.high_potential,
            leads: counts.lead("match"),
        }
    }
}

/// Answers the funnel of a campaign, as it is or as it was.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/funnel", tag = "campaigns", params(("campaignId" = Uuid, Path), AsOfQuery),
    responses((status = 200, body = CampaignFunnelResponse), (status = 404),
        (status = 422, description = "it was too large to be computed as it was"))
)]
pub(super) async fn funnel(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(asked): Query<AsOfQuery>,
) -> Result<Answer<CampaignFunnelResponse>, Error> {
    if let Some(as_of) = asked.as_of.as_deref() {
        let overview = as_of::overview(&state, &caller, id, Some(as_of)).await?;
        return Ok(Answer::ok((&overview.counts).into()));
    }
    access::owned(&state, &caller, id).await?;
    let counts = counts_of(state.app.database.pool(), CampaignId(id)).await?;
    Ok(Answer::ok((&counts).into()))
}
