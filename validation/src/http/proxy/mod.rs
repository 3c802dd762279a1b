//! Proxies: what one is, how it is asked for a way to a site, and how a failure is told apart.
//!
//! A tunnel is asked for by the address of the site, which was checked before, not by its name: the proxy resolves nothing, and
//! what may not be connected to directly may not be reached through a proxy either. The name goes where only the site reads
//! it, in SNI and `Host`. The one exception is a plain http page through an http proxy that stands outside, see
//! [`Config::forward_inside`](super::Config::forward_inside). A proxy's own address is a user's word too and is checked by
//! [`Config::proxy_guard`](super::Config::proxy_guard).

mod evidence;
mod handshake;
mod http_connect;
mod pool;
mod probe;
mod socks4;
mod socks5;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use uuid::Uuid;

use super::ranges::AllowedRanges;

pub(super) use evidence::{of_forwarded, passed_on};
pub(super) use handshake::{is_unauthorized, tunnel};
pub(super) use http_connect::authorization;
pub use pool::{Health, HealthChange, Member, Pool, PoolConfig, PoolError, Strategy};
pub(super) use pool::{Lease, Suspect, Tried, suppressed};
pub use probe::Probe;

/// Longest user name or password, which is what SOCKS5 has room for (RFC 1929 §2).
const MAX_CREDENTIAL: usize = 255;
/// Longest host name.
const MAX_HOST: usize = 253;
/// Code of a proxy that does not go to a target by its rules; to others it may.
pub(super) const FORBIDDEN: &str = "proxy_forbidden";

/// Names a proxy in reports, pools and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProxyId(pub Uuid);

impl fmt::Display for ProxyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Says how a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP, without encryption on the way to the proxy (RFC 9110 §9.3.6).
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 4. It reaches IPv4 addresses only. Version 4a differs in names, of which none are sent.
    Socks4,
    /// SOCKS 5 (RFC 1928).
    Socks5,
}

impl Protocol {
    /// Gives the name that the API uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
        }
    }

    /// Tells whether requests can be handed to it whole, besides tunnels.
    pub(super) fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Http, Self::Https, Self::Socks4, Self::Socks5]
            .into_iter()
            .find(|protocol| protocol.as_str() == text)
            .ok_or_else(|| Error::Protocol(text.to_owned()))
    }
}

/// A user name and a password. Neither can be seen in debug output: user names of proxies are often keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// What reports name it by.
    pub id: ProxyId,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Its name or address; an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it is told when it asks who we are.
    pub credentials: Option<Credentials>,
}

impl Proxy {
    /// Checks what could not be honoured, so that it is refused when it is saved.
    ///
    /// # Errors
    ///
    /// Names the first field that is wrong.
    pub fn validate(&self) -> Result<(), Error> {
        let host = &self.host;
        let is_address = host.parse::<std::net::IpAddr>().is_ok();
        let is_name =
            host.len() <= MAX_HOST && matches!(url::Host::parse(host), Ok(url::Host::Domain(_)));
        if !is_address && !is_name {
            return Err(Error::Host(host.clone()));
        }
        if self.port == 0 {
            return Err(Error::Port);
        }
        match &self.credentials {
            None => Ok(()),
            Some(credentials) => credentials.check(self.protocol),
        }
    }
}

impl Credentials {
    fn check(&self, protocol: Protocol) -> Result<(), Error> {
        let Self { username, password } = self;
        if username.is_empty() || username.len() > MAX_CREDENTIAL || username.contains('\0') {
            return Err(Error::Username);
        }
        if password.len() > MAX_CREDENTIAL {
            return Err(Error::Password);
        }
        match protocol {
            // RFC 7617 §2: the first colon ends the user name.
            Protocol::Http | Protocol::Https if username.contains(':') => Err(Error::Username),
            Protocol::Socks4 if !password.is_empty() => Err(Error::NoPassword),
            // RFC 1929 §2: a password has at least one byte.
            Protocol::Socks5 if password.is_empty() => Err(Error::Password),
            _ => Ok(()),
        }
    }
}

/// Tells which servers may be spoken to as proxies.
///
/// A user names proxies freely, so that they would be a way into the network around the process.
pub trait Guard: Send + Sync {
    /// Tells why an address is refused, or nothing when it may be connected to.
    fn refuses(&self, server: SocketAddr) -> Option<&'static str>;
}

impl Guard for AllowedRanges {
    fn refuses(&self, server: SocketAddr) -> Option<&'static str> {
        Self::refuses(self, server.ip())
    }
}

/// Says what of a proxy is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such protocol.
    #[error("protocol {0:?} is none of http, https, socks4 and socks5")]
    Protocol(String),
    /// The host is neither a name nor an address.
    #[error("host {0:?} is neither a host name nor an address")]
    Host(String),
    /// A port is zero.
    #[error("port 0 cannot be connected to")]
    Port,
    /// The user name cannot be sent.
    #[error(
        "username must have 1 to 255 bytes, without a zero byte, and for http and https without a colon"
    )]
    Username,
    /// The password cannot be sent.
    #[error("password must have at most 255 bytes, and for socks5 at least one")]
    Password,
    /// The protocol has no passwords.
    #[error("password cannot be sent: socks4 knows user names only")]
    NoPassword,
}

#[cfg(test)]
mod tests;
