//! What is known about one domain after a check.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use super::Record;

/// Tells how a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The domain has at least one address.
    Ok,
    /// Somebody answered, and there is no address, or nobody could be asked.
    Error(Reason),
    /// No usable answer came within the time and the attempts allowed.
    Timeout,
}

/// Tells why a domain has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Reason {
    /// The name does not exist, RFC 8020: nothing below it either.
    Nxdomain,
    /// The resolvers could not find out.
    Servfail,
    /// The resolvers would not say.
    Refused,
    /// The name exists and has no address.
    NoAnswer,
    /// Anything else; the report's detail says what.
    Error,
}

impl Reason {
    /// Gives the name under which the reason is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nxdomain => "NXDOMAIN",
            Self::Servfail => "SERVFAIL",
            Self::Refused => "REFUSED",
            Self::NoAnswer => "NOANSWER",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The result of checking one domain, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The name as it was handed in.
    pub name: String,
    /// How the check ended.
    pub outcome: Outcome,
    /// What the outcome alone does not say; which of several record types failed, for instance.
    pub detail: Option<String>,
    /// Every record on the way from the name to its data, aliases first, without duplicates.
    pub records: Vec<Record>,
    /// The addresses among the records.
    pub addresses: Vec<IpAddr>,
    /// Who gave the deciding answer; nothing where nobody answered.
    pub resolver: Option<String>,
    /// Packets sent for this domain in all, every type and every repetition.
    pub attempts: u32,
    /// From the first query, waits for permission included, to the verdict.
    pub elapsed: Duration,
    /// The deciding answer came from a server of the zone itself (AA).
    pub authoritative: bool,
    /// An answer was cut short over UDP (TC), whether or not it was then had over TCP.
    pub truncated: bool,
    /// The resolver vouches for the DNSSEC signatures of the deciding answer (AD, RFC 6840 §5.8).
    pub validated: bool,
    /// Whether the zone above answers for any label; nothing when that was not asked or not found out.
    pub wildcard: Option<bool>,
    /// The domain's name servers: where they were asked for, or stood beside an answer; sorted, in lower case.
    pub name_servers: Vec<String>,
    /// One of the name servers belongs to a service that parks domains or offers them for sale.
    pub parking: bool,
    /// Nobody may ask about it, or about more of it, by the word of the suppression list; then the detail says why.
    pub suppressed: bool,
}
