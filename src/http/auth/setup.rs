//! `POST /auth/setup`.

use axum::{Extension, extract};
use serde::Deserialize;
use utoipa::ToSchema;

use super::UserPublicResponse;
use crate::{
    auth::{FirstUser, Origin},
    http::{Answer, Error, ErrorEnvelope, Json, State, peer::ClientAddress},
};

/// Who the first user is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetupRequest {
    /// The token that the server told where it was started.
    #[schema(format = "password")]
    token: String,
    /// The mail address to log in with.
    #[schema(format = "email")]
    email: String,
    /// The name, 1 to 64 characters.
    username: String,
    /// The password: at least 8 characters, at most 71 bytes.
    #[schema(format = "password")]
    password: String,
}

/// Makes the first user, an administrator, while there is none.
///
/// The server draws a token whenever it starts without users, and tells it on its standard output. The token is good for a
/// day, and ends with the next start and with the first user.
#[utoipa::path(post, path = "/auth/setup", tag = "auth", request_body = SetupRequest,
    responses((status = 201, body = UserPublicResponse), (status = 400, body = ErrorEnvelope),
        (status = 401, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope), (status = 429, body = ErrorEnvelope)))]
pub(super) async fn set_up(
    extract::State(state): extract::State<State>,
    origin: Origin,
    from: Option<Extension<ClientAddress>>,
    Json(request): Json<SetupRequest>,
) -> Result<Answer<UserPublicResponse>, Error> {
    // By address alone: a limit that all share would let anybody keep the operator out, and the token is not guessed.
    let from = from.map(|Extension(from)| from);
    state.allowances.come_in(from)?;
    let first = FirstUser {
        email: &request.email,
        username: &request.username,
        password: &request.password,
    };
    let (user_id, done) = state
        .auth
        .set_up(&state.app, &request.token, &first, &origin)
        .await?;
    Ok(Answer::created(UserPublicResponse::load(&state.app, user_id).await?).after(&done))
}
