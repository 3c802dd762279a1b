//! What a persona is tried on, and which addresses of pages a user may name.

use std::{fmt, str::FromStr};

use aggregates::names::DomainName;
use url::{Host, Url};

/// The longest address of a page, bytes.
const MAX_URL: usize = 2_048;

/// What a persona is tried on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A domain: its name, and its start page.
    Domain(DomainName),
    /// One page.
    Page(Url),
}

impl Target {
    /// Returns the name that has to be looked up; nothing where the page is named by an address.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Domain(name) => Some(name.as_str()),
            Self::Page(url) => match url.host() {
                Some(Host::Domain(name)) => Some(name),
                _ => None,
            },
        }
    }
}

impl FromStr for Target {
    type Err = String;

    /// Reads a domain, or the address of a page.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return page_url(text).map(Self::Page);
        }
        let name = DomainName::parse(text);
        name.map(Self::Domain)
            .map_err(|error| format!("is no domain: {error}"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => name.fmt(f),
            Self::Page(url) => url.fmt(f),
        }
    }
}

/// Reads the address of a page that a user names.
///
/// # Errors
/// Says what is wrong with it; a user name and a password are not repeated.
pub fn page_url(text: &str) -> Result<Url, String> {
    if text.len() > MAX_URL {
        return Err(format!("must have at most {MAX_URL} bytes"));
    }
    let mut url = Url::parse(text).map_err(|error| format!("is no address of a page: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("must begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must have no user name and no password".to_owned());
    }
    // As for redirects: below 1024 live the mail servers and others that take a request for commands.
    if let Some(port @ ..1024) = url.port()
        && !matches!(port, 80 | 443)
    {
        return Err(format!("must not lead to port {port}"));
    }
    if let Some(Host::Domain(name)) = url.host() {
        DomainName::parse(name).map_err(|error| format!("must name a domain: {error}"))?;
    }
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_domain_or_the_address_of_a_page() {
        for (text, shown, name) in [
            ("Example.COM.", "example.com", Some("example.com")),
            (
                "bücher.test",
                "xn--bcher-kva.test",
                Some("xn--bcher-kva.test"),
            ),
            ("https://a.test/x?y#z", "https://a.test/x?y", Some("a.test")),
            ("http://a.test:8080", "http://a.test:8080/", Some("a.test")),
            ("http://192.0.2.1/", "http://192.0.2.1/", None),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), shown);
            assert_eq!(target.name(), name, "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_refused_and_no_password_is_repeated() {
        for (text, says) in [
            ("", "empty"),
            ("localhost", "label"),
            ("192.0.2.1", "address"),
            ("a b.test", "character"),
            ("ftp://a.test/", "must begin with http"),
            ("https://ann:secret@a.test/", "no password"),
            ("http://a.test:25/", "port 25"),
            ("http://localhost/", "must name a domain"),
            ("https://", "is no address"),
        ] {
            let why = text.parse::<Target>().unwrap_err();
            assert!(!why.contains("secret"), "{why}");
            assert!(why.contains(says), "{text}: {why}");
        }
        let long = format!("http://a.test/{}", "x".repeat(MAX_URL));
        assert!(page_url(&long).unwrap_err().contains("2048"));
    }
}
