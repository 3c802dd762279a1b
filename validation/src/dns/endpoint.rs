//! Servers of encrypted DNS, as a configuration writes them: `tls://` (RFC 7858) and `https://` (RFC 8484).

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

/// The port of DNS over TLS, RFC 7858 §3.1.
const TLS_PORT: u16 = 853;
/// The port of HTTPS.
const HTTPS_PORT: u16 = 443;
/// Where most servers of DNS over HTTPS listen; RFC 8484 leaves it to them.
const PATH: &str = "/dns-query";

/// A host, by address or by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address: the certificate has to be for it.
    Ip(IpAddr),
    /// A name in lower case, which the machine's own resolver looks up: the certificate has to be for it.
    Name(String),
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whom the certificate has to be for.
    pub host: Host,
    /// Its TCP port.
    pub port: u16,
}

impl Endpoint {
    /// Reads what follows `tls://`: a host and perhaps a port.
    pub(super) fn of_tls(text: &str) -> Result<Self, String> {
        Self::read(text, TLS_PORT)
    }

    /// Reads what follows `https://`: a host, perhaps a port, perhaps a path.
    pub(super) fn of_https(text: &str) -> Result<(Self, String), String> {
        let (host, path) = text
            .find('/')
            .and_then(|at| text.split_at_checked(at))
            .unwrap_or((text, ""));
        // The variable is for requests by GET; ours go by POST, to the address without it.
        let path = path.strip_suffix("{?dns}").unwrap_or(path);
        let path = if matches!(path, "" | "/") { PATH } else { path };
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
        if !path.bytes().all(is_plain) {
            return Err(format!("{path:?} is no plain path"));
        }
        Ok((Self::read(host, HTTPS_PORT)?, path.to_owned()))
    }

    /// Gives the address, where the host is one.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self.host {
            Host::Ip(ip) => Some(SocketAddr::new(ip, self.port)),
            Host::Name(_) => None,
        }
    }

    fn read(text: &str, standard: u16) -> Result<Self, String> {
        if let Ok(ip) = text.parse() {
            return Self::at(Host::Ip(ip), standard);
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Self::at(Host::Ip(address.ip()), address.port());
        }
        let bracketed = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(ip) = bracketed.and_then(|ip| ip.parse().ok()) {
            return Self::at(Host::Ip(IpAddr::V6(ip)), standard);
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, port.parse().map_err(|_| not_a_host(text))?),
            None => (text, standard),
        };
        if !is_host_name(name) {
            return Err(not_a_host(text));
        }
        Self::at(Host::Name(name.to_ascii_lowercase()), port)
    }

    fn at(host: Host, port: u16) -> Result<Self, String> {
        let nobody = match host {
            Host::Ip(ip) => ip.is_unspecified() || ip.is_multicast(),
            Host::Name(_) => false,
        };
        if nobody || port == 0 {
            return Err("is no address of a server".to_owned());
        }
        Ok(Self { host, port })
    }

    /// Writes it for a URL, the port only where it is not the standard one.
    fn write(&self, formatter: &mut fmt::Formatter<'_>, standard: u16) -> fmt::Result {
        match &self.host {
            Host::Ip(IpAddr::V6(ip)) => write!(formatter, "[{ip}]")?,
            Host::Ip(ip) => write!(formatter, "{ip}")?,
            Host::Name(name) => formatter.write_str(name)?,
        }
        if self.port == standard {
            return Ok(());
        }
        write!(formatter, ":{}", self.port)
    }

    /// Writes it as a resolver over TLS.
    pub(super) fn write_tls(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("tls://")?;
        self.write(formatter, TLS_PORT)
    }

    /// Writes it as a resolver over HTTPS.
    pub(super) fn write_https(
        &self,
        path: &str,
        formatter: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        formatter.write_str("https://")?;
        self.write(formatter, HTTPS_PORT)?;
        formatter.write_str(path)
    }
}

fn not_a_host(text: &str) -> String {
    format!("{text:?} is no host, nor host:port")
}

/// Tells a host name (RFC 1123 §2.1) from anything else; its last label is not a number, or it would be an address.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= 253 && text.split('.').all(is_label) && !ends_in_a_number(last)
}

/// Tells a last label that makes a name an address (WHATWG URL, 3.5): decimal digits, or hexadecimal ones behind `0x`.
fn ends_in_a_number(last: &str) -> bool {
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
