//! Deleting a campaign.

use aggregates::campaign::{Command, Delete};
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, IfMatch, Path, State};

/// Deletes a campaign; a run under way ends first. What happened stays in the log.
#[utoipa::path(
    delete, path = "/campaigns/{campaignId}", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 204), (status = 404), (status = 412))
)]
pub(super) async fn delete(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
) -> Result<Answer<()>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let command = Command::Delete(Delete {});
    let done = access::execute(&state, &caller, id, command, expected).await?;
    Ok(Answer::no_content().after(&done))
}
