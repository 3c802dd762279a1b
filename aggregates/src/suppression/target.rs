//! Whom an entry is about, in the one way in which it is written.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Error;
use crate::{
    ids::SuppressionId,
    names::{DomainName, labels_to_wire},
};

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A domain: it and every name below it. A public suffix is none.
    Domain,
    /// The end of names, of one label or more, a public suffix among them: every name that is it or below it.
    Suffix,
    /// A block of addresses (RFC 4632).
    Cidr,
    /// A name server: every domain that has it, or one whose name is below it, among its own.
    Nameserver,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Domain, Self::Suffix, Self::Cidr, Self::Nameserver];

    /// Returns its name in events and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Suffix => "suffix",
            Self::Cidr => "cidr",
            Self::Nameserver => "nameserver",
        }
    }
}

/// A word that names no kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be domain, suffix, cidr or nameserver")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or(UnknownKind)
    }
}

/// Who is left alone: a kind and a value in its one form, so that equal targets are equal texts.
///
/// [`Target::parse`] is the way in for everything from outside; decoding from the log trusts what was once checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    kind: Kind,
    value: String,
}

impl Target {
    /// Parses what somebody wrote. Names become A-labels in lower case without a trailing dot; an address becomes the
    /// block that holds it alone; IPv4 written as IPv6 becomes IPv4.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field `value`.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let value = match kind {
            Kind::Domain => domain(text)?,
            Kind::Suffix => suffix(text)?,
            Kind::Cidr => block(text)?,
            Kind::Nameserver => name(text)?.to_string(),
        };
        Ok(Self { kind, value })
    }

    /// Returns what it names.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the name, or the block as `network/length`.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the id of the entry for this target, which is computed from the target (UUID version 5, RFC 9562 §5.5).
    #[must_use]
    pub fn id(&self) -> SuppressionId {
        SuppressionId(Uuid::new_v5(&ENTRIES, self.to_string().as_bytes()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.value)
    }
}

/// The name space of entries' ids; drawn once, forever.
const ENTRIES: Uuid = Uuid::from_u128(0xd124_5ce8_6f70_40a5_81e4_b9ed_9422_6fc4);

fn invalid(message: impl fmt::Display) -> Error {
    Error::invalid("value", message.to_string())
}

fn name(text: &str) -> Result<DomainName, Error> {
    DomainName::parse(text).map_err(invalid)
}

fn domain(text: &str) -> Result<String, Error> {
    let name = name(text)?;
    match name.registrable() {
        Some(_) => Ok(name.to_string()),
        None => Err(invalid(format_args!(
            "{name} is a public suffix, under which anybody registers: name it as a suffix if that is meant"
        ))),
    }
}

fn suffix(text: &str) -> Result<String, Error> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    let bare = bare.strip_prefix('.').unwrap_or(bare);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    if bare.is_empty() {
        return Err(invalid("names nothing"));
    }
    if bare.contains('.') {
        return name(bare).map(|name| name.to_string());
    }
    if bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("is a number, in which no name ends"));
    }
    labels_to_wire(bare).map_err(invalid)
}

fn block(text: &str) -> Result<String, Error> {
    let malformed = || {
        invalid("must be an address or a block of addresses such as 192.0.2.0/24 or 2001:db8::/32")
    };
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let written: IpAddr = address.parse().map_err(|_| malformed())?;
    let width = if written.is_ipv4() { 32_u32 } else { 128 };
    let length: u32 = match length {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| malformed())?
        }
        Some(_) => return Err(malformed()),
        None => width,
    };
    if length > width {
        return Err(invalid(format_args!(
            "a prefix has at most {width} bits here"
        )));
    }
    let canonical = written.to_canonical();
    // Where the prefix is long enough to be one of IPv4 written as IPv6, it is one.
    let (network, length) = match (written, canonical) {
        (IpAddr::V6(_), IpAddr::V4(_)) => match length.checked_sub(96) {
            Some(length) => (canonical, length),
            None => (written, length),
        },
        _ => (written, length),
    };
    let masked = mask(network, length);
    if masked != network {
        return Err(invalid(format_args!(
            "has bits beyond its prefix: the block is {masked}/{length}, the address alone {network}"
        )));
    }
    Ok(format!("{network}/{length}"))
}

/// Clears the bits beyond a prefix.
fn mask(address: IpAddr, length: u32) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(length))
                .unwrap_or(0);
            IpAddr::V4((u32::from(address) & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(length))
                .unwrap_or(0);
            IpAddr::V6((u128::from(address) & mask).into())
        }
    }
}
