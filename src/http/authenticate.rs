//! Finds the user of a request, or refuses it. In front of every private route.

use aggregates::{Actor, Metadata};
use axum::http::{HeaderMap, header};
use axum::{extract::Request, middleware::Next, response::Response};
use axum_extra::extract::CookieJar;

use super::{
    caller::{Caller, origin},
    error::Error,
    router::State,
    still_in::watched,
};
use crate::auth::{self, Admitted, Credential};

/// The cookie that carries a session's token.
pub const COOKIE: &str = "domainflow_session";

/// Lets a request pass with its [`Caller`], or refuses it with 401.
///
/// # Errors
/// [`Error::Unauthorized`] without a live session or API key, [`Error::TooManyRequests`] for too many of those.
pub async fn authenticate(
    axum::extract::State(state): axum::extract::State<State>,
    mut request: Request,
    next: Next,
) -> Result<Response, Error> {
    if has_key(request.headers()) {
        // A key is looked up, unlike a session's token, which has a signature: not for whoever brought too many wrong ones.
        state.allowances.stranger_may(request.extensions())?;
    }
    let admitted = match admitted(&state, request.headers()).await {
        Ok(admitted) => admitted,
        Err(refused) => {
            // Whoever is nobody is limited as everybody who needs to be nobody.
            state.allowances.stranger(request.extensions())?;
            return Err(refused);
        }
    };
    let origin = origin(request.extensions(), request.headers());
    let metadata = Metadata {
        api_key: match admitted.credential {
            Credential::Session(_) => None,
            Credential::ApiKey(id, _) => Some(id),
        },
        ..origin.metadata(Actor::User(admitted.user_id))
    };
    let caller = Caller {
        user_id: admitted.user_id,
        role: admitted.role,
        credential: admitted.credential,
        metadata,
        request_id: origin.request_id,
    };
    request.extensions_mut().insert(caller);
    watched(&state, admitted, request, next).await
}

/// Finds who a request comes from. A cookie carries a session only: a browser sends it by itself.
async fn admitted(state: &State, headers: &HeaderMap) -> Result<Admitted, Error> {
    let (auth, app) = (&state.auth, &state.app);
    let found = match (bearer(headers), cookie(headers)) {
        (Some(token), _) => auth.bearer(app, token).await?,
        (None, Some(token)) => auth.session(app, &token).await?,
        (None, None) => return Err(Error::Unauthorized("log in first")),
    };
    found.ok_or(Error::Unauthorized("the session or the API key is over"))
}

/// Tells whether a request came with what might be an API key.
fn has_key(headers: &HeaderMap) -> bool {
    bearer(headers).is_some_and(|token| token.starts_with(auth::KEY_PREFIX))
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
