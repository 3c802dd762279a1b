//! What an HTTP persona may not ask for.

use super::{
    CookieMode, Error, HttpConfig, TlsVersion,
    dns::{check_burst, check_rate},
    robots,
};

/// The most headers or cookies of a persona.
const MAX_FIELDS: usize = 50;
/// The longest value of a header or cookie, bytes.
const MAX_VALUE: usize = 4_096;

/// Headers that are sent without being among `headers`, or may be.
const OWN_HEADERS: [&str; 5] = ["host", "user-agent", "accept", "accept-encoding", "cookie"];

/// Headers that the client writes itself or that have a setting of their own, with why each is refused.
const REFUSED_HEADERS: [(&str, &str); 15] = [
    ("cookie", "cookies are set by cookieHandling"),
    ("user-agent", "is set by userAgent"),
    (
        "accept-encoding",
        "is written by the client, which must be able to decode the answer",
    ),
    ("range", "would fetch parts of pages"),
    ("host", BY_CLIENT),
    ("content-length", BY_CLIENT),
    ("transfer-encoding", BY_CLIENT),
    ("connection", BY_CLIENT),
    ("keep-alive", BY_CLIENT),
    ("proxy-connection", BY_CLIENT),
    ("upgrade", BY_CLIENT),
    ("http2-settings", BY_CLIENT),
    ("te", BY_CLIENT),
    ("trailer", BY_CLIENT),
    ("expect", BY_CLIENT),
];

const BY_CLIENT: &str = "is written by the client";

/// Words in the names of headers and cookies that prove who the sender is.
const CREDENTIALS: [&str; 10] = [
    "auth",
    "token",
    "api-key",
    "apikey",
    "api_key",
    "secret",
    "password",
    "session",
    "cookie",
    "credential",
];

pub(super) fn check(config: &HttpConfig) -> Result<(), Error> {
    if config.user_agent.trim().is_empty() || !is_field_value(&config.user_agent) {
        return Err(Error::invalid("userAgent", "must be visible ASCII text"));
    }
    check_headers(config)?;
    check_header_order(config)?;
    check_tls(config)?;
    check_cookies(config)?;
    if let Some(robots) = &config.robots {
        robots::check(robots)?;
    }
    Error::unless_within(
        "requestTimeoutSeconds",
        config.request_timeout_seconds.unwrap_or_default(),
        0,
        300,
    )?;
    for (at, status) in config.allowed_status_codes.iter().enumerate() {
        Error::unless_within(&format!("allowedStatusCodes[{at}]"), *status, 200, 599)?;
    }
    check_rate("rateLimitDps", config.rate_limit_dps)?;
    check_burst(config.rate_limit_dps, config.rate_limit_burst)
}

fn check_headers(config: &HttpConfig) -> Result<(), Error> {
    if config.headers.len() > MAX_FIELDS {
        return Err(Error::invalid("headers", "at most 50 are allowed"));
    }
    for (name, value) in &config.headers {
        let field = || format!("headers.{name}");
        if !is_token(name) {
            return Err(Error::invalid(field(), "is no header name (RFC 9110 §5.1)"));
        }
        let refused = REFUSED_HEADERS
            .iter()
            .find(|(refused, _)| refused.eq_ignore_ascii_case(name));
        if let Some((_, why)) = refused {
            return Err(Error::invalid(field(), *why));
        }
        refuse_credentials(name, field)?;
        if !is_field_value(value) {
            return Err(Error::invalid(
                field(),
                "must be visible ASCII text, at most 4096 bytes",
            ));
        }
    }
    Ok(())
}

fn check_header_order(config: &HttpConfig) -> Result<(), Error> {
    for (at, name) in config.header_order.iter().enumerate() {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        let known = OWN_HEADERS.iter().any(|own| same(own))
            || config.headers.keys().any(|header| same(header));
        let field = || format!("headerOrder[{at}]");
        if !known {
            return Err(Error::invalid(field(), "names no header that is sent"));
        }
        if config.header_order.iter().take(at).any(|other| same(other)) {
            return Err(Error::invalid(field(), "is there twice"));
        }
    }
    Ok(())
}

fn check_tls(config: &HttpConfig) -> Result<(), Error> {
    let Some(hello) = &config.tls_client_hello else {
        return Ok(());
    };
    for (field, version) in [
        ("tlsClientHello.minVersion", hello.min_version),
        ("tlsClientHello.maxVersion", hello.max_version),
    ] {
        if matches!(version, Some(TlsVersion::Tls10 | TlsVersion::Tls11)) {
            return Err(Error::invalid(
                field,
                "TLS 1.0 and 1.1 are not spoken (RFC 8996)",
            ));
        }
    }
    let (least, most) = config.tls_versions();
    if least > most {
        return Err(Error::invalid(
            "tlsClientHello.minVersion",
            "is higher than maxVersion",
        ));
    }
    for (field, chosen) in [
        ("tlsClientHello.cipherSuites", &hello.cipher_suites),
        ("tlsClientHello.curvePreferences", &hello.curve_preferences),
    ] {
        if !chosen.is_empty() {
            return Err(Error::invalid(field, "cannot be chosen"));
        }
    }
    Ok(())
}

fn check_cookies(config: &HttpConfig) -> Result<(), Error> {
    let Some(handling) = &config.cookie_handling else {
        return Ok(());
    };
    let custom = config.cookie_mode() == CookieMode::Custom;
    if custom == handling.cookies.is_empty() {
        return Err(if custom {
            Error::invalid("cookieHandling.mode", "custom needs cookieHandling.cookies")
        } else {
            Error::invalid("cookieHandling.cookies", "needs the mode custom")
        });
    }
    if handling.cookies.len() > MAX_FIELDS {
        return Err(Error::invalid(
            "cookieHandling.cookies",
            "at most 50 are allowed",
        ));
    }
    for (name, value) in &handling.cookies {
        let field = || format!("cookieHandling.cookies.{name}");
        refuse_credentials(name, field)?;
        let plain = value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte));
        if !is_token(name) || !plain || value.len() > MAX_VALUE {
            return Err(Error::invalid(field(), "is no cookie (RFC 6265 §4.1.1)"));
        }
    }
    Ok(())
}

/// Refuses what would put a credential into the log, by its name: all that there is to tell by.
fn refuse_credentials(name: &str, field: impl Fn() -> String) -> Result<(), Error> {
    let name = name.to_ascii_lowercase();
    match CREDENTIALS.iter().any(|word| name.contains(word)) {
        true => Err(Error::invalid(
            field(),
            "would put credentials into the log, which keeps everything",
        )),
        false => Ok(()),
    }
}

/// Tells a token of RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 128
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Tells a header value without line breaks, control or non-ASCII characters (RFC 9110 §5.5).
fn is_field_value(text: &str) -> bool {
    text.len() <= MAX_VALUE
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::{CookieHandling, TlsClientHello};

    fn refused(change: impl FnOnce(&mut HttpConfig)) -> String {
        let mut config = HttpConfig::default();
        config.validate().unwrap();
        change(&mut config);
        match config.validate().unwrap_err() {
            Error::Invalid { field, .. } => field,
            other => panic!("{other}"),
        }
    }

    fn hello(change: impl FnOnce(&mut TlsClientHello)) -> String {
        refused(|config| {
            let mut hello = TlsClientHello::default();
            change(&mut hello);
            config.tls_client_hello = Some(hello);
        })
    }

    fn header(name: &str, value: &str) -> String {
        refused(|config| {
            config.headers.insert(name.to_owned(), value.to_owned());
        })
    }

    #[test]
    fn what_the_client_cannot_do_is_refused_by_field() {
        assert_eq!(
            hello(|h| h.cipher_suites.push("x".into())),
            "tlsClientHello.cipherSuites"
        );
        assert_eq!(
            hello(|h| h.curve_preferences.push("x".into())),
            "tlsClientHello.curvePreferences"
        );
        assert_eq!(
            hello(|h| h.min_version = Some(TlsVersion::Tls10)),
            "tlsClientHello.minVersion"
        );
        assert_eq!(
            hello(|h| h.max_version = Some(TlsVersion::Tls11)),
            "tlsClientHello.maxVersion"
        );
        assert_eq!(
            hello(|h| {
                h.min_version = Some(TlsVersion::Tls13);
                h.max_version = Some(TlsVersion::Tls12);
            }),
            "tlsClientHello.minVersion"
        );
    }

    #[test]
    fn the_order_of_headers_names_each_header_that_is_sent_at_most_once() {
        let order = |names: &[&str]| {
            let mut config = HttpConfig::default();
            config.headers.insert("DNT".to_owned(), "1".to_owned());
            config.header_order = names.iter().map(|&name| name.to_owned()).collect();
            config.validate()
        };
        order(&["Host", "dnt", "User-Agent", "cookie"]).unwrap();
        for (names, field) in [
            (&["accept", "x-else"][..], "headerOrder[1]"),
            (&["dnt", "accept", "DNT"][..], "headerOrder[2]"),
            (&[""][..], "headerOrder[0]"),
        ] {
            let error = order(names).unwrap_err();
            assert!(
                matches!(&error, Error::Invalid { field: found, .. } if found == field),
                "{error}"
            );
        }
    }

    #[test]
    fn headers_carry_no_credentials_and_break_no_request() {
        assert_eq!(header("Authorization", "Bearer x"), "headers.Authorization");
        assert_eq!(header("Cookie", "a=b"), "headers.Cookie");
        assert_eq!(header("Host", "example.com"), "headers.Host");
        assert_eq!(header("X A", "b"), "headers.X A");
        assert_eq!(header("X-A", "b\r\nX-B: c"), "headers.X-A");
        assert_eq!(refused(|c| c.user_agent = "a\nb".into()), "userAgent");
        assert_eq!(refused(|c| c.user_agent = " ".into()), "userAgent");
    }

    #[test]
    fn credentials_are_told_by_the_names_that_they_have() {
        for name in [
            "X-Api-Key",
            "X-Auth-Token",
            "My-Secret-Thing",
            "Cookie2",
            "Proxy-Authorization",
            "X-Session",
        ] {
            assert_eq!(header(name, "y"), format!("headers.{name}"));
        }
        let cookies = [("auth_token".to_owned(), "y".to_owned())].into();
        let handling = CookieHandling {
            mode: Some(CookieMode::Custom),
            cookies,
        };
        assert_eq!(
            refused(|config| config.cookie_handling = Some(handling)),
            "cookieHandling.cookies.auth_token"
        );
        for name in ["Accept-Language", "DNT", "Referer", "X-Requested-With"] {
            let mut config = HttpConfig::default();
            config.headers.insert(name.to_owned(), "y".to_owned());
            config.validate().unwrap();
        }
    }

    #[test]
    fn custom_cookies_must_be_given_and_only_then() {
        let cookies = |mode, cookies: &[(&str, &str)]| {
            let cookies = cookies
                .iter()
                .map(|&(n, v)| (n.to_owned(), v.to_owned()))
                .collect();
            let cookie_handling = Some(CookieHandling {
                mode: Some(mode),
                cookies,
            });
            let config = HttpConfig {
                cookie_handling,
                ..HttpConfig::default()
            };
            config.validate()
        };
        assert!(cookies(CookieMode::Custom, &[]).is_err());
        assert!(cookies(CookieMode::Preserve, &[("a", "b")]).is_err());
        assert!(cookies(CookieMode::Custom, &[("a", "b; c")]).is_err());
        assert!(cookies(CookieMode::Custom, &[("consent", "yes")]).is_ok());
    }

    #[test]
    fn numbers_keep_their_ranges() {
        assert_eq!(
            refused(|c| c.request_timeout_seconds = Some(301)),
            "requestTimeoutSeconds"
        );
        assert_eq!(
            refused(|c| c.allowed_status_codes = vec![200, 600]),
            "allowedStatusCodes[1]"
        );
        assert_eq!(
            refused(|c| c.rate_limit_dps = Some(f64::INFINITY)),
            "rateLimitDps"
        );
        assert_eq!(refused(|c| c.rate_limit_burst = Some(3)), "rateLimitBurst");
    }
}
