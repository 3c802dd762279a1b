//! How a resolver is written in a persona.

use std::net::{IpAddr, SocketAddr};

use crate::names::ends_in_a_number;

/// Where most servers of DNS over HTTPS listen; RFC 8484 leaves it to them.
const PATH: &str = "/dns-query";

/// A resolver that a persona names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resolver {
    /// Whatever the machine itself uses.
    System,
    /// One server, over UDP and TCP (RFC 1035, RFC 7766).
    Address(SocketAddr),
    /// One server, over TLS (RFC 7858).
    Tls(Server),
    /// One server, over HTTPS (RFC 8484) at a path.
    Https(Server, String),
}

/// A server of encrypted DNS: who its certificate has to be for, and its port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// An address.
    Ip(SocketAddr),
    /// A name in lower case and a port.
    Named(String, u16),
}

impl Resolver {
    /// Reads `ip`, `ip:port`, `[v6]:port`, `tls://host[:port]`, `https://host[:port][/path]` or `system`. The port is 53,
    /// 853 or 443 where none is given.
    ///
    /// # Errors
    /// Says what is wrong with anything else.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("system") {
            return Ok(Self::System);
        }
        if text.contains('@') {
            // Not repeated in the message: it may be a password, and personas are kept in the log.
            return Err("a resolver takes no credentials".to_owned());
        }
        match text.split_once("://") {
            Some(("tls", server)) => return server_of(server, 853).map(Self::Tls),
            Some(("https", rest)) => {
                let (server, path) = rest
                    .find('/')
                    .and_then(|at| rest.split_at_checked(at))
                    .unwrap_or((rest, ""));
                return Ok(Self::Https(server_of(server, 443)?, path_of(path)?));
            }
            Some((scheme, _)) => return Err(format!("{text}: unknown scheme {scheme:?}")),
            None => {}
        }
        let address = address_of(text, 53).ok_or_else(|| {
            format!("{text:?} is not ip, ip:port, [v6]:port, tls://, https:// or system")
        })?;
        usable(address).map(Self::Address)
    }

    /// Returns the address of a server that is named by it, and not by a name or as the system's.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address)
            | Self::Tls(Server::Ip(address))
            | Self::Https(Server::Ip(address), _) => Some(*address),
            Self::System | Self::Tls(Server::Named(..)) | Self::Https(Server::Named(..), _) => None,
        }
    }
}

/// Reads an address with or without a port.
fn address_of(text: &str, port: u16) -> Option<SocketAddr> {
    // Brackets belong to IPv6 alone.
    let bracketed = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .and_then(|bare| bare.parse().ok())
        .map(IpAddr::V6);
    match bracketed.or_else(|| text.parse().ok()) {
        Some(ip) => Some(SocketAddr::new(ip, port)),
        None => text.parse().ok(),
    }
}

fn usable(address: SocketAddr) -> Result<SocketAddr, String> {
    if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
        return Err(format!("{address} is no address of a server"));
    }
    Ok(address)
}

/// Reads the server of a URL.
fn server_of(text: &str, standard: u16) -> Result<Server, String> {
    if let Some(address) = address_of(text, standard) {
        return usable(address).map(Server::Ip);
    }
    let not_a_host = || format!("{text:?} is no host, nor host:port");
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, port.parse().map_err(|_| not_a_host())?),
        None => (text, standard),
    };
    if !is_host_name(name) || port == 0 {
        return Err(not_a_host());
    }
    Ok(Server::Named(name.to_ascii_lowercase(), port))
}

/// Reads the path of a URL, the variable for requests by GET (RFC 8484 §4.1) left out.
fn path_of(text: &str) -> Result<String, String> {
    let path = text.strip_suffix("{?dns}").unwrap_or(text);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte);
    match path {
        "" | "/" => Ok(PATH.to_owned()),
        path if path.bytes().all(is_plain) => Ok(path.to_owned()),
        path => Err(format!("{path:?} is no plain path")),
    }
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
    text.len() <= 253 && text.split('.').all(is_label) && !ends_in_a_number(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_read() {
        for (text, address) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
        ] {
            let expected = Resolver::Address(address.parse().unwrap());
            assert_eq!(Resolver::parse(text), Ok(expected), "{text}");
        }
        assert_eq!(Resolver::parse(" System "), Ok(Resolver::System));
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for text in [
            "",
            "dns.example",
            "192.0.2.1:0",
            "0.0.0.0",
            "224.0.0.1",
            "[192.0.2.1]",
            "udp://192.0.2.1",
            "https://0xa9fea9fe/dns-query",
            "tls://127.0.0.0x1",
            "tls://",
            "tls://0.0.0.0",
            "tls://192.0.2.1:0",
            "tls://192.0.2.1/path",
            "tls://256.1.1.1",
            "https://-dns.example/",
            "https://dns.example/q?key=1",
            "https://dns.example:99999/q",
        ] {
            assert!(Resolver::parse(text).is_err(), "{text}");
        }
        let refused = Resolver::parse("https://me:word@dns.example/").unwrap_err();
        assert!(!refused.contains("word"), "{refused}");
    }

    #[test]
    fn servers_of_encrypted_dns_have_an_address_or_a_name_and_their_standard_port() {
        let named = |port| Server::Named("dns.example".to_owned(), port);
        let at = |text: &str| Server::Ip(text.parse().unwrap());
        let path = |text: &str| text.to_owned();
        for (text, expected) in [
            ("tls://9.9.9.9", Resolver::Tls(at("9.9.9.9:853"))),
            (
                "tls://[2001:db8::1]:8853",
                Resolver::Tls(at("[2001:db8::1]:8853")),
            ),
            ("tls://DNS.Example", Resolver::Tls(named(853))),
            (
                "https://dns.example",
                Resolver::Https(named(443), path("/dns-query")),
            ),
            (
                "https://dns.example:8443/q{?dns}",
                Resolver::Https(named(8443), path("/q")),
            ),
            (
                "https://9.9.9.9/q",
                Resolver::Https(at("9.9.9.9:443"), path("/q")),
            ),
        ] {
            let read = Resolver::parse(text).unwrap();
            assert_eq!(read, expected, "{text}");
        }
        let address = |text| Resolver::parse(text).unwrap().address();
        assert_eq!(
            address("tls://9.9.9.9"),
            Some("9.9.9.9:853".parse().unwrap())
        );
        assert_eq!(address("tls://dns.example"), None);
    }
}
