//! The records that the engine asks for and keeps.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Error;

/// Names a type of record, RFC 1035 §3.2.2, RFC 3596 (AAAA) and RFC 8659 (CAA).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another name for the same thing.
    Cname,
    /// A mail server.
    Mx,
    /// A name server of the zone.
    Ns,
    /// Free text.
    Txt,
    /// The zone's start of authority.
    Soa,
    /// Who may issue certificates.
    Caa,
}

impl RecordType {
    /// Every type, in the order in which reports show them.
    pub const ALL: [Self; 8] = [
        Self::A,
        Self::Aaaa,
        Self::Cname,
        Self::Mx,
        Self::Ns,
        Self::Txt,
        Self::Soa,
        Self::Caa,
    ];

    /// Gives the number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ns => 2,
            Self::Cname => 5,
            Self::Soa => 6,
            Self::Mx => 15,
            Self::Txt => 16,
            Self::Aaaa => 28,
            Self::Caa => 257,
        }
    }

    /// Finds the type of a number on the wire, if the engine knows it.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// Gives the name, as in a zone file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Txt => "TXT",
            Self::Soa => "SOA",
            Self::Caa => "CAA",
        }
    }

    /// Tells whether a record of this type is an address, which makes a domain `ok`.
    #[must_use]
    pub const fn is_address(self) -> bool {
        matches!(self, Self::A | Self::Aaaa)
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for RecordType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                Error::invalid(
                    "record_types",
                    format!("{text:?} is not a known record type"),
                )
            })
    }
}

/// One record as it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its type.
    pub record_type: RecordType,
    /// Its data in the notation of zone files; names in lower case and without the last dot.
    pub value: String,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
}
