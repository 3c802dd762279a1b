//! Whether the engine takes a proxy as a request leaves it. It has the last word: what it does not take would fail in the
//! first run.

use aggregates::proxy::{Endpoint, Protocol};
use uuid::Uuid;
use validation::http;

use super::login::Told;
use crate::{credentials::Kept, http::Error, work::proxies};

/// Stands for a password that is kept sealed, and was checked when it was.
const SEALED: &str = "sealed";

/// Checks a proxy with the credentials that it will be told.
///
/// # Errors
/// Names the field that the engine does not take; what is secret is not repeated.
pub(super) fn check(
    protocol: Protocol,
    endpoint: &Endpoint,
    kept: Option<&Kept>,
    told: &Told,
) -> Result<(), Error> {
    let sealed = match kept {
        Some(kept) if kept.has_password => SEALED,
        _ => "",
    };
    let credentials = match told {
        Told::Nothing => None,
        Told::Kept => kept.map(|kept| (&kept.username, sealed)),
        Told::These(username, password) => Some((username, password.as_deref().unwrap_or(sealed))),
    };
    let proxy = http::Proxy {
        id: http::ProxyId(Uuid::nil()),
        protocol: proxies::protocol(protocol),
        host: endpoint.host().to_owned(),
        port: endpoint.port(),
        credentials: credentials.map(|(username, password)| http::Credentials {
            username: username.clone(),
            password: password.to_owned(),
        }),
    };
    proxy
        .validate()
        .map_err(|why| Error::unprocessable(field(&why), why))
}

const fn field(why: &http::ProxyError) -> &'static str {
    match why {
        http::ProxyError::Protocol(_) => "protocol",
        http::ProxyError::Host(_) | http::ProxyError::Port => "address",
        http::ProxyError::Username => "username",
        http::ProxyError::Password | http::ProxyError::NoPassword => "password",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(has_password: bool) -> Kept {
        Kept {
            username: "ann".to_owned(),
            has_password,
        }
    }

    fn these(username: &str, password: Option<&str>) -> Told {
        Told::These(username.to_owned(), password.map(str::to_owned))
    }

    #[test]
    fn the_engine_is_asked_about_what_the_proxy_will_be_told_and_names_the_field() {
        use Protocol::{Http, Socks4, Socks5};
        let (full, bare) = (kept(true), kept(false));
        let endpoint = Endpoint::parse("proxy.example:1080").unwrap();
        for (protocol, kept, told, refused) in [
            (Socks5, None, Told::Kept, None),
            (Socks5, Some(&full), Told::Kept, None),
            (Socks5, Some(&bare), Told::Kept, Some("password")),
            (Socks5, Some(&full), these("bob", None), None),
            (Socks5, Some(&bare), Told::Nothing, None),
            (Socks4, Some(&full), Told::Kept, Some("password")),
            (Socks4, None, these("bob", None), None),
            (Http, None, these("a:b", Some("x")), Some("username")),
        ] {
            let field = match check(protocol, &endpoint, kept, &told) {
                Ok(()) => None,
                Err(Error::Unprocessable(details)) => Some(details[0].field.clone()),
                Err(other) => panic!("{other:?}"),
            };
            assert_eq!(field.as_deref(), refused, "{protocol} {told:?}");
        }
    }
}
