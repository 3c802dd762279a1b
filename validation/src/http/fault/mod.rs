//! What went wrong, told apart.

mod examine;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;

use chrono::{DateTime, Utc};

use self::examine::{examine, innermost, of_io};
use crate::suppression::{Held, SUPPRESSED};

/// Code of a connection that ended without the farewell of TLS.
pub(in crate::http) const UNFINISHED: &str = "connection_unfinished";
/// Longest explanation that is kept, in characters.
const MAX_TEXT: usize = 300;

/// Names the kind of a failure. These are all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// Time ran out, in whichever step.
    Timeout,
    /// The server says there is no such page: 404 or 410.
    NotFound,
    /// The server says it failed: 500 to 599.
    Upstream5xx,
    /// The proxy failed, not the page.
    ProxyError,
    /// There is no secure connection, or not with the one it should be.
    TlsError,
    /// The certificate has expired.
    SslExpired,
    /// The connection ended before the answer did.
    ConnectionReset,
    /// Anything else; the fault's code says what.
    Error,
}

impl Reason {
    /// Gives the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::NotFound => "NOT_FOUND",
            Self::Upstream5xx => "UPSTREAM_5XX",
            Self::ProxyError => "PROXY_ERROR",
            Self::TlsError => "TLS_ERROR",
            Self::SslExpired => "SSL_EXPIRED",
            Self::ConnectionReset => "CONNECTION_RESET",
            Self::Error => "ERROR",
        }
    }
}

/// Says whose failure it is, as far as that can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The site's, or its name servers'.
    Target,
    /// The proxy's.
    Proxy,
    /// Nobody known: the connection ended, or nothing came, where both the proxy and the site may be the cause; or it is our
    /// own.
    Unknown,
}

impl Blame {
    /// Gives the name that the API uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Proxy => "proxy",
            Self::Unknown => "unknown",
        }
    }
}

/// Tells why a fetch failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub reason: Reason,
    /// A short code, such as `status_403`, `connection_refused`, `address_refused`, `redirect_loop`.
    pub code: Cow<'static, str>,
    /// What the step that failed says, at most 300 characters.
    pub text: String,
    /// Whose failure it is.
    pub blame: Blame,
    /// When the certificate expired, where that is the reason.
    pub expired_at: Option<DateTime<Utc>>,
}

impl Fault {
    pub(super) fn new(
        reason: Reason,
        code: impl Into<Cow<'static, str>>,
        text: impl ToString,
    ) -> Self {
        Self {
            reason,
            code: code.into(),
            text: text.to_string().chars().take(MAX_TEXT).collect(),
            blame: Blame::Target,
            expired_at: None,
        }
    }

    /// A failure of the proxy, or of the way to it.
    pub(super) fn proxy(code: impl Into<Cow<'static, str>>, text: impl ToString) -> Self {
        Self::new(Reason::ProxyError, code, text).blamed(Blame::Proxy)
    }

    /// Says whose failure it is, where it is not the site's.
    pub(super) fn blamed(self, blame: Blame) -> Self {
        Self { blame, ..self }
    }

    /// A fault that has no reason of its own.
    pub(super) fn error(code: impl Into<Cow<'static, str>>, text: impl ToString) -> Self {
        Self::new(Reason::Error, code, text)
    }

    /// The time for the whole fetch ran out.
    pub(super) fn deadline(step: &str) -> Self {
        Self::new(Reason::Timeout, "deadline", format!("time ran out {step}"))
    }

    /// Nothing was sent, by the word of the suppression list, whoever would have carried it.
    pub(super) fn held(what: impl fmt::Display, held: Held) -> Self {
        Self::error(SUPPRESSED, format!("{what}: {held}"))
    }

    /// Judges a final status that is not a success.
    pub(super) fn status(status: u16) -> Self {
        let reason = match status {
            404 | 410 => Reason::NotFound,
            500..=599 => Reason::Upstream5xx,
            _ => Reason::Error,
        };
        Self::new(
            reason,
            format!("status_{status}"),
            format!("the server answered {status}"),
        )
    }

    /// Judges a failure to connect.
    pub(super) fn connect(error: &io::Error) -> Self {
        of_io(error).unwrap_or_else(|| Self::error("connect_failed", error))
    }

    /// Judges a failure of the TLS handshake.
    pub(super) fn handshake(error: &io::Error) -> Self {
        examine(error)
            .unwrap_or_else(|| Self::new(Reason::TlsError, "handshake_failed", innermost(error)))
    }

    /// Judges an error in sending a request or in reading the answer.
    pub(super) fn exchange(error: &(dyn Error + 'static)) -> Self {
        examine(error).unwrap_or_else(|| Self::error("request_failed", innermost(error)))
    }

    /// The body is not what its coding says.
    pub(super) fn undecodable(error: &io::Error) -> Self {
        Self::error("body_undecodable", error)
    }

    /// Says it in one line, for `https_failure`.
    pub(super) fn line(&self) -> String {
        format!("{} {}: {}", self.reason.as_str(), self.code, self.text)
    }

    /// Tells whether no connection came about at all.
    fn unreached(&self) -> bool {
        matches!(
            &*self.code,
            "connection_refused" | "unreachable" | "connect_failed"
        )
    }

    /// Chooses what to report when neither https nor http could be had: http's fault, unless http was just not there and
    /// https failed in a way that says more.
    pub(super) fn of_both(https: Self, http: Self) -> Self {
        if http.unreached() && !https.unreached() {
            https
        } else {
            http
        }
    }
}
