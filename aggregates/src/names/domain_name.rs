//! A legal, lower-case host name with at least two labels.

use std::{borrow::Borrow, fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    Illegal,
    label::{self, MAX_NAME},
};

/// A domain name in the form that goes over the wire: lower case, A-labels, no trailing dot.
///
/// [`DomainName::parse`] is the way in for everything from outside. Decoding from the log trusts what was once
/// checked, so that a stricter IDNA table of a later year cannot make the log unreadable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DomainName(Box<str>);

impl DomainName {
    /// Parses a name as people write it: any case, perhaps Unicode, perhaps with a trailing dot.
    ///
    /// # Errors
    /// Says which rule of RFC 1035, RFC 1123 or UTS-46 the text breaks.
    pub fn parse(text: &str) -> Result<Self, Illegal> {
        let text = text.trim();
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(Illegal::Empty);
        }
        if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
            return Err(Illegal::Address);
        }
        let name = labels_to_wire(text)?;
        let Some((_, last)) = name.rsplit_once('.') else {
            return Err(Illegal::OneLabel);
        };
        if last.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Illegal::Address);
        }
        Ok(Self(name.into_boxed_str()))
    }

    /// Wraps a name that the generator has checked label by label.
    pub(super) fn from_checked(name: &str) -> Self {
        Self(name.into())
    }

    /// Borrows the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the part that somebody registered: one label below a public suffix, or nothing for a suffix itself.
    #[must_use]
    pub fn registrable(&self) -> Option<&str> {
        psl::domain_str(&self.0)
    }
}

/// Tells whether a dotted name ends in a number, which makes it an address (WHATWG URL, 3.5): in decimal digits, or in
/// hexadecimal ones behind `0x`.
pub(crate) fn ends_in_a_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Converts a dotted name, of one label or more, into lower-case LDH labels within 253 bytes.
pub(crate) fn labels_to_wire(text: &str) -> Result<String, Illegal> {
    // An upper bound on the work: punycode never makes a label shorter than its number of characters.
    if text.chars().count() > MAX_NAME {
        return Err(Illegal::TooLong);
    }
    let lower = text.to_lowercase();
    let mut name = String::with_capacity(lower.len());
    // The other full stops of UTS-46 §2.3 separate labels as well.
    for part in lower.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&label::to_wire(part)?);
    }
    if name.len() > MAX_NAME {
        return Err(Illegal::TooLong);
    }
    Ok(name)
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DomainName {
    type Err = Illegal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl AsRef<str> for DomainName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for DomainName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> String {
        DomainName::parse(text).unwrap().to_string()
    }

    #[test]
    fn names_are_lowered_and_lose_their_trailing_dot() {
        assert_eq!(parsed(" Example.COM. "), "example.com");
        assert_eq!(parsed("Bücher.Example"), "xn--bcher-kva.example");
        assert_eq!(parsed("例え。テスト"), "xn--r8jz45g.xn--zckzah");
    }

    #[test]
    fn every_refusal_says_which_rule_was_broken() {
        let long = format!("{}.com", "a".repeat(64));
        let too_long = format!("{}com", "abcdefg.".repeat(32));
        for (text, reason) in [
            ("", Illegal::Empty),
            (".", Illegal::Empty),
            ("localhost", Illegal::OneLabel),
            ("a..com", Illegal::EmptyLabel),
            (".example.com", Illegal::EmptyLabel),
            ("example.com..", Illegal::EmptyLabel),
            ("-a.com", Illegal::Hyphen),
            ("a-.com", Illegal::Hyphen),
            ("a_b.com", Illegal::Character('_')),
            ("*.example.com", Illegal::Character('*')),
            ("10.0.0.1", Illegal::Address),
            ("::1", Illegal::Address),
            ("[::1]", Illegal::Address),
            ("10.0.0.999", Illegal::Address),
            (long.as_str(), Illegal::LabelTooLong),
            (too_long.as_str(), Illegal::TooLong),
        ] {
            assert_eq!(DomainName::parse(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn the_registrable_part_follows_the_public_suffix_list() {
        let name = DomainName::parse("www.shop.co.uk").unwrap();
        assert_eq!(name.registrable(), Some("shop.co.uk"));
        assert_eq!(DomainName::parse("co.uk").unwrap().registrable(), None);
    }

    proptest! {
        #[test]
        fn parsing_a_parsed_name_changes_nothing(text in "\\PC{0,40}\\.[a-z]{2,5}") {
            if let Ok(name) = DomainName::parse(&text) {
                prop_assert_eq!(DomainName::parse(name.as_str()), Ok(name.clone()));
                prop_assert!(name.as_str().len() <= MAX_NAME && name.as_str().is_ascii());
            }
        }
    }
}
