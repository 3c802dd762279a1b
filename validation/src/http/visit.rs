//! Following one address to the page it leads to, checking every hop.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::future::Future;
use std::net::IpAddr;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{
    CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HeaderName, HeaderValue, LOCATION, TRANSFER_ENCODING,
};
use reqwest::tls::{TlsInfo, Version};
use reqwest::{Method, Request, Response};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep_until, timeout_at};
use url::{Host, Url};

use super::client::{self, Pinned};
use super::cookies::Jar;
use super::fault::{self, Fault};
use super::fetcher::{Clock, Inner, Unresolved};
use super::report::Report;
use crate::Waits;
use crate::page::{self, Page};

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 8;
/// Longest address that a redirect may lead to.
const MAX_URL: usize = 8_192;
/// Bodies up to this length are read as pages in place; longer ones on a blocking thread.
const IN_PLACE: usize = 128 << 10;

/// One address being followed.
pub(super) struct Visit<'f> {
    fetcher: &'f Inner,
    clock: &'f mut Clock,
    /// The host that `addresses` belong to.
    host: String,
    addresses: &'f [IpAddr],
    url: Url,
    redirects: Vec<String>,
    jar: Jar,
}

/// A visit that ended without a page.
pub(super) struct Missed {
    pub(super) fault: Fault,
    /// Whether nothing at all was answered, so that another scheme may be tried.
    pub(super) unanswered: bool,
    pub(super) report: Box<Report>,
}

impl Missed {
    pub(super) fn into_report(self, elapsed: Duration) -> Report {
        Report {
            certificate_expires: self.fault.expired_at.or(self.report.certificate_expires),
            fault: Some(self.fault),
            elapsed,
            ..*self.report
        }
    }
}

impl<'f> Visit<'f> {
    pub(super) fn new(
        fetcher: &'f Inner,
        url: Url,
        addresses: &'f [IpAddr],
        clock: &'f mut Clock,
    ) -> Self {
        let host = url.host_str().unwrap_or_default().to_owned();
        let mut visit = Self {
            fetcher,
            clock,
            jar: Jar::new(&fetcher.config.cookies, &host),
            host,
            addresses,
            url,
            redirects: Vec::new(),
        };
        visit.set_port();
        visit
    }

    /// Goes from hop to hop until there is an answer that is not a redirect.
    pub(super) async fn run(mut self) -> Result<Report, Missed> {
        let mut seen = HashSet::new();
        loop {
            // The same address with other cookies is another page; a login wall works that way.
            if !seen.insert((self.url.clone(), self.jar.version)) {
                return Err(self.missed(
                    Fault::error(
                        "redirect_loop",
                        format!("{} leads back to itself", self.url),
                    ),
                    false,
                ));
            }
            let response = match self.request().await {
                Ok(response) => response,
                Err(fault) => {
                    // A refused address is refused for every scheme.
                    let unanswered = self.redirects.is_empty()
                        && fault.code != "address_refused"
                        && fault.code != "no_address";
                    return Err(self.missed(fault, unanswered));
                }
            };
            self.jar.take(&self.url, response.headers());
            let status = response.status().as_u16();
            if !(self.fetcher.config.follow_redirects
                && matches!(status, 301 | 302 | 303 | 307 | 308))
            {
                return self.answer(response).await;
            }
            match self.next(&response) {
                Ok(next) => {
                    self.redirects
                        .push(std::mem::replace(&mut self.url, next).into());
                    self.set_port();
                }
                Err(fault) => {
                    let mut missed = self.missed(fault, false);
                    missed.report.status = Some(status);
                    missed.report.keep_headers(response.headers());
                    return Err(missed);
                }
            }
        }
    }

    /// Puts in the port of the configuration where the address names none.
    fn set_port(&mut self) {
        if self.url.port().is_some() {
            return;
        }
        let port = match self.url.scheme() {
            "http" => self.fetcher.config.http_port,
            _ => self.fetcher.config.https_port,
        };
        // Only addresses without a host refuse a port, and there is none such here.
        let _ = self.url.set_port(port);
    }

    fn missed(&mut self, fault: Fault, unanswered: bool) -> Missed {
        Missed {
            fault,
            unanswered,
            report: Box::new(Report {
                final_url: Some(self.url.clone()),
                redirects: std::mem::take(&mut self.redirects),
                ..Report::default()
            }),
        }
    }

    /// Waits for something as long as the fetch has time.
    async fn in_time<T>(&self, step: &str, work: impl Future<Output = T>) -> Result<T, Fault> {
        let deadline = Instant::from_std(self.clock.deadline);
        timeout_at(deadline, work)
            .await
            .map_err(|_| Fault::deadline(step))
    }

    async fn request(&mut self) -> Result<Response, Fault> {
        let pinned = self.check().await?;
        if let Some(pace) = &self.fetcher.pace {
            let waited = pace.turn().await;
            self.clock.excuse(waited);
        }
        let mut request = Request::new(Method::GET, self.url.clone());
        if let Some(cookie) = self.jar.header(&self.url) {
            request.headers_mut().insert(COOKIE, cookie);
        }
        if pinned.host == self.host {
            for (name, value) in &self.fetcher.config.headers {
                if client::is_credential(name)
                    && let (Ok(name), Ok(value)) = (
                        HeaderName::try_from(name.as_str()),
                        HeaderValue::from_str(value),
                    )
                {
                    request.headers_mut().insert(name, value);
                }
            }
        }
        let sent = client::send(&self.fetcher.client, request, pinned);
        let answer = self.in_time("before the server answered", sent).await?;
        answer.map_err(|error| Fault::client(&error))
    }

    /// Asks for the addresses of a redirect's host. The fetch has no less time for what is waited by our own doing.
    async fn resolve(&mut self, host: &str) -> Result<Vec<IpAddr>, Fault> {
        let waits = Waits::default();
        let deadline = Instant::from_std(self.clock.deadline);
        let mut asked = self.fetcher.resolver.resolve(host, &waits);
        let mut alarm = pin!(sleep_until(deadline));
        let found = std::future::poll_fn(|context| {
            if let Poll::Ready(found) = asked.as_mut().poll(context) {
                return Poll::Ready(found);
            }
            // The clock stands still while a wait lasts; its end wakes this task.
            let Some(waited) = waits.ended() else {
                return Poll::Pending;
            };
            alarm.as_mut().reset(deadline + waited);
            let over = alarm.as_mut().poll(context);
            over.map(|()| Err(Unresolved::Timeout))
        })
        .await;
        self.clock.excuse(waits.so_far());
        found.map_err(|why| match why {
            Unresolved::Timeout => Fault::deadline(&format!("while {host} was resolved")),
            Unresolved::Error(why) => {
                Fault::error("redirect_host_unresolved", format!("{host}: {why}"))
            }
        })
    }

    /// Finds the addresses of the current hop and keeps those that may be connected to.
    async fn check(&mut self) -> Result<Pinned, Fault> {
        let (host, found) = match self.url.host() {
            None => return Err(Fault::error("url_invalid", "the address has no host")),
            Some(Host::Ipv4(address)) => (address.to_string(), vec![IpAddr::V4(address)]),
            Some(Host::Ipv6(address)) => (address.to_string(), vec![IpAddr::V6(address)]),
            Some(Host::Domain(host)) if host == self.host => {
                (host.to_owned(), self.addresses.to_vec())
            }
            Some(Host::Domain(host)) => {
                let host = host.to_owned();
                let found = self.resolve(&host).await?;
                (host, found)
            }
        };
        if found.is_empty() {
            return Err(Fault::error("no_address", format!("{host} has no address")));
        }
        let mut refused = None;
        let mut addresses = Vec::new();
        for address in found {
            match self.fetcher.config.allow.refuses(address) {
                Some(why) => {
                    refused = Some(format!(
                        "{host} is at {address}, which is not allowed: {why}"
                    ))
                }
                None => addresses.push(address),
            }
        }
        addresses.truncate(MAX_ADDRESSES);
        match refused {
            Some(why) if addresses.is_empty() => Err(Fault::error("address_refused", why)),
            _ => Ok(Pinned { host, addresses }),
        }
    }

    /// Reads where a redirect leads.
    fn next(&self, response: &Response) -> Result<Url, Fault> {
        let config = &self.fetcher.config;
        if self.redirects.len() >= usize::from(config.max_redirects) {
            let text = format!("more than {} redirects", config.max_redirects);
            return Err(Fault::error("too_many_redirects", text));
        }
        let Some(location) = response.headers().get(LOCATION) else {
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

    /// Judges the last answer, and reads its body if it is a success.
    async fn answer(mut self, mut response: Response) -> Result<Report, Missed> {
        let status = response.status().as_u16();
        let mut report = Report {
            status: Some(status),
            final_url: Some(self.url.clone()),
            redirects: std::mem::take(&mut self.redirects),
            address: response.remote_addr(),
            http_version: Some(format!("{:?}", response.version())),
            ..Report::default()
        };
        report.keep_headers(response.headers());
        if let Some(tls) = response.extensions().get::<TlsInfo>() {
            report.tls_version = tls.version().and_then(version_name);
            report.certificate_expires = tls.peer_certificate().and_then(expiry);
        }
        let allowed = &self.fetcher.config.allowed_status_codes;
        let fine = match allowed.is_empty() {
            true => (200..=299).contains(&status),
            false => allowed.contains(&status),
        };
        let fault = if fine {
            self.body(&mut response, &mut report).await.err()
        } else {
            Some(Fault::status(status))
        };
        match fault {
            None => Ok(report),
            Some(fault) => Err(Missed {
                fault,
                unanswered: false,
                report: Box::new(report),
            }),
        }
    }

    async fn body(&mut self, response: &mut Response, report: &mut Report) -> Result<(), Fault> {
        let most = self.fetcher.config.max_body_bytes;
        let headers = response.headers();
        // Where only the end of the connection ends a body, a missing farewell of TLS is an end too, as in browsers.
        let framed =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut body: Vec<u8> = Vec::new();
        loop {
            let chunk = match self
                .in_time("while the body came", response.chunk())
                .await?
            {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => {
                    let fault = Fault::client(&error);
                    if !framed && fault.code == fault::UNFINISHED {
                        break;
                    }
                    return Err(fault);
                }
            };
            let room = most - body.len();
            if chunk.len() > room {
                body.extend_from_slice(chunk.get(..room).unwrap_or_default());
                report.truncated = true;
                break;
            }
            body.extend_from_slice(&chunk);
        }
        report.bytes = body.len();
        let base = self.url.clone();
        let work = move || digest_and_read(&body, content_type.as_deref(), &base);
        let language = report
            .header("content-language")
            .and_then(page::language_tag)
            .map(str::to_owned);
        let (hash, page) = if report.bytes <= IN_PLACE {
            work()
        } else {
            tokio::task::spawn_blocking(work)
                .await
                .map_err(|error| Fault::error("page_unreadable", error))?
        };
        report.content_hash = Some(hash);
        report.page = page;
        if let Some(page) = &mut report.page
            && page.language.is_none()
        {
            page.language = language;
        }
        Ok(())
    }
}

fn digest_and_read(body: &[u8], content_type: Option<&str>, base: &Url) -> (String, Option<Page>) {
    let mut hash = String::with_capacity(64);
    for byte in Sha256::digest(body) {
        // Writing to a string cannot fail.
        let _ = write!(hash, "{byte:02x}");
    }
    // Without a content type, a byte that no text has tells a file from a page.
    let binary = content_type.is_none()
        && body.iter().take(512).any(|byte| *byte == 0)
        && !body.starts_with(b"\xff\xfe");
    let readable = page::readable(content_type) && !binary;
    (
        hash,
        readable.then(|| page::read(body, content_type, Some(base))),
    )
}

fn version_name(version: Version) -> Option<&'static str> {
    match version {
        Version::TLS_1_2 => Some("TLSv1.2"),
        Version::TLS_1_3 => Some("TLSv1.3"),
        _ => None,
    }
}

fn expiry(certificate: &[u8]) -> Option<DateTime<chrono::Utc>> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0)
}
