//! A sealed text as events hold it: `sealed:v1:<person>:<base64url of nonce, text and tag>`. The form is for ever; triggers of
//! the database know its beginning.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use uuid::Uuid;

/// What every sealed text begins with.
const BEGINNING: &str = "sealed:v1:";

/// A sealed text, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SealedText {
    pub(super) person: Uuid,
    /// Nothing where the person was erased before it was written.
    pub(super) sealed: Vec<u8>,
}

/// Tells whether a text is a sealed one.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    SealedText::parse(text).is_some()
}

/// Tells whether a text may have a sealed one in it.
pub(super) fn may_hold_one(text: &str) -> bool {
    text.contains(BEGINNING)
}

impl SealedText {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (person, sealed) = text.strip_prefix(BEGINNING)?.split_once(':')?;
        Some(Self {
            person: person.parse().ok()?,
            sealed: BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?,
        })
    }

    pub(super) fn write(&self) -> String {
        let sealed = BASE64_URL_SAFE_NO_PAD.encode(&self.sealed);
        format!("{BEGINNING}{}:{sealed}", self.person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_reads_as_it_was_written_and_others_are_none() {
        let text = SealedText {
            person: Uuid::from_u128(7),
            sealed: vec![0, 255, 3],
        };
        let written = "sealed:v1:00000000-0000-0000-0000-000000000007:AP8D";
        assert_eq!(text.write(), written);
        assert_eq!(SealedText::parse(written), Some(text));
        for other in [
            "",
            "ann",
            "sealed:v1:",
            "sealed:v1:ann:AP8D",
            "sealed:v2:x:y",
        ] {
            assert!(!is_sealed(other), "{other}");
        }
    }
}
