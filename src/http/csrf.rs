//! Keeps other sites from sending commands with a user's cookie.
//!
//! A browser adds the cookie to requests that another site causes. What it does not let another site do is to set
//! `X-Requested-With`, `Origin` or `Sec-Fetch-Site`, so one of them must show where a command comes from. A bearer token
//! is never added by a browser and needs no proof. What has the engines send something is a command, whatever its method: a
//! picture in a page of somebody else's would cause it otherwise. An origin that the operator lets in shows itself as `Origin`.

use axum::http::{HeaderMap, Method, header};
use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};

use super::{
    access, authenticate::bearer, error::Error, headers::REQUESTED_WITH, origins::Origins,
};

/// Refuses a command that came with the cookie and without a proof of its origin.
///
/// # Errors
/// [`Error::Foreign`].
pub(super) async fn refuse_foreign_commands(
    State(origins): State<Origins>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let headers = request.headers();
    let is_command = !is_query(request.method()) || access::has_engines_work(path.as_str());
    if !is_command || shows_its_origin(headers) || origins.include(headers) {
        Ok(next.run(request).await)
    } else {
        Err(Error::Foreign)
    }
}

fn is_query(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn shows_its_origin(headers: &HeaderMap) -> bool {
    if bearer(headers).is_some() {
        return true;
    }
    let text =
        |name: &axum::http::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if text(&REQUESTED_WITH).is_some_and(|value| value.eq_ignore_ascii_case("XMLHttpRequest")) {
        return true;
    }
    // The browser's own word goes before the address, which a proxy may have changed.
    if let Some(site) = headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok())
    {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(&header::ORIGIN) else {
        return false;
    };
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority.is_some() && authority == text(&header::HOST)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn allowed(method: &Method, headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|&(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_query(method) || shows_its_origin(&headers)
    }

    #[test]
    fn a_command_with_the_cookie_needs_a_proof_that_no_other_site_can_give() {
        let post = Method::POST;
        let host = ("host", "flow.example:8080");
        assert!(!allowed(&post, &[host]));
        assert!(!allowed(&post, &[host, ("origin", "https://evil.example")]));
        assert!(!allowed(&post, &[host, ("origin", "null")]));
        assert!(!allowed(
            &post,
            &[
                host,
                ("sec-fetch-site", "cross-site"),
                ("origin", "http://flow.example:8080")
            ]
        ));
        assert!(!allowed(&post, &[host, ("sec-fetch-site", "same-site")]));
        assert!(allowed(
            &post,
            &[host, ("origin", "http://flow.example:8080")]
        ));
        assert!(allowed(&post, &[host, ("sec-fetch-site", "same-origin")]));
        assert!(allowed(
            &post,
            &[host, ("x-requested-with", "XMLHttpRequest")]
        ));
        assert!(allowed(&post, &[host, ("authorization", "Bearer x")]));
        assert!(allowed(&Method::GET, &[host]));
        assert!(!allowed(&Method::DELETE, &[host]));
        assert!(!allowed(&Method::PUT, &[]));
    }
}
