//! How a resolver is written in a persona.

use std::net::{IpAddr, SocketAddr};

/// A resolver that a persona names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolver {
    /// Whatever the machine itself uses.
    System,
    /// One server, over UDP and TCP (RFC 1035, RFC 7766).
    Address(SocketAddr),
}

impl Resolver {
    /// Reads `ip`, `ip:port`, `[v6]:port` or `system`; the port is 53 where none is given.
    ///
    /// # Errors
    /// Says what is wrong with anything else. `tls://` and `https://` are refused by name: asking such a resolver in
    /// the clear would be worse than not asking it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("system") {
            return Ok(Self::System);
        }
        match text.split_once("://") {
            Some(("tls", _)) => return Err(format!("{text}: DNS over TLS is not available yet")),
            Some(("https", _)) => {
                return Err(format!("{text}: DNS over HTTPS is not available yet"));
            }
            Some((scheme, _)) => return Err(format!("{text}: unknown scheme {scheme:?}")),
            None => {}
        }
        // Brackets belong to IPv6 alone.
        let bracketed = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|bare| bare.parse().ok())
            .map(IpAddr::V6);
        let address = match bracketed.or_else(|| text.parse().ok()) {
            Some(ip) => SocketAddr::new(ip, 53),
            None => text
                .parse()
                .map_err(|_| format!("{text:?} is not ip, ip:port, [v6]:port or system"))?,
        };
        if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(format!("{text} is no address of a server"));
        }
        Ok(Self::Address(address))
    }
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
        ] {
            assert!(Resolver::parse(text).is_err(), "{text}");
        }
        assert!(
            Resolver::parse("tls://192.0.2.1")
                .unwrap_err()
                .contains("not available yet")
        );
        assert!(
            Resolver::parse("https://dns.example/dns-query")
                .unwrap_err()
                .contains("not available yet")
        );
    }
}
