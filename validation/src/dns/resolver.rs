//! How a resolver is written in a configuration.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use hickory_resolver::system_conf::read_system_conf;

use super::Error;

/// The port of plain DNS, RFC 1035 §4.2.
const DNS_PORT: u16 = 53;

/// Names who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resolver {
    /// One server, asked over UDP, and over TCP when an answer was cut short.
    Address(SocketAddr),
    /// Whatever the machine itself uses, read when the engine starts.
    System,
}

impl Resolver {
    /// Reads `ip`, `ip:port`, `[v6]:port` or `system`.
    ///
    /// # Errors
    /// Anything else; `tls://` and `https://` are refused by name, for they would otherwise be asked in the clear.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("system") {
            return Ok(Self::System);
        }
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(Error::invalid(
                "resolvers",
                match scheme {
                    "tls" => format!("{text}: DNS over TLS is not supported"),
                    "https" => format!("{text}: DNS over HTTPS is not supported"),
                    _ => format!("{text}: the scheme is not known"),
                },
            ));
        }
        let address = if let Ok(ip) = text.parse::<IpAddr>() {
            SocketAddr::new(ip, DNS_PORT)
        } else if let Some(ip) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|ip| ip.parse().ok())
        {
            SocketAddr::new(IpAddr::V6(ip), DNS_PORT)
        } else {
            text.parse().map_err(|_| {
                Error::invalid(
                    "resolvers",
                    format!("{text:?} is not ip, ip:port, [v6]:port or system"),
                )
            })?
        };
        if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(Error::invalid(
                "resolvers",
                format!("{text} is no address of a server"),
            ));
        }
        Ok(Self::Address(address))
    }

    /// Lists the addresses behind the name: itself, or the system's.
    pub(super) fn addresses(&self) -> Result<Vec<SocketAddr>, Error> {
        match self {
            Self::Address(address) => Ok(vec![*address]),
            Self::System => {
                let (config, _) =
                    read_system_conf().map_err(|source| Error::System(Box::new(source)))?;
                Ok(config
                    .name_servers()
                    .iter()
                    .map(|server| SocketAddr::new(server.ip, DNS_PORT))
                    .collect())
            }
        }
    }
}

impl fmt::Display for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) if address.port() == DNS_PORT => address.ip().fmt(formatter),
            Self::Address(address) => address.fmt(formatter),
            Self::System => formatter.write_str("system"),
        }
    }
}

impl FromStr for Resolver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_understood_and_shown_again() {
        for (text, shown) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:53", "192.0.2.1"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:5353", "[2001:db8::1]:5353"),
            (" System ", "system"),
        ] {
            assert_eq!(Resolver::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_with_its_name() {
        for (text, part) in [
            ("tls://9.9.9.9", "DNS over TLS"),
            ("https://dns.example/dns-query", "DNS over HTTPS"),
            ("quic://9.9.9.9", "scheme"),
            ("dns.example", "not ip"),
            ("", "not ip"),
            ("192.0.2.1:0", "no address of a server"),
            ("0.0.0.0", "no address of a server"),
            ("192.0.2.1:99999", "not ip"),
        ] {
            let error = Resolver::parse(text).unwrap_err().to_string();
            assert!(
                error.starts_with("resolvers: ") && error.contains(part),
                "{error}"
            );
        }
    }
}
