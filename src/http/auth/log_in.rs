//! `POST /auth/login`.

use axum::{
    Extension,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{UserPublicResponse, cookie};
use crate::{
    auth::Origin,
    http::{Answer, Error, Json, State, peer::ClientAddress},
};

/// Who wants to come in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginRequest {
    /// The mail address of the user.
    #[schema(format = "email")]
    email: String,
    /// The password.
    #[schema(format = "password")]
    password: String,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionResponse {
    /// Who is logged in.
    pub user: UserPublicResponse,
    /// What the cookie holds, for use as a bearer token.
    pub token: String,
    /// When the session ends unless it is used.
    pub expires_at: chrono::DateTime<chrono::Utc>,
}

/// Logs in.
///
/// The answer sets the session cookie and repeats its content as `token`. Too many attempts from one address, or for one
/// account, are 429 with `Retry-After`. Five wrong passwords in a row lock the user
/// out for fifteen minutes: 429 with `Retry-After`.
#[utoipa::path(post, path = "/auth/login", tag = "auth", request_body = LoginRequest,
    responses((status = 200, body = SessionResponse), (status = 400, body = super::super::ErrorEnvelope),
        (status = 401, body = super::super::ErrorEnvelope), (status = 429, body = super::super::ErrorEnvelope)))]
pub(super) async fn log_in(
    axum::extract::State(state): axum::extract::State<State>,
    origin: Origin,
    from: Option<Extension<ClientAddress>>,
    Json(request): Json<LoginRequest>,
) -> Result<Response, Error> {
    state
        .allowances
        .log_in(from.map(|Extension(from)| from), &request.email)?;
    let session = state
        .auth
        .log_in(&state.app, &request.email, &request.password, &origin)
        .await?;
    let body = SessionResponse {
        user: UserPublicResponse::load(&state.app, session.user_id).await?,
        token: session.token,
        expires_at: session.expires_at,
    };
    // The browser keeps it for as long as a session can last; when it ends, the server says.
    let seconds = state.auth.session_longest().as_secs();
    let cookie = cookie(&body.token, seconds, state.auth.secure_cookie());
    let mut response = Answer::ok(body).after(&session.done).into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
