//! What went wrong, told apart.

use std::borrow::Cow;
use std::error::Error;
use std::io;

use chrono::{DateTime, Utc};
use rustls::CertificateError;

/// Code of a connection that ended without the farewell of TLS.
pub(super) const UNFINISHED: &str = "connection_unfinished";
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

/// Tells why a fetch failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub reason: Reason,
    /// A short code, such as `status_403`, `connection_refused`, `address_refused`, `redirect_loop`.
    pub code: Cow<'static, str>,
    /// What the step that failed says, at most 300 characters.
    pub text: String,
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
            expired_at: None,
        }
    }

    /// A fault that has no reason of its own.
    pub(super) fn error(code: impl Into<Cow<'static, str>>, text: impl ToString) -> Self {
        Self::new(Reason::Error, code, text)
    }

    /// The time for the whole fetch ran out.
    pub(super) fn deadline(step: &str) -> Self {
        Self::new(Reason::Timeout, "deadline", format!("time ran out {step}"))
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

    /// Judges an error of the client, in sending a request or in reading a body.
    pub(super) fn client(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::new(
                Reason::Timeout,
                "connect_timeout",
                "time ran out while connecting",
            );
        }
        if let Some(fault) = examine(error, false) {
            return fault;
        }
        let code = match () {
            () if error.is_decode() => "body_undecodable",
            () if error.is_body() => "body_failed",
            () if error.is_connect() => "connect_failed",
            () => "request_failed",
        };
        Self::error(code, innermost(error))
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

/// Looks through an error and what it wraps for the first thing that tells the reason. Below an error of the HTTP library
/// it is the connection that speaks, above it may be a decoder.
fn examine(error: &(dyn Error + 'static), connection: bool) -> Option<Fault> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(tls));
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        // `source` of an io error skips the error it carries.
        let carried = io.get_ref().and_then(|inner| examine(inner, connection));
        return carried.or_else(|| of_io(io, connection));
    }
    if let Some(h2) = error.downcast_ref::<h2::Error>() {
        return match h2.get_io() {
            Some(io) => of_io(io, true),
            None if h2.is_reset() || h2.is_go_away() => {
                Some(Fault::new(Reason::ConnectionReset, "stream_reset", h2))
            }
            None => Some(Fault::error("malformed_response", h2)),
        };
    }
    let hyper = error.downcast_ref::<hyper::Error>();
    let connection = connection || hyper.is_some();
    let wrapped = error.source();
    if let Some(found) = wrapped.and_then(|source| examine(source, connection)) {
        return Some(found);
    }
    let hyper = hyper?;
    if hyper.is_incomplete_message() {
        return Some(Fault::new(
            Reason::ConnectionReset,
            "connection_closed",
            hyper,
        ));
    }
    // Of the ways in which a head can be wrong this one is not told apart but by its words.
    if hyper.is_parse() && hyper.to_string().contains("too large") {
        return Some(Fault::error("headers_too_large", hyper));
    }
    hyper
        .is_parse()
        .then(|| Fault::error("malformed_response", hyper))
}

fn of_io(error: &io::Error, connection: bool) -> Option<Fault> {
    use io::ErrorKind as Kind;
    let (reason, code) = match error.kind() {
        Kind::TimedOut => (Reason::Timeout, "connect_timeout"),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::NotConnected => {
            (Reason::ConnectionReset, "connection_reset")
        }
        Kind::ConnectionRefused => (Reason::Error, "connection_refused"),
        Kind::HostUnreachable
        | Kind::NetworkUnreachable
        | Kind::AddrNotAvailable
        | Kind::NetworkDown => (Reason::Error, "unreachable"),
        Kind::UnexpectedEof => {
            let text = error.to_string();
            if text.contains("handshake") {
                (Reason::TlsError, "handshake_closed")
            } else if text.contains("close_notify") {
                (Reason::ConnectionReset, UNFINISHED)
            } else if connection {
                (Reason::ConnectionReset, "connection_closed")
            } else {
                // A decoder whose input ends too early.
                (Reason::Error, "body_undecodable")
            }
        }
        Kind::InvalidData | Kind::InvalidInput => (Reason::Error, "body_undecodable"),
        _ => return None,
    };
    Some(Fault::new(reason, code, error))
}

fn of_tls(error: &rustls::Error) -> Fault {
    let rustls::Error::InvalidCertificate(certificate) = error else {
        let code = match error {
            rustls::Error::AlertReceived(_) | rustls::Error::PeerIncompatible(_) => {
                "handshake_refused"
            }
            _ => "handshake_failed",
        };
        return Fault::new(Reason::TlsError, code, error);
    };
    let code = match certificate {
        CertificateError::Expired => {
            return Fault::new(Reason::SslExpired, "certificate_expired", error);
        }
        CertificateError::ExpiredContext { not_after, .. } => {
            let seconds = i64::try_from(not_after.as_secs()).ok();
            return Fault {
                expired_at: seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
                ..Fault::new(Reason::SslExpired, "certificate_expired", error)
            };
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate_not_yet_valid"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "certificate_wrong_name"
        }
        CertificateError::UnknownIssuer => "certificate_untrusted",
        CertificateError::Revoked => "certificate_revoked",
        _ => "certificate_invalid",
    };
    Fault::new(Reason::TlsError, code, error)
}

/// Finds the message closest to the cause; the outer ones repeat the address and say little.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
