//! How an HTTP persona fetches.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Error, Robots, http_checks};

/// What the program calls itself where a persona says nothing: its name and where to read about it.
pub const DEFAULT_USER_AGENT: &str = concat!(
    "DomainFlow/",
    env!("CARGO_PKG_VERSION"),
    " (+https://domainflow.example/crawler)"
);

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TlsVersion {
    /// RFC 2246; never spoken.
    #[serde(rename = "TLS10")]
    Tls10,
    /// RFC 4346; never spoken.
    #[serde(rename = "TLS11")]
    Tls11,
    /// RFC 5246.
    #[serde(rename = "TLS12")]
    Tls12,
    /// RFC 8446.
    #[serde(rename = "TLS13")]
    Tls13,
}

/// What is offered in the TLS handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsClientHello {
    /// The lowest version; TLS 1.2 where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_version: Option<TlsVersion>,
    /// The highest version; TLS 1.3 where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_version: Option<TlsVersion>,
    /// Refused unless empty: the client chooses its cipher suites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cipher_suites: Vec<String>,
    /// Refused unless empty: the client chooses its curves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curve_preferences: Vec<String>,
}

/// Whether HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http2Settings {
    /// It is where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What is done with cookies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CookieMode {
    /// Kept and sent back within one domain's check.
    Preserve,
    /// Neither kept nor sent.
    #[default]
    Ignore,
    /// Those of the persona are sent, none is kept.
    Custom,
}

/// Cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CookieHandling {
    /// What is done with them; ignored where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<CookieMode>,
    /// Name and value of each cookie that [`CookieMode::Custom`] sends. They are kept in the log: no credentials.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cookies: BTreeMap<String, String>,
}

/// The configuration of an HTTP persona.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpConfig {
    /// What the client calls itself.
    pub user_agent: String,
    /// Further request headers. They are kept in the log: no credentials.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Names of headers in the order in which they are sent: `host`, `user-agent`, `accept`, `accept-encoding`, `cookie` and those
    /// of `headers`. What is not named comes after.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header_order: Vec<String>,
    /// What is offered in the TLS handshake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_client_hello: Option<TlsClientHello>,
    /// Whether HTTP/2 is spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http2_settings: Option<Http2Settings>,
    /// What is done with cookies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie_handling: Option<CookieHandling>,
    /// How long a fetch may take as a whole, 0 to 300; 0 and none stand for the default of 20 s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_timeout_seconds: Option<u32>,
    /// Whether redirects are followed; they are where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_redirects: Option<bool>,
    /// The final status codes that count as ok, 200 to 599; those from 200 to 299 where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_status_codes: Vec<u16>,
    /// Domains a second, paced; 0 leaves only the standing limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_dps: Option<f64>,
    /// How many may go at once after a pause; 0 is the same as 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit_burst: Option<u32>,
    /// What is done about robots.txt; it is followed where this is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub robots: Option<Robots>,
    /// Whatever the owner wants to remember.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

impl Default for HttpConfig {
    /// Fetches politely under the program's own name.
    fn default() -> Self {
        Self {
            user_agent: DEFAULT_USER_AGENT.to_owned(),
            headers: BTreeMap::new(),
            header_order: Vec::new(),
            tls_client_hello: None,
            http2_settings: None,
            cookie_handling: None,
            request_timeout_seconds: None,
            follow_redirects: None,
            allowed_status_codes: Vec::new(),
            rate_limit_dps: None,
            rate_limit_burst: None,
            robots: None,
            notes: None,
        }
    }
}

impl HttpConfig {
    /// Returns how long a fetch may take as a whole.
    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        let seconds = self.request_timeout_seconds.filter(|seconds| *seconds > 0);
        Duration::from_secs(seconds.unwrap_or(20).into())
    }

    /// Returns the lowest and the highest version of TLS that are offered.
    #[must_use]
    pub fn tls_versions(&self) -> (TlsVersion, TlsVersion) {
        let hello = self.tls_client_hello.as_ref();
        (
            hello
                .and_then(|hello| hello.min_version)
                .unwrap_or(TlsVersion::Tls12),
            hello
                .and_then(|hello| hello.max_version)
                .unwrap_or(TlsVersion::Tls13),
        )
    }

    /// Says whether HTTP/2 is spoken.
    #[must_use]
    pub fn http2(&self) -> bool {
        self.http2_settings
            .and_then(|settings| settings.enabled)
            .unwrap_or(true)
    }

    /// Returns what is done with cookies.
    #[must_use]
    pub fn cookie_mode(&self) -> CookieMode {
        let handling = self.cookie_handling.as_ref();
        handling
            .and_then(|handling| handling.mode)
            .unwrap_or_default()
    }

    /// Says whether robots.txt is followed.
    #[must_use]
    pub fn follows_robots(&self) -> bool {
        self.robots.as_ref().is_none_or(|robots| !robots.ignore)
    }

    /// Checks that every setting can be honoured.
    ///
    /// # Errors
    /// Names the first field that cannot, as the wire names it.
    pub fn validate(&self) -> Result<(), Error> {
        http_checks::check(self)
    }
}
