//! What a fetch tells.

use std::net::SocketAddr;
use std::time::Duration;

use chrono::{DateTime, Utc};
use hyper::header::{HeaderMap, SET_COOKIE};
use url::Url;

use super::fault::{Fault, Reason};
use super::proxy::ProxyId;
use crate::page::Page;

/// Headers that say something about a site, in order. Everything else is not kept.
pub const KEPT_HEADERS: &[&str] = &[
    "cf-ray",
    "content-language",
    "content-security-policy",
    "content-type",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "server",
    "strict-transport-security",
    "via",
    "x-akamai-transformed",
    "x-amz-cf-id",
    "x-application-context",
    "x-aspnet-version",
    "x-aspnetmvc-version",
    "x-azure-ref",
    "x-cache",
    "x-confluence-request-time",
    "x-debug-token",
    "x-drupal-cache",
    "x-drupal-dynamic-cache",
    "x-envoy-upstream-service-time",
    "x-fastly-request-id",
    "x-flow-powered",
    "x-frame-options",
    "x-generator",
    "x-github-request-id",
    "x-gitlab-meta",
    "x-iinfo",
    "x-kinsta-cache",
    "x-litespeed-cache",
    "x-magento-cache-debug",
    "x-mod-pagespeed",
    "x-nf-request-id",
    "x-page-speed",
    "x-pingback",
    "x-powered-by",
    "x-redirect-by",
    "x-render-origin-server",
    "x-robots-tag",
    "x-served-by",
    "x-shopid",
    "x-shopify-stage",
    "x-sucuri-id",
    "x-varnish",
    "x-vercel-id",
    "x-wix-request-id",
];
/// Longest value kept of a header, in characters.
const MAX_VALUE: usize = 512;
/// Names of cookies that are kept.
const MAX_COOKIES: usize = 20;

/// Says how a fetch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer that counts as a success.
    Ok,
    /// With a failure of this kind, which is never [`Reason::Timeout`].
    Error(Reason),
    /// Without an answer in time.
    Timeout,
}

/// Holds what is known after a fetch.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Why it failed; nothing on success.
    pub fault: Option<Fault>,
    /// Status of the last answer.
    pub status: Option<u16>,
    /// Address of the last request.
    pub final_url: Option<Url>,
    /// Addresses that answered with a redirect that was followed, in order.
    pub redirects: Vec<String>,
    /// Headers of the last answer that say something about the site, names in lower case, values up to 512 characters.
    pub headers: Vec<(String, String)>,
    /// Names of the cookies that the last answer set.
    pub cookies: Vec<String>,
    /// Who answered last.
    pub address: Option<SocketAddr>,
    /// Version of HTTP of the last answer: `HTTP/1.1`, `HTTP/2.0`.
    pub http_version: Option<String>,
    /// Version of TLS of the last connection: `TLSv1.2`, `TLSv1.3`.
    pub tls_version: Option<&'static str>,
    /// When the certificate of the last connection expires, or expired.
    pub certificate_expires: Option<DateTime<Utc>>,
    /// SHA-256 of the body in hexadecimal, after decompression and as far as it was read. Only successes have a body.
    pub content_hash: Option<String>,
    /// Bytes of the body, after decompression and as far as it was read.
    pub bytes: usize,
    /// Whether the body is longer than what was read.
    pub truncated: bool,
    /// The proxy that it came through, or that failed last.
    pub proxy: Option<ProxyId>,
    /// How often the page was asked for: once, and once more for each further proxy.
    pub attempts: u32,
    /// Why there was no https, where it was tried before http: reason, code and text.
    pub https_failure: Option<String>,
    /// Time that the network took, without waiting for a turn.
    pub elapsed: Duration,
    /// The page, where the body is one.
    pub page: Option<Page>,
}

impl Report {
    /// Tells how the fetch ended.
    pub fn outcome(&self) -> Outcome {
        match self.reason() {
            None => Outcome::Ok,
            Some(Reason::Timeout) => Outcome::Timeout,
            Some(reason) => Outcome::Error(reason),
        }
    }

    /// Gives the reason of a failure.
    pub fn reason(&self) -> Option<Reason> {
        self.fault.as_ref().map(|fault| fault.reason)
    }

    /// Gives the value of a kept header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn keep_headers(&mut self, headers: &HeaderMap) {
        for name in KEPT_HEADERS {
            if let Some(value) = headers.get(*name) {
                let value = String::from_utf8_lossy(value.as_bytes());
                let value = value.chars().take(MAX_VALUE).collect();
                self.headers.push(((*name).to_owned(), value));
            }
        }
        let names = headers.get_all(SET_COOKIE).iter().filter_map(|line| {
            let (name, _) = line.to_str().ok()?.split_once('=')?;
            Some(name.trim().chars().take(64).collect())
        });
        self.cookies.extend(names.take(MAX_COOKIES));
    }
}
