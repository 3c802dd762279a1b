//! The change log of a typed campaign.

use uuid::Uuid;

use super::access;
use crate::http::{
    Answer, Caller, Error, Path, Query, State,
    campaigns::{HistoryQuery, history_of, views::HistoryResponse},
    vocabulary,
};

/// Answers what happened to a campaign, who did it and when, the oldest entries first.
#[utoipa::path(
    get, path = "/campaigns/{type}/{campaignId}/history", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path), HistoryQuery),
    responses((status = 200, body = HistoryResponse), (status = 404))
)]
pub(super) async fn history(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    Query(wanted): Query<HistoryQuery>,
) -> Result<Answer<HistoryResponse>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    access::current(&state, &caller, (campaign_type, id)).await?;
    Ok(Answer::ok(history_of(&state, id, wanted).await?))
}
