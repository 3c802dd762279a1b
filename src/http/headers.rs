//! The headers of the interface, and those among them that commands read.

use axum::http::{HeaderName, header};
use axum::{extract::FromRequestParts, http::request::Parts};

use super::error::Error;

/// Names one request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The log's position of a command's last event.
pub const EVENT_CURSOR: HeaderName = HeaderName::from_static("x-event-cursor");
/// Events that the read models are behind, where an answer did not wait for them.
pub const PROJECTION_LAG: HeaderName = HeaderName::from_static("x-projection-lag");
/// How many rows there are where the body is one page of them.
pub const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// The cursor that a query shall have taken in.
pub const READ_AFTER: HeaderName = HeaderName::from_static("x-read-after");
/// Names one command, so that its repeat is not a second one.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-idempotency-key");
/// Says that a script sent the request, which no other site's form can.
pub const REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");

/// The version that an update is for: `If-Match: "<version>"`; nothing where the header is absent or `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub Option<u64>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        text.strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .and_then(|version| version.parse().ok())
            .map(|version| Self(Some(version)))
            .ok_or_else(|| Error::bad("If-Match", "must be the version of an ETag in quotes"))
    }
}
