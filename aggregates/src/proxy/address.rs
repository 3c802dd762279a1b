//! How a proxy is written: `host:port`, `[v6]:port` or `scheme://user:password@host:port`.

use super::{Endpoint, Login, Protocol};

/// What an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// How the proxy is spoken to, where the address has a scheme.
    pub protocol: Option<Protocol>,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Who asks, where the address says so (RFC 3986, 3.2.1); never for an event.
    pub login: Option<Login>,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what is wrong. The text is not repeated: it may hold a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let (protocol, rest) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) => {
                let protocol = scheme
                    .parse()
                    .map_err(|_| "has a scheme other than http, https, socks4 and socks5")?;
                (Some(protocol), rest.strip_suffix('/').unwrap_or(rest))
            }
        };
        // The last one: an unescaped `@` in a password is a common slip that can be read in one way only.
        let (login, endpoint) = match rest.rsplit_once('@') {
            None => (None, rest),
            Some((login, endpoint)) => (Some(read_login(login)?), endpoint),
        };
        Ok(Self {
            protocol,
            endpoint: Endpoint::parse(endpoint)?,
            login,
        })
    }
}

fn read_login(text: &str) -> Result<Login, &'static str> {
    let (username, password) = match text.split_once(':') {
        Some((username, password)) => (username, Some(password)),
        None => (text, None),
    };
    let username = decoded(username)?;
    if username.is_empty() {
        return Err("has a password and no user name");
    }
    let password = password.map(decoded).transpose()?;
    Ok(Login { username, password })
}

/// Reads percent-encoded text (RFC 3986, 2.1).
fn decoded(text: &str) -> Result<String, &'static str> {
    const BAD: &str = "has a user name or password that is no percent-encoded UTF-8";
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let (&[high, low], after) = after.split_first_chunk().ok_or(BAD)?;
        bytes.push(16 * digit(high).ok_or(BAD)? + digit(low).ok_or(BAD)?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| BAD)
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_read() {
        for (text, protocol, endpoint, login) in [
            ("proxy.example:3128", None, "proxy.example:3128", None),
            ("192.0.2.1:1080", None, "192.0.2.1:1080", None),
            ("[2001:DB8::1]:1080", None, "[2001:db8::1]:1080", None),
            ("squid:3128", None, "squid:3128", None),
            (
                "HTTP://Bücher.Example:80/",
                Some(Protocol::Http),
                "xn--bcher-kva.example:80",
                None,
            ),
            (
                "socks5://ann@[::1]:1080",
                Some(Protocol::Socks5),
                "[::1]:1080",
                Some(("ann", None)),
            ),
            (
                "https://ann:a%3Ab%40c@proxy.example:443",
                Some(Protocol::Https),
                "proxy.example:443",
                Some(("ann", Some("a:b@c"))),
            ),
            (
                "ann:p@ss@192.0.2.1:1",
                None,
                "192.0.2.1:1",
                Some(("ann", Some("p@ss"))),
            ),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!(address.protocol, protocol, "{text}");
            assert_eq!(address.endpoint.to_string(), endpoint, "{text}");
            let login = login.map(|(username, password): (&str, Option<&str>)| Login {
                username: username.to_owned(),
                password: password.map(str::to_owned),
            });
            assert_eq!(address.login, login, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_proxy_is_refused() {
        for (text, why) in [
            ("", "port"),
            ("proxy.example", "port"),
            ("proxy.example:0", "port"),
            ("proxy.example:+80", "port"),
            ("proxy.example:65536", "port"),
            ("http://proxy.example:80/path", "port"),
            ("2001:db8::1:1080", "brackets"),
            ("[192.0.2.1]:80", "brackets"),
            ("10.0.0.999:80", "no host"),
            ("a_b.example:80", "no host"),
            ("0.0.0.0:80", "no address"),
            ("[ff02::1]:80", "no address"),
            ("ftp://proxy.example:21", "scheme"),
            (":secret@proxy.example:80", "no user name"),
            ("ann:%zz@proxy.example:80", "percent-encoded"),
            ("ann:%ff@proxy.example:80", "percent-encoded"),
        ] {
            let refused = Address::parse(text).expect_err(text);
            assert!(refused.contains(why), "{text}: {refused}");
            assert!(!refused.contains("secret"), "{text}");
        }
    }

    #[test]
    fn a_password_does_not_show() {
        let address = Address::parse("ann:secret@proxy.example:80").unwrap();
        assert!(!format!("{address:?}").contains("secret"));
    }
}
