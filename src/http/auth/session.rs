//! Ending and prolonging a session, and changing the password.

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{UserPublicResponse, cookie, log_in::SessionResponse};
use crate::{
    auth,
    http::{Answer, Caller, Error, Json, State, authenticate},
};

/// The old password and the new.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ChangePasswordRequest {
    /// The password so far.
    #[schema(format = "password")]
    old_password: String,
    /// The password from now on: at least 8 characters, at most 71 bytes.
    #[schema(format = "password")]
    new_password: String,
}

/// A sentence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MessageResponse {
    /// The sentence.
    pub message: &'static str,
}

/// Logs out: the session and its streams end.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204)))]
pub(super) async fn log_out(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
) -> Result<Response, Error> {
    let done = state
        .auth
        .log_out(
            &state.app,
            caller.user_id,
            caller.session()?,
            &caller.metadata,
        )
        .await?;
    let answer = Answer::no_content();
    let answer = match done {
        Some(done) => answer.after(&done),
        None => answer,
    };
    Ok(without_cookie(&state, answer))
}

/// Removes the session's cookie with an answer.
pub(in crate::http) fn without_cookie(state: &State, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Some(cookie) = cookie("", 0, state.auth.secure_cookie()) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Prolongs the session, as every use of it does, and says when it ends. The token stays.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", responses((status = 200, body = SessionResponse)))]
pub(super) async fn refresh(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let over = Error::Unauthorized("the session is over");
    let token = authenticate::token(&headers).ok_or_else(|| over.clone())?;
    let expires_at = state
        .auth
        .prolong(&state.app, caller.session()?)
        .await?
        .ok_or(over)?;
    let seconds = state.auth.session_longest().as_secs();
    let cookie = cookie(&token, seconds, state.auth.secure_cookie());
    let user = UserPublicResponse::load(&state.app, caller.user_id).await?;
    let mut response = Answer::ok(SessionResponse {
        user,
        token,
        expires_at,
    })
    .into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Changes the password; every session of the user ends, this one too, and the answer removes its cookie.
#[utoipa::path(post, path = "/auth/change-password", tag = "auth", request_body = ChangePasswordRequest,
    responses((status = 200, body = MessageResponse), (status = 400, body = super::super::ErrorEnvelope)))]
pub(super) async fn change_password(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Json(request): Json<ChangePasswordRequest>,
) -> Result<Response, Error> {
    let passwords = (request.old_password.as_str(), request.new_password.as_str());
    let changed = state
        .auth
        .change_password(
            &state.app,
            (caller.user_id, caller.session()?),
            passwords,
            &caller.metadata,
        )
        .await;
    match changed {
        Ok(done) => {
            let message = "the password was changed; log in with the new one";
            let answer = Answer::ok(MessageResponse { message }).after(&done);
            Ok(without_cookie(&state, answer))
        }
        Err(auth::Error::WrongCredentials) => Err(Error::bad("oldPassword", "is wrong")),
        Err(auth::Error::UnusablePassword(message)) => Err(Error::bad("newPassword", message)),
        Err(other) => Err(other.into()),
    }
}

/// Changes the password; the same as `/auth/change-password`.
#[utoipa::path(post, path = "/change-password", tag = "auth", request_body = ChangePasswordRequest,
    responses((status = 200, body = MessageResponse), (status = 400, body = super::super::ErrorEnvelope)))]
pub(super) async fn change_password_alias(
    state: axum::extract::State<State>,
    caller: Caller,
    request: Json<ChangePasswordRequest>,
) -> Result<Response, Error> {
    change_password(state, caller, request).await
}
