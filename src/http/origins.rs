//! Which other origins' scripts may use the interface (CORS, <https://fetch.spec.whatwg.org/#http-cors-protocol>). The cookie
//! is `SameSite=Lax`: browsers send it for origins of the same site, such as another subdomain; others come with a bearer.
//!
//! Each is named by its origin; there is no origin that stands for all, because answers go with the user's cookie.

use std::{str::FromStr, sync::Arc, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::{Origin, Url};

use super::headers::{
    EVENT_CURSOR, IDEMPOTENCY_KEY, PROJECTION_LAG, READ_AFTER, REQUEST_ID, REQUESTED_WITH,
    TOTAL_COUNT,
};

/// How long a browser may keep what it was told about a request beforehand.
const KEPT: Duration = Duration::from_secs(10 * 60);
/// What a stream that goes on is asked with.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The origin of another site, as browsers write it: `https://app.example.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherOrigin(HeaderValue);

impl FromStr for OtherOrigin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "must be one origin, such as https://app.example.com or http://localhost:3000";
        let url = Url::parse(text.trim()).map_err(|_| WRONG)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let named = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !bare || !named {
            return Err(WRONG);
        }
        match url.origin() {
            origin @ Origin::Tuple(..) => HeaderValue::try_from(origin.ascii_serialization())
                .map(Self)
                .map_err(|_| WRONG),
            Origin::Opaque(_) => Err(WRONG),
        }
    }
}

/// The origins that are let in. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[HeaderValue]>);

impl FromIterator<OtherOrigin> for Origins {
    fn from_iter<T: IntoIterator<Item = OtherOrigin>>(origins: T) -> Self {
        Self(origins.into_iter().map(|origin| origin.0).collect())
    }
}

impl Origins {
    /// Tells whether a request comes from one of them.
    pub(super) fn include(&self, headers: &HeaderMap) -> bool {
        headers
            .get(header::ORIGIN)
            .is_some_and(|origin| self.0.contains(origin))
    }

    /// Makes the layer that answers browsers; nothing where there is none to let in.
    pub(super) fn layer(&self) -> Option<CorsLayer> {
        if self.0.is_empty() {
            return None;
        }
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.0.iter().cloned()))
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                IDEMPOTENCY_KEY,
                LAST_EVENT_ID,
                READ_AFTER,
                REQUESTED_WITH,
                REQUEST_ID,
            ])
            .expose_headers([
                header::ETAG,
                header::CONTENT_DISPOSITION,
                header::RETRY_AFTER,
                EVENT_CURSOR,
                PROJECTION_LAG,
                REQUEST_ID,
                TOTAL_COUNT,
            ])
            .max_age(KEPT);
        Some(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_one_site_and_never_all() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://APP.example.com:443/", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(text.parse::<OtherOrigin>().unwrap().0, origin, "{text}");
        }
        for text in [
            "*",
            "",
            "null",
            "app.example.com",
            "file:///x",
            "https://a.example/path",
            "https://u@a.example",
        ] {
            assert!(text.parse::<OtherOrigin>().is_err(), "{text}");
        }
    }
}
