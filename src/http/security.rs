//! What every answer tells a browser not to do with it.
//!
//! The interface answers data: nothing of it may be framed, run, guessed to be of another type, named to other sites or kept
//! by a cache, since what one user reads is not another's. The documentation page runs its own scripts and no others.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::router::BASE;

const CONTENT_SECURITY_POLICY: HeaderName = header::CONTENT_SECURITY_POLICY;
/// For data.
const NOTHING: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
/// For the documentation page: its own scripts, the styles that they set, the pictures in its style sheet, and questions to
/// the interface that it describes.
const OWN: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);
/// A year, as browsers ask before they hold a site to it (RFC 6797).
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers; `over_tls` says that the server is reached over TLS only.
pub(super) async fn with_security_headers(
    State(over_tls): State<bool>,
    request: Request,
    next: Next,
) -> Response {
    let is_page = is_page(request.uri().path());
    let mut response = next.run(request).await;
    add(response.headers_mut(), is_page, over_tls);
    response
}

fn is_page(path: &str) -> bool {
    path.strip_prefix(BASE)
        .is_some_and(|path| path == "/docs" || path.starts_with("/docs/"))
}

fn add(headers: &mut HeaderMap, is_page: bool, over_tls: bool) {
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(CONTENT_SECURITY_POLICY, if is_page { OWN } else { NOTHING });
    if over_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    }
    // A stream says itself how it may be kept.
    if !is_page {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
}
