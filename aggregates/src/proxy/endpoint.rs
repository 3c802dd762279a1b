//! Where a proxy listens.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use serde::{Deserialize, Serialize};

use crate::names::{ends_in_a_number, labels_to_wire};

const NO_PORT: &str = "names no port from 1 to 65535";
const NO_HOST: &str = "names no host";

/// Where a proxy listens: a host and a port, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// Reads `host:port` or `[v6]:port`; the host is a name or an address.
    ///
    /// # Errors
    /// Says what is wrong, without repeating the text.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (host, port) = text.rsplit_once(':').ok_or(NO_PORT)?;
        // Numbers may have a sign, ports have none.
        let port = Some(port)
            .filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|port| port.parse().ok())
            .filter(|port| *port != 0)
            .ok_or(NO_PORT)?;
        let host = read_host(host)?;
        Ok(Self { host, port })
    }

    /// Returns the host: a name in lower case, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the host as an address, where it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

fn read_host(text: &str) -> Result<String, &'static str> {
    if let Some(inside) = text.strip_prefix('[') {
        let v6: Ipv6Addr = inside
            .strip_suffix(']')
            .and_then(|bare| bare.parse().ok())
            .ok_or("has no IPv6 address in its brackets")?;
        return usable(IpAddr::V6(v6));
    }
    if text.contains(':') {
        return Err("needs brackets around an IPv6 address");
    }
    if let Ok(ip) = text.parse() {
        return usable(ip);
    }
    let name = labels_to_wire(text).map_err(|_| NO_HOST)?;
    // A name that ends in a number would be an address that was mistyped (WHATWG URL, 3.5).
    match ends_in_a_number(&name) {
        true => Err(NO_HOST),
        false => Ok(name),
    }
}

fn usable(ip: IpAddr) -> Result<String, &'static str> {
    if ip.is_unspecified() || ip.is_multicast() {
        return Err("is no address of a proxy");
    }
    Ok(ip.to_string())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
