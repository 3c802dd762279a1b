//! The text of an API key: `dfk_<64 hex digits of 256 random bits><8 of a checksum>`.
//!
//! The prefix lets scanners of leaked secrets know one, the checksum lets them, and us, tell it from what merely looks
//! like one. The checksum is the beginning of the SHA-256 of what stands before it; it keeps nobody out.

use sha2::{Digest as _, Sha256};

use super::token::hex;

/// What every key begins with.
pub const PREFIX: &str = "dfk_";
/// Digits that are drawn.
const DIGITS: usize = 64;
/// Digits of the checksum.
const CHECKSUM: usize = 8;

/// An API key, as its user alone has it.
pub(super) struct Key(String);

impl Key {
    /// Draws a key.
    pub(super) fn random() -> Self {
        let drawn = format!("{PREFIX}{}", hex(&rand::random::<[u8; DIGITS / 2]>()));
        let checksum = checksum(&drawn);
        Self(drawn + &checksum)
    }

    /// Reads a key; nothing where the text is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() != DIGITS + CHECKSUM || !digits.bytes().all(is_digit) {
            return None;
        }
        let (drawn, rest) = text.split_at_checked(text.len() - CHECKSUM)?;
        (checksum(drawn) == rest).then(|| Self(text.to_owned()))
    }

    /// Returns the text, for the one answer that shows it.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    /// Returns what is stored.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

fn checksum(drawn: &str) -> String {
    let mut digits = hex(&Sha256::digest(drawn.as_bytes()));
    digits.truncate(CHECKSUM);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_with_prefix_length_and_checksum_is_a_key() {
        let key = Key::random();
        let (text, hash) = (key.0.clone(), key.hash());
        assert_eq!(text.len(), 4 + 64 + 8);
        assert_eq!(Key::parse(&text).unwrap().hash(), hash);
        assert_ne!(Key::random().hash(), hash);
        let mistyped = match text.as_bytes()[10] {
            b'0' => text.replacen('0', "1", 1),
            _ => format!("{}0{}", &text[..10], &text[11..]),
        };
        let others = [
            mistyped,
            text.to_uppercase(),
            text[4..].to_owned(),
            text[..70].to_owned(),
            format!("{text}0"),
            format!("dfk_{}", "ä".repeat(36)),
            String::new(),
        ];
        for other in others {
            assert!(Key::parse(&other).is_none(), "{other}");
        }
    }

    #[test]
    fn the_checksum_is_the_one_that_scanners_compute() {
        // `printf 'dfk_%064d' 0 | sha256sum`
        assert_eq!(checksum(&format!("dfk_{}", "0".repeat(64))), "f428e4ce");
    }
}
