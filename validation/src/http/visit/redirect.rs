//! Where a redirect leads, and whether it may.

use hyper::header::{HeaderMap, LOCATION};
use url::Url;

use super::Visit;
use crate::http::fault::Fault;

/// Longest address that a redirect may lead to.
const MAX_URL: usize = 8_192;

impl Visit<'_> {
    /// Reads where a redirect leads.
    pub(super) fn next(&self, headers: &HeaderMap) -> Result<Url, Fault> {
        let config = &self.fetcher.config;
        if self.redirects.len() >= usize::from(config.max_redirects) {
            let text = format!("more than {} redirects", config.max_redirects);
            return Err(Fault::error("too_many_redirects", text));
        }
        let Some(location) = headers.get(LOCATION) else {
            return Err(Fault::error(
                "redirect_without_location",
                "the redirect does not say where to",
            ));
        };
        let location = String::from_utf8_lossy(location.as_bytes());
        let invalid =
            |why: &str| Fault::error("redirect_invalid", format!("the redirect's address {why}"));
        if location.len() > MAX_URL {
            return Err(invalid("is too long"));
        }
        let mut next = self
            .url
            .join(&location)
            .map_err(|error| invalid(&error.to_string()))?;
        if !matches!(next.scheme(), "http" | "https") {
            return Err(Fault::error(
                "redirect_refused",
                format!("the redirect leads to {}:", next.scheme()),
            ));
        }
        if let Some(port) = next.port()
            && !self.is_web_port(port)
        {
            return Err(Fault::error(
                "redirect_refused",
                format!("the redirect leads to port {port}"),
            ));
        }
        next.set_fragment(None);
        // A password in an address would be sent; and no name has one that is ours to send.
        if next.set_username("").is_err() || next.set_password(None).is_err() {
            return Err(invalid("has no host"));
        }
        Ok(next)
    }

    /// Tells whether a port may be where the web is spoken. Below 1024 live the mail servers and others that take a request
    /// for commands.
    fn is_web_port(&self, port: u16) -> bool {
        let config = &self.fetcher.config;
        port >= 1024
            || matches!(port, 80 | 443)
            || [config.http_port, config.https_port].contains(&Some(port))
    }
}
