//! What can be set for fetching, and what of it is refused.

mod error;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};

pub use self::error::Error;
use super::politeness::Politeness;
use super::proxy::{Guard, Pool};
use super::ranges::AllowedRanges;
use crate::suppression::Suppression;

/// Most redirects that can be asked for.
const MAX_REDIRECTS: u8 = 20;
/// Longest time for one fetch.
const MAX_TIMEOUT: Duration = Duration::from_secs(300);
/// Most bytes of a body that can be asked for.
const MAX_BODY: usize = 64 << 20;
/// Most fetches under way at once.
const MAX_IN_FLIGHT: usize = 10_000;
/// Most headers or cookies that can be set.
const MAX_HEADERS: usize = 50;

/// Most names in an order of headers.
const MAX_ORDER: usize = MAX_HEADERS + OWN_HEADERS.len();

/// Headers that are sent without being set among `headers`, in the order in which they are sent.
pub(super) const OWN_HEADERS: [&str; 5] =
    ["host", "user-agent", "accept", "accept-encoding", "cookie"];

/// Headers that belong to the connection or have a setting of their own; setting them by hand would break either.
const REFUSED_HEADERS: &[&str] = &[
    "host",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
    "cookie",
    "user-agent",
    "range",
    "http2-settings",
];

/// Names a TLS version that the client speaks. Older ones it cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Says what happens to cookies.
#[derive(Clone, PartialEq, Eq)]
pub enum Cookies {
    /// Those that a server sets are sent back to it for the rest of the fetch. Nothing is kept for the next.
    Preserve,
    /// None are sent.
    Ignore,
    /// These pairs of name and value are sent to the domain itself; those that servers set are ignored.
    Custom(Vec<(String, String)>),
}

/// Limits how fast requests are sent, over all fetches of one fetcher.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests a second on average.
    pub per_second: f64,
    /// Requests that may go out at once after a rest; 1 paces them evenly.
    pub burst: u32,
}

/// Holds everything that can be set.
#[derive(Clone)]
pub struct Config {
    /// The `User-Agent` header. It names who asks, so there is no default.
    pub user_agent: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// Names of headers in the order in which they are sent: `host`, `user-agent`, `accept`, `accept-encoding`, `cookie` and those
    /// of `headers`. What is not named comes after, in the order of this sentence with `headers` before `accept-encoding`. Over
    /// HTTP/2 there is no `host`.
    pub header_order: Vec<String>,
    /// What happens to cookies.
    pub cookies: Cookies,
    /// Whether redirects are followed. If not, a redirect is a status like any other.
    pub follow_redirects: bool,
    /// Redirects that are followed in one fetch, at most 20.
    pub max_redirects: u8,
    /// Final status codes that are a success; empty means 200 to 299.
    pub allowed_status_codes: Vec<u16>,
    /// Time for the whole fetch with all its redirects, without waiting for a turn under `rate` and `in_flight`, nor for those
    /// of the resolver that finds the redirects' hosts.
    pub timeout: Duration,
    /// Time for connecting and the TLS handshake, for each connection.
    pub connect_timeout: Duration,
    /// Bytes that are read of a body, after decompression; the rest is left and the report says so.
    pub max_body_bytes: usize,
    /// Lowest TLS version that is spoken.
    pub tls_min: TlsVersion,
    /// Highest TLS version that is spoken.
    pub tls_max: TlsVersion,
    /// Whether HTTP/2 is offered over TLS.
    pub http2: bool,
    /// Rate limit, if any.
    pub rate: Option<Rate>,
    /// Requests under way at once; those that wait for a turn are not. Each holds at most `max_body_bytes` twice, raw and decoded.
    pub in_flight: usize,
    /// Addresses that may be connected to besides public ones.
    pub allow: AllowedRanges,
    /// Port where http is spoken when an address names none. Set alone, it means that there is no https to try.
    pub http_port: Option<u16>,
    /// Port where https is spoken when an address names none.
    pub https_port: Option<u16>,
    /// Certificates (DER) of authorities that are trusted besides the system's.
    pub trusted_roots: Vec<Vec<u8>>,
    /// The proxies that pages are fetched through, if any. Nothing is fetched directly then.
    pub proxies: Option<Arc<Pool>>,
    /// Which servers may be spoken to as proxies.
    pub proxy_guard: Arc<dyn Guard>,
    /// Whether plain http pages are handed whole to http proxies at addresses that are not public.
    ///
    /// Such a request names the site and leaves it to the proxy to find its address, so that our check of that address
    /// does not bind it. A proxy outside reaches nothing of ours that way; one inside might. Without this word such a proxy is
    /// asked for a tunnel to the checked address, also for plain http.
    pub forward_inside: bool,
    /// Whom nothing may be fetched from.
    pub suppression: Suppression,
    /// How often sites are asked, kept together with all other fetchers that have a clone of it; as often as `rate` allows
    /// where there is none.
    pub politeness: Option<Politeness>,
    /// Whether sites on loopback addresses are asked as often as that too.
    pub own_loopback: bool,
}

impl Config {
    /// Makes a configuration with the defaults: 7 redirects, 15 s in all and 5 s to connect, 5 MiB, TLS 1.2 and 1.3, HTTP/2,
    /// 256 fetches at once, no rate limit, public addresses only.
    pub fn new(user_agent: impl Into<String>) -> Self {
        Self {
            user_agent: user_agent.into(),
            headers: Vec::new(),
            header_order: Vec::new(),
            cookies: Cookies::Ignore,
            follow_redirects: true,
            max_redirects: 7,
            allowed_status_codes: Vec::new(),
            timeout: Duration::from_secs(15),
            connect_timeout: Duration::from_secs(5),
            max_body_bytes: 5 << 20,
            tls_min: TlsVersion::V1_2,
            tls_max: TlsVersion::V1_3,
            http2: true,
            rate: None,
            in_flight: 256,
            allow: AllowedRanges::Public,
            http_port: None,
            https_port: None,
            trusted_roots: Vec::new(),
            proxies: None,
            proxy_guard: Arc::new(AllowedRanges::Public),
            forward_inside: false,
            suppression: Suppression::default(),
            politeness: None,
            own_loopback: false,
        }
    }

    /// Checks every setting, so that one which could not be honoured is refused when it is saved.
    ///
    /// # Errors
    ///
    /// Names the first setting that is out of its bounds or that the client cannot do.
    pub fn validate(&self) -> Result<(), Error> {
        if self.user_agent.trim().is_empty() || HeaderValue::from_str(&self.user_agent).is_err() {
            return Err(Error::UserAgent);
        }
        self.validate_headers()?;
        self.validate_cookies()?;
        if let Some(code) = self
            .allowed_status_codes
            .iter()
            .find(|code| !(200..=599).contains(*code))
        {
            return Err(Error::StatusCode(*code));
        }
        bounded(
            "max_redirects",
            usize::from(self.max_redirects),
            0,
            usize::from(MAX_REDIRECTS),
        )?;
        bounded("max_body_bytes", self.max_body_bytes, 1, MAX_BODY)?;
        bounded("in_flight", self.in_flight, 1, MAX_IN_FLIGHT)?;
        for (name, value) in [
            ("timeout", self.timeout),
            ("connect_timeout", self.connect_timeout),
        ] {
            if value.is_zero() || value > MAX_TIMEOUT {
                return Err(Error::Time { name, value });
            }
        }
        if self.tls_min > self.tls_max {
            return Err(Error::TlsVersions);
        }
        if let Some(rate) = self.rate
            && !(rate.per_second.is_finite()
                && rate.per_second > 0.0
                && rate.per_second <= 1e6
                && rate.burst > 0)
        {
            return Err(Error::Rate);
        }
        if self.http_port == Some(0) || self.https_port == Some(0) {
            return Err(Error::Port);
        }
        Ok(())
    }

    fn validate_headers(&self) -> Result<(), Error> {
        bounded("headers", self.headers.len(), 0, MAX_HEADERS)?;
        for (name, value) in &self.headers {
            let lower =
                HeaderName::try_from(name.as_str()).map_err(|_| Error::HeaderName(name.clone()))?;
            if REFUSED_HEADERS.contains(&lower.as_str()) {
                return Err(Error::HeaderRefused(name.clone()));
            }
            HeaderValue::from_str(value).map_err(|_| Error::HeaderValue(name.clone()))?;
        }
        bounded("header_order", self.header_order.len(), 0, MAX_ORDER)?;
        for (at, name) in self.header_order.iter().enumerate() {
            let same = |other: &str| other.eq_ignore_ascii_case(name);
            let known = OWN_HEADERS.iter().any(|own| same(own))
                || self.headers.iter().any(|(header, _)| same(header));
            let twice = self.header_order.iter().take(at).any(|other| same(other));
            if !known || twice {
                return Err(Error::HeaderOrder(name.clone()));
            }
        }
        Ok(())
    }

    fn validate_cookies(&self) -> Result<(), Error> {
        if let Cookies::Custom(cookies) = &self.cookies {
            bounded("cookies", cookies.len(), 0, MAX_HEADERS)?;
            for (name, value) in cookies {
                let whole = |text: &str| {
                    text.bytes()
                        .all(|b| b.is_ascii_graphic() && !matches!(b, b';' | b',' | b'"' | b'\\'))
                };
                if name.is_empty() || name.contains('=') || !whole(name) || !whole(value) {
                    return Err(Error::Cookie(name.clone()));
                }
            }
        }
        Ok(())
    }

    /// Tells whether https is tried before http.
    pub(super) fn tries_https(&self) -> bool {
        self.https_port.is_some() || self.http_port.is_none()
    }
}

fn bounded(name: &'static str, value: usize, least: usize, most: usize) -> Result<(), Error> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::Bounds {
        name,
        value,
        least,
        most,
    })
}

/// Headers and cookies are left out: they may carry credentials.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("user_agent", &self.user_agent)
            .field("follow_redirects", &self.follow_redirects)
            .field("timeout", &self.timeout)
            .field("tls", &(self.tls_min..=self.tls_max))
            .field("http2", &self.http2)
            .field("rate", &self.rate)
            .field("in_flight", &self.in_flight)
            .field("allow", &self.allow)
            .field("ports", &(self.http_port, self.https_port))
            .field("proxies", &self.proxies)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preserve => f.write_str("Preserve"),
            Self::Ignore => f.write_str("Ignore"),
            Self::Custom(cookies) => write!(f, "Custom({})", cookies.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_each_bad_setting_is_refused() {
        let good = || Config::new("Test/1 (+https://example.test/bot)");
        good().validate().unwrap();
        let header = |name: &str, value: &str| Config {
            headers: vec![(name.into(), value.into())],
            ..good()
        };
        header("Accept-Language", "de").validate().unwrap();
        let cookie = |name: &str, value: &str| Config {
            cookies: Cookies::Custom(vec![(name.into(), value.into())]),
            ..good()
        };
        cookie("a", "b=c").validate().unwrap();
        let rate = |per_second, burst| Config {
            rate: Some(Rate { per_second, burst }),
            ..good()
        };
        for (bad, says) in [
            (Config::new(" "), "user agent"),
            (header("Bad Name", "x"), "not a header name"),
            (header("X", "a\r\nb"), "value of header"),
            (header("Host", "x"), "cannot be set"),
            (header("accept-encoding", "x"), "cannot be set"),
            (cookie("a", "b;c"), "cookie"),
            (
                Config {
                    allowed_status_codes: vec![200, 99],
                    ..good()
                },
                "99",
            ),
            (
                Config {
                    max_redirects: 21,
                    ..good()
                },
                "max_redirects",
            ),
            (
                Config {
                    max_body_bytes: 0,
                    ..good()
                },
                "max_body_bytes",
            ),
            (
                Config {
                    in_flight: 0,
                    ..good()
                },
                "in_flight",
            ),
            (
                Config {
                    timeout: Duration::ZERO,
                    ..good()
                },
                "timeout",
            ),
            (
                Config {
                    tls_min: TlsVersion::V1_3,
                    tls_max: TlsVersion::V1_2,
                    ..good()
                },
                "tls",
            ),
            (rate(0.0, 1), "rate"),
            (rate(f64::NAN, 1), "rate"),
            (rate(1.0, 0), "burst"),
            (
                Config {
                    https_port: Some(0),
                    ..good()
                },
                "port 0",
            ),
        ] {
            let error = bad.validate().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn debug_output_shows_no_header_and_no_cookie() {
        let config = Config {
            headers: vec![("Authorization".into(), "secret-1".into())],
            cookies: Cookies::Custom(vec![("session".into(), "secret-2".into())]),
            ..Config::new("x")
        };
        let shown = format!("{config:?} {:?}", config.cookies);
        assert!(!shown.contains("secret"));
    }
}
