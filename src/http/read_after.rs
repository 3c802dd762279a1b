//! Reading one's writes on any node: a query with `X-Read-After: <cursor>` waits until the read models show it.

use axum::http::HeaderValue;
use axum::{extract::Request, middleware::Next, response::Response};
use event_store::Position;

use super::{
    error::Error,
    headers::{PROJECTION_LAG, READ_AFTER},
    router::State,
};
use crate::commands::READ_MODELS_WAIT;

/// Waits for the cursor that a request names; past the limit it goes on, and the answer says how far it is behind.
///
/// # Errors
/// [`Error::BadRequest`] where the header is no cursor.
pub async fn wait_for_cursor(
    axum::extract::State(state): axum::extract::State<State>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let Some(value) = request.headers().get(READ_AFTER) else {
        return Ok(next.run(request).await);
    };
    let cursor: Position = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| Error::bad("X-Read-After", "must be the value of an X-Event-Cursor"))?;
    let lag = state
        .app
        .runtime
        .wait_for(cursor, READ_MODELS_WAIT)
        .await
        .err();
    let mut response = next.run(request).await;
    if let Some(lag) = lag {
        response
            .headers_mut()
            .insert(PROJECTION_LAG, HeaderValue::from(lag.behind));
    }
    Ok(response)
}
