//! Where a proxy is and what it is told, out of the fields of a request that may say either twice.

use aggregates::proxy::{Address, Endpoint, MAX_LOGIN, Protocol};

use super::view::ProxyProtocol;
use crate::{credentials::Kept, http::Error, work::Network};

/// The fields of a request that say where a proxy is and what it is told.
pub(super) struct Fields {
    pub(super) address: Option<String>,
    pub(super) protocol: Option<ProxyProtocol>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// What these fields come to.
pub(super) struct Setup {
    pub(super) protocol: Option<Protocol>,
    pub(super) endpoint: Option<Endpoint>,
    /// The name; an empty one takes name and password away.
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
}

/// What becomes of the credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// They stay.
    Kept,
    /// They are these; without a password the one that is kept stays.
    These(String, Option<String>),
    /// There are none any more.
    Nothing,
}

impl Fields {
    /// Reads the fields.
    ///
    /// # Errors
    /// Names the field that does not read, says something else than another, or may not be connected to. What is secret is
    /// not repeated.
    pub(super) fn read(self, network: &Network) -> Result<Setup, Error> {
        let wanted = self.protocol.map(Protocol::from);
        let Some(address) = self.address else {
            return Ok(Setup {
                protocol: wanted,
                endpoint: None,
                username: self.username,
                password: self.password,
            });
        };
        let address =
            Address::parse(&address).map_err(|why| Error::unprocessable("address", why))?;
        if let (Some(wanted), Some(written)) = (wanted, address.protocol)
            && wanted != written
        {
            let message = format!("the address says {written}");
            return Err(Error::unprocessable("protocol", message));
        }
        let refused = address
            .endpoint
            .ip()
            .and_then(|ip| network.allowed().refuses(ip));
        if let Some(why) = refused {
            let message = format!("{} may not be connected to: {why}", address.endpoint);
            return Err(Error::unprocessable("address", message));
        }
        let (username, password) = match address.login {
            Some(login) => (Some(login.username), login.password),
            None => (None, None),
        };
        Ok(Setup {
            protocol: wanted.or(address.protocol),
            endpoint: Some(address.endpoint),
            username: once("username", self.username, username)?,
            password: once("password", self.password, password)?,
        })
    }
}

/// Takes what a field says or the address does; they may not contradict each other.
fn once(
    field: &'static str,
    said: Option<String>,
    in_address: Option<String>,
) -> Result<Option<String>, Error> {
    match (said, in_address) {
        (Some(said), Some(written)) if said != written => Err(Error::unprocessable(
            field,
            format!("the address has another {field}"),
        )),
        (said, written) => Ok(said.or(written)),
    }
}

impl Setup {
    /// Says what becomes of the credentials of a proxy that will speak a protocol.
    ///
    /// # Errors
    /// Names the field that such a proxy cannot be told.
    pub(super) fn told(&self, protocol: Protocol, kept: Option<&Kept>) -> Result<Told, Error> {
        let refused = |field: &str, message: &str| Err(Error::unprocessable(field, message));
        let removes = self.username.as_deref() == Some("");
        if removes
            && self
                .password
                .as_deref()
                .is_some_and(|password| !password.is_empty())
        {
            return refused("username", "a password needs a user name");
        }
        if removes {
            return Ok(Told::Nothing);
        }
        let username = match (&self.username, kept) {
            (Some(username), _) => username,
            (None, Some(kept)) => &kept.username,
            (None, None) if self.password.is_some() => {
                return refused("username", "a password needs a user name");
            }
            (None, None) => return Ok(Told::Kept),
        };
        let has_password = match &self.password {
            Some(password) => !password.is_empty(),
            None => kept.is_some_and(|kept| kept.has_password),
        };
        if username.len() > MAX_LOGIN || username.contains(['\0', '\r', '\n']) {
            return refused("username", "must have at most 255 bytes, in one line");
        }
        let too_long =
            |password: &String| password.len() > MAX_LOGIN || password.contains(['\0', '\r', '\n']);
        if self.password.as_ref().is_some_and(too_long) {
            return refused("password", "must have at most 255 bytes, in one line");
        }
        match protocol {
            // RFC 7617, 2: the first colon ends the name.
            Protocol::Http | Protocol::Https if username.contains(':') => {
                return refused(
                    "username",
                    "an http proxy cannot be told a name with a colon",
                );
            }
            // RFC 1929, 2: a password has at least one byte.
            Protocol::Socks5 if !has_password => {
                return refused(
                    "password",
                    "a socks5 proxy is told a name with a password only",
                );
            }
            protocol if has_password && !protocol.takes_passwords() => {
                return refused("password", "a socks4 proxy is told no passwords");
            }
            _ => {}
        }
        match (&self.username, &self.password) {
            (None, None) => Ok(Told::Kept),
            (Some(same), None) if kept.is_some_and(|kept| kept.username == *same) => Ok(Told::Kept),
            (_, password) => Ok(Told::These(username.clone(), password.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(username: Option<&str>, password: Option<&str>) -> Setup {
        Setup {
            protocol: None,
            endpoint: None,
            username: username.map(str::to_owned),
            password: password.map(str::to_owned),
        }
    }

    fn these(username: &str, password: Option<&str>) -> Result<Told, &'static str> {
        Ok(Told::These(
            username.to_owned(),
            password.map(str::to_owned),
        ))
    }

    #[test]
    fn what_is_not_said_of_the_credentials_stays() {
        use Protocol::{Http, Socks4, Socks5};
        let ann = Kept {
            username: "ann".to_owned(),
            has_password: true,
        };
        let cases = [
            (setup(None, None), Http, None, Ok(Told::Kept)),
            (setup(None, None), Http, Some(&ann), Ok(Told::Kept)),
            (setup(Some("ann"), None), Http, Some(&ann), Ok(Told::Kept)),
            (
                setup(Some("bob"), None),
                Http,
                Some(&ann),
                these("bob", None),
            ),
            (
                setup(None, Some("p")),
                Http,
                Some(&ann),
                these("ann", Some("p")),
            ),
            (setup(Some("ann"), None), Http, None, these("ann", None)),
            (setup(Some(""), None), Http, Some(&ann), Ok(Told::Nothing)),
            (
                setup(Some(""), Some("")),
                Http,
                Some(&ann),
                Ok(Told::Nothing),
            ),
            (
                setup(Some(""), Some("p")),
                Http,
                Some(&ann),
                Err("username"),
            ),
            (setup(None, Some("p")), Http, None, Err("username")),
            (setup(Some("a:b"), None), Http, None, Err("username")),
            (
                setup(Some("a:b"), Some("p")),
                Socks5,
                None,
                these("a:b", Some("p")),
            ),
            (setup(Some("ann"), None), Socks5, None, Err("password")),
            (setup(Some("ann"), None), Socks4, None, these("ann", None)),
            (setup(Some("ann"), Some("p")), Socks4, None, Err("password")),
            // What is kept binds a change of protocol too.
            (setup(None, None), Socks4, Some(&ann), Err("password")),
            (
                setup(None, Some("")),
                Socks4,
                Some(&ann),
                these("ann", Some("")),
            ),
            (setup(Some("a\r\nb"), None), Http, None, Err("username")),
            (
                setup(Some(&"x".repeat(256)), None),
                Http,
                None,
                Err("username"),
            ),
            (
                setup(Some("ann"), Some(&"x".repeat(256))),
                Http,
                None,
                Err("password"),
            ),
        ];
        for (setup, protocol, kept, expected) in cases {
            let told = setup.told(protocol, kept);
            let case = (&setup.username, &setup.password, protocol, kept);
            match (told, expected) {
                (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{case:?}"),
                (Err(Error::Unprocessable(details)), Err(field)) => {
                    assert_eq!(details[0].field, field, "{case:?}");
                }
                (told, expected) => panic!("{case:?}: {told:?}, not {expected:?}"),
            }
        }
    }
}
