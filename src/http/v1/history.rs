//! The change log of a typed campaign.

use axum::{http::HeaderMap, response::Response};
use uuid::Uuid;

use super::access;
use crate::http::{
    Caller, Error, Path, Query, State,
    campaigns::{HistoryQuery, history_of, views::HistoryResponse},
    vocabulary,
};

/// Answers what happened to a campaign, who did it and when, from where and why, and what it changed.
#[utoipa::path(
    get, path = "/campaigns/{type}/{campaignId}/history", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path), HistoryQuery),
    responses((status = 200, content((HistoryResponse = "application/json"), (String = "text/csv"),
        (String = "application/x-ndjson"))), (status = 404))
)]
pub(super) async fn history(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    headers: HeaderMap,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    Query(asked): Query<HistoryQuery>,
) -> Result<Response, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    access::current(&state, &caller, (campaign_type, id)).await?;
    history_of(&state, caller.whose(), id, asked, &headers).await
}
