//! How a resolver is written in a configuration.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use hickory_resolver::system_conf::read_system_conf;

use super::{Endpoint, Error};

/// The port of plain DNS, RFC 1035 §4.2.
const DNS_PORT: u16 = 53;

/// Names who is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resolver {
    /// One server, asked over UDP, and over TCP when an answer was cut short.
    Address(SocketAddr),
    /// Whatever the machine itself uses, read when the engine starts.
    System,
    /// One server, asked over TLS (RFC 7858).
    Tls(Endpoint),
    /// One server, asked over HTTPS (RFC 8484) at a path.
    Https(Endpoint, String),
}

impl Resolver {
    /// Reads `ip`, `ip:port`, `[v6]:port`, `tls://host[:port]`, `https://host[:port][/path]` or `system`.
    ///
    /// # Errors
    /// Anything else, in words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("system") {
            return Ok(Self::System);
        }
        if text.contains('@') {
            // Not repeated in the message: it may be a password.
            return Err(Error::invalid(
                "resolvers",
                "a resolver takes no credentials",
            ));
        }
        let refused = |why| Error::invalid("resolvers", format!("{text}: {why}"));
        match text.split_once("://") {
            Some(("tls", rest)) => return Endpoint::of_tls(rest).map(Self::Tls).map_err(refused),
            Some(("https", rest)) => {
                let (server, path) = Endpoint::of_https(rest).map_err(refused)?;
                return Ok(Self::Https(server, path));
            }
            Some(_) => return Err(refused("the scheme is not known".to_owned())),
            None => {}
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
                    format!("{text:?} is not ip, ip:port, [v6]:port, tls://, https:// or system"),
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

    /// Gives the address of the server where the configuration names one, and not a name or the system.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Address(address) => Some(*address),
            Self::Tls(server) | Self::Https(server, _) => server.address(),
            Self::System => None,
        }
    }
}

/// Reads which resolvers the machine itself uses.
pub(super) fn of_the_system() -> Result<Vec<SocketAddr>, Error> {
    let (config, _) = read_system_conf().map_err(|source| Error::System(Box::new(source)))?;
    let servers = config.name_servers().iter();
    Ok(servers
        .map(|server| SocketAddr::new(server.ip, DNS_PORT))
        .collect())
}

impl fmt::Display for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) if address.port() == DNS_PORT => address.ip().fmt(formatter),
            Self::Address(address) => address.fmt(formatter),
            Self::System => formatter.write_str("system"),
            Self::Tls(server) => server.write_tls(formatter),
            Self::Https(server, path) => server.write_https(path, formatter),
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
            ("tls://9.9.9.9", "tls://9.9.9.9"),
            ("tls://9.9.9.9:853", "tls://9.9.9.9"),
            ("tls://[2001:db8::1]:8853", "tls://[2001:db8::1]:8853"),
            ("tls://DNS.Example", "tls://dns.example"),
            ("https://dns.example", "https://dns.example/dns-query"),
            ("https://dns.example:443/q", "https://dns.example/q"),
            ("https://[2001:db8::1]/q{?dns}", "https://[2001:db8::1]/q"),
            ("https://9.9.9.9:8443/", "https://9.9.9.9:8443/dns-query"),
        ] {
            assert_eq!(Resolver::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_with_its_name() {
        for (text, part) in [
            ("tls://", "no host"),
            ("tls://9.9.9.9:0", "no address of a server"),
            ("tls://0.0.0.0", "no address of a server"),
            ("tls://9.9.9.9/path", "no host"),
            ("tls://256.1.1.1", "no host"),
            ("https://-dns.example/", "no host"),
            ("https://user:word@dns.example/", "takes no credentials"),
            ("https://dns.example/q?key=1", "no plain path"),
            ("https://dns.example:99999/q", "no host"),
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
