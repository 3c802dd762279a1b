//! What a trial saw, as the wire has it: in the test of a persona and in the stream of an extraction.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use validation::{
    dns,
    http::{Fault, Reason, Step as Fetching, Unresolved},
};

use crate::work::trials::{Robots, Seen, Unfinished};

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ended {
    /// Well.
    Ok,
    /// With an error, of which there is a reason.
    Error,
    /// Without an answer in time.
    Timeout,
    /// Not at all: there was no time left to begin it.
    Skipped,
}

/// What a step is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// One resolver was asked by itself.
    Resolver,
    /// The name was asked for as a run asks.
    Lookup,
    /// A host's addresses were looked up.
    Resolved,
    /// Addresses were chosen that may be connected to.
    Chosen,
    /// A connection was made.
    Connected,
    /// TLS was agreed on.
    Secured,
    /// A page was asked for.
    Requested,
    /// The head of an answer came.
    Answered,
    /// An answer led elsewhere.
    Redirected,
    /// It was seen what robots.txt says.
    Robots,
    /// There was no page at an address.
    Failed,
    /// A page came whole.
    Fetched,
}

impl Kind {
    /// Gives the name that the wire has.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Resolver => "resolver",
            Self::Lookup => "lookup",
            Self::Resolved => "resolved",
            Self::Chosen => "chosen",
            Self::Connected => "connected",
            Self::Secured => "secured",
            Self::Requested => "requested",
            Self::Answered => "answered",
            Self::Redirected => "redirected",
            Self::Robots => "robots",
            Self::Failed => "failed",
            Self::Fetched => "fetched",
        }
    }
}

/// One step of a trial. Which fields there are is up to the step.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Step {
    /// What it is of.
    pub(super) step: Kind,
    /// Milliseconds since the trial began.
    at_ms: u64,
    /// How it ended.
    outcome: Ended,
    /// Why it did not end well, as results of runs have it: `NXDOMAIN`, `TIMEOUT`, `TLS_ERROR`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The same, or what robots.txt says, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The resolver that was asked, or the one whose answer decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolver: Option<String>,
    /// How it was asked: `udp`, `tls`, `https`, or `tcp` where an answer did not fit into a packet.
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    /// Packets sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    /// How long the question took, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_ms: Option<u64>,
    /// The host that was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// Addresses that were found or chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    addresses: Option<Vec<String>>,
    /// Whom the connection leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// `TLSv1.2` or `TLSv1.3`.
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_version: Option<&'static str>,
    /// When the certificate expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_expires: Option<DateTime<Utc>>,
    /// Whether HTTP/2 was agreed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    http2: Option<bool>,
    /// The page that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Where it leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    /// `HTTP/1.1` or `HTTP/2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_version: Option<String>,
    /// Bytes of the page after decompression, as far as they were read.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
}

/// Writes a time as whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Tells how a check of a name ended, and why not well.
pub(super) fn of_report(report: &dns::Report) -> (Ended, Option<String>) {
    match report.outcome {
        dns::Outcome::Ok => (Ended::Ok, None),
        dns::Outcome::Timeout => (Ended::Timeout, Some(Reason::Timeout.as_str().to_owned())),
        dns::Outcome::Error(reason) => (Ended::Error, Some(reason.to_string())),
    }
}

/// Tells how a fetch with this fault ended.
pub(super) const fn of_fault(fault: &Fault) -> Ended {
    match fault.reason {
        Reason::Timeout => Ended::Timeout,
        _ => Ended::Error,
    }
}

/// Writes a fault as results of runs have it: its code and the same in words.
pub(super) fn line(fault: &Fault) -> String {
    format!("{}: {}", fault.code, fault.text)
}

/// Tells how something ended that was not brought to its end.
pub(super) const fn of_unfinished(why: &Unfinished) -> Ended {
    match why {
        Unfinished::NoTime(_) | Unfinished::NoShare(_) => Ended::Timeout,
        Unfinished::NotBegun(_) => Ended::Skipped,
        Unfinished::Stopped | Unfinished::Engine(_) => Ended::Error,
    }
}

fn texts(addresses: &[IpAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

impl Step {
    /// Writes what a trial saw so long after its beginning.
    pub(super) fn of(at: Duration, seen: Seen) -> Self {
        match seen {
            Seen::Resolver {
                resolver,
                transport,
                found,
            } => Self {
                resolver: Some(resolver),
                transport: Some(transport),
                ..Self::of_check(Kind::Resolver, at, found)
            },
            Seen::Lookup(found) => Self::of_check(Kind::Lookup, at, found),
            Seen::Http(step) => Self::of_fetch(at, step),
            Seen::Robots(robots) => Self::of_robots(at, robots),
            Seen::Fetched { url, status, bytes } => Self {
                url,
                status_code: status,
                bytes: Some(bytes),
                ..Self::new(Kind::Fetched, at)
            },
        }
    }

    fn new(step: Kind, at: Duration) -> Self {
        Self {
            step,
            at_ms: milliseconds(at),
            outcome: Ended::Ok,
            reason: None,
            detail: None,
            resolver: None,
            transport: None,
            attempts: None,
            elapsed_ms: None,
            host: None,
            addresses: None,
            address: None,
            tls_version: None,
            certificate_expires: None,
            http2: None,
            url: None,
            location: None,
            status_code: None,
            http_version: None,
            bytes: None,
        }
    }

    fn of_check(kind: Kind, at: Duration, found: Result<dns::Report, Unfinished>) -> Self {
        let report = match found {
            Ok(report) => report,
            Err(why) => {
                return Self {
                    outcome: of_unfinished(&why),
                    detail: Some(why.to_string()),
                    ..Self::new(kind, at)
                };
            }
        };
        let (outcome, reason) = of_report(&report);
        Self {
            outcome,
            reason,
            addresses: Some(texts(&report.addresses)),
            attempts: Some(report.attempts),
            elapsed_ms: Some(milliseconds(report.elapsed)),
            detail: report.detail,
            resolver: report.resolver,
            host: Some(report.name),
            ..Self::new(kind, at)
        }
    }

    fn of_fetch(at: Duration, step: Fetching) -> Self {
        let new = |kind| Self::new(kind, at);
        match step {
            Fetching::Resolved { host, found } => Self {
                host: Some(host),
                ..Self::of_addresses(at, found)
            },
            Fetching::Chosen { host, addresses } => Self {
                host: Some(host),
                addresses: Some(texts(&addresses)),
                ..new(Kind::Chosen)
            },
            Fetching::Connected { address } => Self {
                address: address.map(|address| address.to_string()),
                ..new(Kind::Connected)
            },
            Fetching::Secured {
                version,
                expires,
                http2,
            } => Self {
                tls_version: version,
                certificate_expires: expires,
                http2: Some(http2),
                ..new(Kind::Secured)
            },
            Fetching::Requested { url } => Self {
                url: Some(url.into()),
                ..new(Kind::Requested)
            },
            Fetching::Answered {
                url,
                status,
                version,
            } => Self {
                url: Some(url.into()),
                status_code: Some(status),
                http_version: Some(version),
                ..new(Kind::Answered)
            },
            Fetching::Redirected { from, to } => Self {
                url: Some(from.into()),
                location: Some(to.into()),
                ..new(Kind::Redirected)
            },
            Fetching::Failed { url, fault } => Self {
                outcome: of_fault(&fault),
                reason: Some(fault.reason.as_str().to_owned()),
                detail: Some(line(&fault)),
                url: url.map(Into::into),
                ..new(Kind::Failed)
            },
        }
    }

    fn of_addresses(at: Duration, found: Result<Vec<IpAddr>, Unresolved>) -> Self {
        let new = Self::new(Kind::Resolved, at);
        match found {
            Ok(addresses) => Self {
                addresses: Some(texts(&addresses)),
                ..new
            },
            Err(Unresolved::Timeout) => Self {
                outcome: Ended::Timeout,
                reason: Some(Reason::Timeout.as_str().to_owned()),
                ..new
            },
            Err(Unresolved::Error(why) | Unresolved::Suppressed(why)) => Self {
                outcome: Ended::Error,
                detail: Some(why),
                ..new
            },
        }
    }

    fn of_robots(at: Duration, robots: Robots) -> Self {
        let (outcome, detail) = match robots {
            Robots::Ignored => (Ended::Ok, "it is not asked".to_owned()),
            Robots::Allows => (Ended::Ok, "the page may be fetched".to_owned()),
            Robots::Forbids(why) => (Ended::Error, why),
            Robots::Unreachable => (Ended::Error, "nobody answered".to_owned()),
        };
        Self {
            outcome,
            detail: Some(detail),
            ..Self::new(Kind::Robots, at)
        }
    }
}
