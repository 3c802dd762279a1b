//! How a proxy is spoken to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP in the clear up to the proxy (RFC 9110, 7.6 and 9.3.6).
    #[default]
    Http,
    /// HTTP over TLS up to the proxy.
    Https,
    /// SOCKS 5 (RFC 1928, RFC 1929).
    Socks5,
    /// SOCKS 4, which knows a user's name and no password.
    Socks4,
}

impl Protocol {
    /// Every protocol, as the wire lists them.
    pub const ALL: [Self; 4] = [Self::Http, Self::Https, Self::Socks5, Self::Socks4];

    /// Returns its name on the wire, which is the scheme of an address too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks4 => "socks4",
        }
    }

    /// Says whether a password can be told to such a proxy.
    #[must_use]
    pub const fn takes_passwords(self) -> bool {
        !matches!(self, Self::Socks4)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be http, https, socks4 or socks5")]
pub struct UnknownProtocol;

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(text))
            .ok_or(UnknownProtocol)
    }
}
