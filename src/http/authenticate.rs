//! Finds the user of a request, or refuses it. In front of every private route.

use aggregates::Actor;
use axum::http::{HeaderMap, header};
use axum::{extract::Request, middleware::Next, response::Response};
use axum_extra::extract::CookieJar;

use super::{
    caller::{Caller, origin},
    error::Error,
    router::State,
};

/// The cookie that carries a session's token.
pub const COOKIE: &str = "domainflow_session";

/// Lets a request pass with its [`Caller`], or refuses it with 401.
///
/// # Errors
/// [`Error::Unauthorized`] without a live session.
pub async fn authenticate(
    axum::extract::State(state): axum::extract::State<State>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    let token = token(request.headers()).ok_or(Error::Unauthorized("log in first"))?;
    let session = state
        .auth
        .session(&state.app, &token)
        .await?
        .ok_or(Error::Unauthorized("the session is over"))?;
    let origin = origin(request.extensions(), request.headers());
    let caller = Caller {
        user_id: session.user_id,
        role: session.role,
        session_id: session.session_id,
        metadata: origin.metadata(Actor::User(session.user_id)),
        request_id: origin.request_id,
    };
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Returns the token that a request came with.
pub(super) fn token(headers: &HeaderMap) -> Option<String> {
    bearer(headers)
        .map(str::to_owned)
        .or_else(|| cookie(headers))
}

/// Returns the token of `Authorization: Bearer`; it goes before the cookie.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    Some(
        CookieJar::from_headers(headers)
            .get(COOKIE)?
            .value()
            .to_owned(),
    )
}
