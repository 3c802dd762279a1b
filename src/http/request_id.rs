//! The first middleware of the interface itself: gives every request an id, traces it, and writes the envelope of what went wrong.

use std::{sync::Arc, time::Instant};

use axum::http::{HeaderMap, HeaderValue};
use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use chrono::Utc;
use event_store::describe;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{
    error::{Error, Failure},
    headers::REQUEST_ID,
    v1,
};

/// The longest id that is taken over from a caller, bytes.
const MAX_LENGTH: usize = 128;

/// The id of the request, among its extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub Arc<str>);

/// Runs a request under an id: the caller's when it sent a usable one.
pub async fn with_request_id(mut request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(|| Uuid::now_v7().to_string());
    let header = HeaderValue::try_from(&id).ok();
    let id: Arc<str> = id.into();
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    // At the level of errors, so that it is on their lines whatever else is logged. Events of the request carry its id as
    // their correlation.
    let span =
        tracing::error_span!("request", request.id = &*id, correlation.id = &*id, %method, path);

    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let elapsed_ms = begun.elapsed().as_millis();
    span.in_scope(|| tracing::debug!(status, elapsed_ms, "request answered"));

    if let Some(Failure(error)) = response.extensions_mut().remove::<Failure>() {
        if let Error::Internal(source) = &error {
            span.in_scope(|| tracing::error!(error = %describe(source.as_ref()), "request failed"));
        }
        let is_typed = path
            .strip_prefix(v1::BASE)
            .is_some_and(|rest| rest.starts_with('/'));
        *response.body_mut() = Body::from(match is_typed {
            true => error.field_body(),
            false => error.body(&id, &path, Utc::now()),
        });
    }
    if let Some(header) = header {
        response.headers_mut().insert(REQUEST_ID, header);
    }
    response
}

/// Takes the caller's id over when it can stand in logs and headers as it is.
fn given(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(REQUEST_ID)?.to_str().ok()?;
    let usable = (1..=MAX_LENGTH).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    usable.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_id_that_is_safe_in_a_log_is_taken_over() {
        let of = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(text).unwrap());
            given(&headers)
        };
        assert_eq!(of("web-1:2.3_x"), Some("web-1:2.3_x".to_owned()));
        assert_eq!(of(""), None);
        assert_eq!(of("a b"), None);
        assert_eq!(of("\"}"), None);
        assert_eq!(of(&"x".repeat(129)), None);
    }
}
