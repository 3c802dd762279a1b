//! Finding in an error, and in what it wraps, the thing that tells the reason.

use std::error::Error;
use std::io;

use chrono::DateTime;
use rustls::CertificateError;

use super::{Fault, Reason, UNFINISHED};

/// Looks through an error and what it wraps for the first thing that tells the reason.
pub(super) fn examine(error: &(dyn Error + 'static)) -> Option<Fault> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(of_tls(tls));
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        // `source` of an io error skips the error it carries.
        let carried = io.get_ref().and_then(|inner| examine(inner));
        return carried.or_else(|| of_io(io));
    }
    if let Some(h2) = error.downcast_ref::<h2::Error>() {
        return match h2.get_io() {
            Some(io) => of_io(io),
            // Our side ended it. To a client with one request that happens over frames of headers without end.
            None if h2.is_library() && h2.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM) => {
                Some(Fault::error("headers_too_large", h2))
            }
            None if h2.is_reset() || h2.is_go_away() => {
                Some(Fault::new(Reason::ConnectionReset, "stream_reset", h2))
            }
            None => Some(Fault::error("malformed_response", h2)),
        };
    }
    if let Some(found) = error.source().and_then(examine) {
        return Some(found);
    }
    let hyper = error.downcast_ref::<hyper::Error>()?;
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

/// Judges what the connection said.
pub(super) fn of_io(error: &io::Error) -> Option<Fault> {
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
            } else {
                (Reason::ConnectionReset, "connection_closed")
            }
        }
        // Chunks that are none.
        Kind::InvalidData | Kind::InvalidInput => (Reason::Error, "malformed_response"),
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
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
