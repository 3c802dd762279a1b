//! Host names on the wire, RFC 1035 §3.1.

use std::fmt::Write as _;

use super::Error;

/// Longest name on the wire, length bytes and the root included.
const MAX_WIRE: usize = 255;
/// Longest label.
const MAX_LABEL: usize = 63;

/// A name as length-prefixed labels; compared without regard to case.
#[derive(Clone, Debug)]
pub(super) struct WireName {
    bytes: [u8; MAX_WIRE],
    len: usize,
}

impl WireName {
    /// Starts with nothing, not even the root.
    pub(super) const fn empty() -> Self {
        Self {
            bytes: [0; MAX_WIRE],
            len: 0,
        }
    }

    /// Encodes a host name; Unicode goes through IDNA, a last dot may be there or not.
    ///
    /// # Errors
    /// A name that no zone could hold, or with characters that are neither letters, digits, hyphens nor underscores.
    pub(super) fn encode(text: &str) -> Result<Self, Error> {
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_ascii() {
            Self::encode_ascii(text)
        } else {
            let ascii = idna::domain_to_ascii_strict(text)
                .map_err(|_| Error::invalid("name", "is not a legal international name"))?;
            Self::encode_ascii(&ascii)
        }
    }

    fn encode_ascii(text: &str) -> Result<Self, Error> {
        let mut name = Self::empty();
        for label in text.split('.') {
            if label.is_empty() {
                return Err(Error::invalid("name", "has an empty label"));
            }
            if let Some(odd) = label
                .bytes()
                .find(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'_'))
            {
                return Err(Error::invalid(
                    "name",
                    format!("holds {:?}", char::from(odd)),
                ));
            }
            if label.len() > MAX_LABEL {
                return Err(Error::invalid(
                    "name",
                    "has a label of more than 63 characters",
                ));
            }
            if !name.push_label(label.as_bytes()) {
                return Err(Error::invalid("name", "is longer than 253 characters"));
            }
        }
        if !name.push_root() {
            return Err(Error::invalid("name", "is longer than 253 characters"));
        }
        Ok(name)
    }

    /// Appends a label in lower case; says whether it fitted.
    pub(super) fn push_label(&mut self, label: &[u8]) -> bool {
        let Ok(length) = u8::try_from(label.len()) else {
            return false;
        };
        let end = self.len + 1 + label.len();
        let Some(room) = self.bytes.get_mut(self.len..end) else {
            return false;
        };
        if let Some((first, rest)) = room.split_first_mut() {
            *first = length;
            rest.copy_from_slice(label);
            rest.make_ascii_lowercase();
        }
        self.len = end;
        true
    }

    /// Appends the root, which ends every name; says whether it fitted.
    pub(super) fn push_root(&mut self) -> bool {
        self.push_label(&[])
    }

    /// Puts a label in front of a name on the wire; nothing if that gets too long.
    pub(super) fn below(label: &[u8], parent: &[u8]) -> Option<Self> {
        let mut name = Self::empty();
        if !name.push_label(label) {
            return None;
        }
        let end = name.len + parent.len();
        name.bytes.get_mut(name.len..end)?.copy_from_slice(parent);
        name.len = end;
        Some(name)
    }

    /// Gives the name without its first label, on the wire; nothing for the root.
    pub(super) fn parent(&self) -> Option<&[u8]> {
        let (&length, rest) = self.as_wire().split_first()?;
        rest.get(usize::from(length)..)
            .filter(|parent| !parent.is_empty())
    }

    /// Tells whether the name is a zone's own or lies below it.
    pub(super) fn is_in(&self, zone: &Self) -> bool {
        let mut rest = self.as_wire();
        while rest.len() > zone.len {
            let Some((&length, tail)) = rest.split_first() else {
                return false;
            };
            rest = tail.get(usize::from(length)..).unwrap_or_default();
        }
        rest == zone.as_wire()
    }

    /// Shows the bytes as they go into a message, in lower case.
    pub(super) fn as_wire(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Writes the name as text: lower case, no last dot, odd bytes escaped as in zone files (RFC 1035 §5.1).
    pub(super) fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.len);
        let mut rest = self.as_wire();
        while let Some((&length, tail)) = rest.split_first() {
            let Some((label, tail)) = tail.split_at_checked(usize::from(length)) else {
                break;
            };
            if label.is_empty() {
                break;
            }
            if !text.is_empty() {
                text.push('.');
            }
            for &byte in label {
                escape(byte, &mut text);
            }
            rest = tail;
        }
        if text.is_empty() {
            text.push('.');
        }
        text
    }
}

fn escape(byte: u8, text: &mut String) {
    match byte {
        b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
            text.push('\\');
            text.push(char::from(byte));
        }
        0x21..=0x7e => text.push(char::from(byte)),
        _ => {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\{byte:03}");
        }
    }
}

impl PartialEq for WireName {
    fn eq(&self, other: &Self) -> bool {
        // Both are held in lower case, and length bytes are never letters.
        self.as_wire() == other.as_wire()
    }
}

impl Eq for WireName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_is_encoded_in_lower_case() {
        let name = WireName::encode("WWW.Example.com.").unwrap();
        assert_eq!(name.as_wire(), b"\x03www\x07example\x03com\x00");
        assert_eq!(name.to_text(), "www.example.com");
        assert_eq!(
            WireName::encode("bücher.example").unwrap().to_text(),
            "xn--bcher-kva.example"
        );
        assert_eq!(
            WireName::encode("_dmarc.example.com").unwrap().to_text(),
            "_dmarc.example.com"
        );
    }

    #[test]
    fn a_name_is_in_every_zone_above_it_and_its_own() {
        let name = |text| WireName::encode(text).unwrap();
        for (text, zone, expected) in [
            ("www.example.com", "example.com", true),
            ("example.com", "Example.com", true),
            ("www.example.com", "com", true),
            ("myexample.com", "example.com", false),
            ("example.com", "www.example.com", false),
            ("example.com", "example.net", false),
        ] {
            assert_eq!(name(text).is_in(&name(zone)), expected, "{text} {zone}");
        }
    }

    #[test]
    fn what_no_zone_can_hold_is_refused() {
        let long_label = format!("{}.com", "a".repeat(64));
        let long_name = format!("{}com", "abcdefghi.".repeat(26));
        for text in [
            "",
            ".",
            "a..b",
            "a b.com",
            "a/b.com",
            &long_label,
            &long_name,
        ] {
            assert!(WireName::encode(text).is_err(), "{text:?}");
        }
        assert!(WireName::encode(&format!("{}abc", "abcdefghi.".repeat(25))).is_ok());
    }
}
