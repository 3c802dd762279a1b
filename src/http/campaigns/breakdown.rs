//! The score of one domain, taken apart.

use projections::domains;
use uuid::Uuid;

use super::{access, views::DomainScoreBreakdownResponse};
use crate::http::{Answer, Caller, Error, Path, State};

/// Answers what a domain's score is made of, or why it has none.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/domains/{domain}/score-breakdown", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("domain" = String, Path)),
    responses((status = 200, body = DomainScoreBreakdownResponse), (status = 404))
)]
pub(super) async fn score_breakdown(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, domain)): Path<(Uuid, String)>,
) -> Result<Answer<DomainScoreBreakdownResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    let name = access::domain(&domain)?;
    let row = domains::by_name(state.app.database.pool(), campaign_id, name.as_str())
        .await?
        .ok_or(access::NO_SUCH_DOMAIN)?;
    Ok(Answer::ok(DomainScoreBreakdownResponse::of(
        campaign_id,
        &row,
    )))
}
