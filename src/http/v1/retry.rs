//! Retrying what failed.

use aggregates::campaign::{Campaign, CampaignType};
use projections::domains;
use uuid::Uuid;

use super::{access, view::TypedCampaign};
use crate::http::{
    Answer, Caller, Error, IfMatch, Path, State, campaigns::retry_wanted, vocabulary,
};

/// Checks again the domains that are listed as `failed`, as a new run of the first check that failed for some; all others
/// keep what was found out about them. Names that did not exist (`NXDOMAIN`) may have been registered since, and are
/// asked for again.
#[utoipa::path(
    post, path = "/campaigns/{type}/{campaignId}/retry", tag = "typed campaigns",
    params(("type" = inline(vocabulary::CheckingTypeInPath), Path), ("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = TypedCampaign), (status = 404), (status = 409))
)]
pub(super) async fn retry(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<TypedCampaign>, Error> {
    let campaign_type = checking(&campaign_type)?;
    let found = access::current(&state, &caller, (campaign_type, id)).await?;
    let counts = domains::counts_of(state.app.database.pool(), found.campaign_id).await?;
    let wanted = |campaign: &Campaign| retry_wanted(campaign, &counts);
    let begun = state
        .app
        .begin_run(found.campaign_id, &caller.metadata, expected, wanted);
    access::answer(&state, &begun.await?.done, false).await
}

/// Reads a type of a path that checks names which it is given.
pub(super) fn checking(text: &str) -> Result<CampaignType, Error> {
    match access::campaign_type(text)? {
        found @ (CampaignType::Dns | CampaignType::Http) => Ok(found),
        _ => Err(Error::no_such("operation of this type of campaign", "type")),
    }
}
