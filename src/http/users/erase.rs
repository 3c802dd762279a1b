//! Erasing users.

use aggregates::ids::UserId;
use axum::extract;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;

use super::must_exist;
use crate::{
    auth, erasure,
    http::{Answer, Caller, Error, ErrorEnvelope, Json, Path, State, auth::without_cookie},
};

/// Who wants to be erased proves that it is he.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EraseRequest {
    /// The password.
    #[schema(format = "password")]
    password: String,
}

/// Erases oneself, and deletes everything that one owns.
///
/// Name, mail address, addresses and programs of one's requests read `erased` from now on, in every answer, export and rebuild:
/// what they were sealed under is removed. Sessions and API keys end; campaigns with all that was found, personas, proxies,
/// pools, keyword sets and scoring profiles are deleted. It cannot be undone. 409 for the last administrator, and for a user
/// of whom something was recorded before personal data was sealed.
#[utoipa::path(delete, path = "/me", tag = "users", request_body = EraseRequest,
    responses((status = 204), (status = 400, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(super) async fn erase_oneself(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<EraseRequest>,
) -> Result<Response, Error> {
    let who = (caller.user_id, caller.session()?);
    let erased = state
        .auth
        .erase_oneself(&state.app, who, &request.password, &caller.metadata)
        .await;
    let done = match erased {
        Err(auth::Error::WrongCredentials) => return Err(Error::bad("password", "is wrong")),
        erased => erased?,
    };
    clear_out(&state).await;
    let answer = Answer::no_content().after(&done);
    Ok(without_cookie(&state, answer))
}

/// Erases a user, and deletes everything that he owns; as `DELETE /me` does.
#[utoipa::path(delete, path = "/users/{userId}", tag = "users", params(("userId" = Uuid, Path)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope)))]
pub(super) async fn erase(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<UserId>,
) -> Result<Answer<()>, Error> {
    must_exist(&state, id).await?;
    let done = state.auth.erase(&state.app, id, &caller.metadata).await?;
    clear_out(&state).await;
    Ok(Answer::no_content().after(&done))
}

/// Deletes what the user owned. Where that fails it is left to the server's housekeeping: the user is erased.
async fn clear_out(state: &State) {
    if let Err(error) = erasure::clear_out(&state.app).await {
        tracing::warn!(%error, "what an erased user owned is deleted later");
    }
}
