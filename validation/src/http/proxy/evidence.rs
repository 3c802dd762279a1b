//! Whose fault an HTTP proxy's refusal is, by its status and by what it says about itself.
//!
//! A status alone does not tell a broken proxy from one that could not reach the site. `Proxy-Status` (RFC 9209) does, and
//! Squid's `X-Squid-Error` of old; Tinyproxy's own pages say at least that they are its own. Where nothing is said, nobody is
//! blamed here.

use hyper::header::HeaderMap;

use super::handshake::{forbidden, unauthorized};
use crate::http::fault::{Blame, Fault, Reason};

/// Judges an answer to CONNECT that is no success.
pub(super) fn of_tunnel(status: u16, headers: &HeaderMap, told: bool) -> Fault {
    // Some say 401 to credentials that are wrong. In a tunnel's place there is no site that could.
    if matches!(status, 401 | 407) {
        return unauthorized(told);
    }
    if let Some(fault) = stated(headers) {
        return fault;
    }
    let text = format!("the proxy answered {status}");
    match status {
        403 => forbidden(text),
        500 | 502..=504 => unknown(status),
        _ => Fault::proxy(format!("proxy_status_{status}"), text),
    }
}

/// Judges an answer to a request that was handed to a proxy whole. Nothing where it is the site's, as far as can be told.
pub(in crate::http) fn of_forwarded(status: u16, headers: &HeaderMap, told: bool) -> Option<Fault> {
    if status == 407 {
        return Some(unauthorized(told));
    }
    if status < 400 {
        return None;
    }
    stated(headers).or_else(|| of_tinyproxy(status, headers, told))
}

/// Tells whether a proxy passed an answer on, as far as it shows: one that does has to say so in `Via` (RFC 9110 §7.6.3), and
/// one that speaks for itself may say that.
pub(in crate::http) fn passed_on(headers: &HeaderMap) -> bool {
    let speaks = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| name != "proxy-status" || value.contains("error="))
    };
    headers.contains_key("via") && !speaks("x-squid-error") && !speaks("proxy-status")
}

/// Reads a page that Tinyproxy shows itself, which it signs as a server: it does not know us, it filters, or it did not reach
/// the site.
fn of_tinyproxy(status: u16, headers: &HeaderMap, told: bool) -> Option<Fault> {
    let server = headers.get("server")?.to_str().ok()?;
    if !server.starts_with("tinyproxy") {
        return None;
    }
    match status {
        401 => Some(unauthorized(told)),
        403 => Some(forbidden("filtered by the proxy")),
        500..=599 => Some(unknown(status)),
        _ => None,
    }
}

fn unknown(status: u16) -> Fault {
    let text = format!("the proxy answered {status}, which may be its own fault or the site's");
    Fault::proxy(format!("proxy_status_{status}"), text).blamed(Blame::Unknown)
}

/// Reads what the proxy says about itself.
fn stated(headers: &HeaderMap) -> Option<Fault> {
    let text = |name: &str| {
        let value = headers.get(name)?;
        std::str::from_utf8(value.as_bytes()).ok()
    };
    text("proxy-status")
        .and_then(of_proxy_status)
        .or_else(|| text("x-squid-error").and_then(of_squid))
}

/// Reads the error of a `Proxy-Status` header (RFC 9209 §2.3). The last member of the list is the proxy next to us.
fn of_proxy_status(value: &str) -> Option<Fault> {
    let member = value.rsplit(',').next()?;
    let error = member
        .split(';')
        .find_map(|parameter| parameter.trim().strip_prefix("error="))?
        .trim_matches('"');
    let fault = match error {
        "connection_refused" => refused(error),
        "connection_timeout"
        | "connection_read_timeout"
        | "connection_write_timeout"
        | "dns_timeout"
        | "http_response_timeout" => timeout(error),
        "connection_terminated" => reset(error),
        "dns_error"
        | "destination_not_found"
        | "destination_unavailable"
        | "destination_ip_unroutable" => unreachable(error),
        "destination_ip_prohibited" | "http_request_denied" => forbidden(error),
        "proxy_internal_response"
        | "proxy_internal_error"
        | "proxy_configuration_error"
        | "proxy_loop_detected"
        | "connection_limit_reached" => Fault::proxy("proxy_internal", error),
        _ => return None,
    };
    Some(fault)
}

/// Reads Squid's own word: the page that it shows, and the error number of the system where there is one.
fn of_squid(value: &str) -> Option<Fault> {
    let mut words = value.split_whitespace();
    let (page, number) = (words.next()?, words.next().unwrap_or_default());
    let fault = match (page, number) {
        ("ERR_CONNECT_FAIL", "111") => refused(value),
        ("ERR_CONNECT_FAIL", "110") => timeout(value),
        ("ERR_CONNECT_FAIL" | "ERR_DNS_FAIL", _) => unreachable(value),
        ("ERR_READ_TIMEOUT" | "ERR_LIFETIME_EXP", _) => timeout(value),
        ("ERR_READ_ERROR" | "ERR_ZERO_SIZE_OBJECT" | "ERR_WRITE_ERROR", _) => reset(value),
        ("ERR_ACCESS_DENIED", _) => forbidden(value),
        _ => return None,
    };
    Some(fault)
}

/// The site refuses connections, the proxy says.
pub(super) fn refused(text: &str) -> Fault {
    Fault::error("connection_refused", text)
}

/// There is no way to the site, the proxy says.
pub(super) fn unreachable(text: &str) -> Fault {
    Fault::error("unreachable", text)
}

fn timeout(text: &str) -> Fault {
    Fault::new(Reason::Timeout, "connect_timeout", text)
}

fn reset(text: &str) -> Fault {
    Fault::new(Reason::ConnectionReset, "connection_reset", text)
}
