//! The state resource of a campaign.

use uuid::Uuid;

use super::{access, views::CampaignState};
use crate::http::{Answer, Caller, Error, Path, State};

/// Answers the state of a campaign.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/state", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignState), (status = 404))
)]
pub(super) async fn state(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignState>, Error> {
    let campaign = access::campaign(&state, &caller, id).await?;
    Ok(Answer::ok((&campaign).into()).row_version(campaign.version))
}
