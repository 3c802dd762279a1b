//! The token of a session: `<64 hex of a random session id>.<base64url of HMAC-SHA256(session id, secret)>`.
//!
//! The signature is checked before the database is asked, so that guessed tokens cost nobody a query.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Digits of a session id.
const DIGITS: usize = 64;

/// What session tokens are signed with, and what is kept of requests is hashed with; never shown.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The shortest secret, bytes.
    pub const MIN_BYTES: usize = 32;

    /// Takes a secret; nothing where it is too short to keep anybody from guessing it.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.into();
        (bytes.len() >= Self::MIN_BYTES).then_some(Self(bytes))
    }

    /// Draws a secret.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::random::<[u8; Self::MIN_BYTES]>().to_vec())
    }

    /// Returns the bytes, for the one place that keeps a drawn secret.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Hashes parts so that no two lists of parts have the same hash, and nobody without the secret can find out which
    /// parts a hash is of by trying some; hex.
    pub(crate) fn hash_of(&self, parts: &[&[u8]]) -> String {
        let mut mac = self.mac();
        // No session begins like that, so that no hash is a signature.
        mac.update(b"parts:");
        for part in parts {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part);
        }
        hex(&mac.finalize().into_bytes())
    }

    fn signature(&self, session: &str) -> Hmac<Sha256> {
        let mut mac = self.mac();
        mac.update(session.as_bytes());
        mac
    }

    fn mac(&self) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Hmac::new_from_slice(&self.0).expect("a key")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A random session id, and what the database knows it by.
pub(super) struct SessionKey(String);

impl SessionKey {
    pub(super) fn random() -> Self {
        Self(hex(&rand::random::<[u8; DIGITS / 2]>()))
    }

    /// Reads a token; nothing where it was not signed with the secret.
    pub(super) fn from_token(token: &str, secret: &Secret) -> Option<Self> {
        let (session, signature) = token.split_once('.')?;
        if session.len() != DIGITS || !session.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        // Compares in constant time.
        secret.signature(session).verify_slice(&signature).ok()?;
        Some(Self(session.to_owned()))
    }

    /// Writes the token.
    pub(super) fn token(&self, secret: &Secret) -> String {
        let mac = secret.signature(&self.0).finalize();
        let signature = BASE64_URL_SAFE_NO_PAD.encode(mac.into_bytes());
        format!("{}.{signature}", self.0)
    }

    /// Returns what is stored.
    pub(super) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.as_bytes()).to_vec()
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_signed_with_the_secret_is_read() {
        let secret = Secret::random();
        let key = SessionKey::random();
        let token = key.token(&secret);
        let (session, signature) = token.split_once('.').unwrap();
        assert_eq!((session.len(), signature.len()), (64, 43));
        assert_eq!(
            SessionKey::from_token(&token, &secret).unwrap().hash(),
            key.hash()
        );

        assert!(SessionKey::from_token(&token, &Secret::random()).is_none());
        let other = SessionKey::random();
        assert!(SessionKey::from_token(&format!("{}.{signature}", other.0), &secret).is_none());
        assert!(SessionKey::from_token(session, &secret).is_none());
        assert!(SessionKey::from_token(&format!("{session}."), &secret).is_none());
        assert!(SessionKey::from_token("", &secret).is_none());
    }

    #[test]
    fn the_signature_is_the_one_of_the_older_system() {
        // HMAC-SHA256 of sixty-four zeros under thirty-two letters k, computed with OpenSSL.
        let secret = Secret::new(vec![b'k'; 32]).unwrap();
        let token = SessionKey("0".repeat(64)).token(&secret);
        assert!(token.starts_with(&"0".repeat(64)));
        assert_eq!(
            token.split_once('.').unwrap().1,
            "hzbghKDW57GbtDj2kz21WpKWbvEv3khAPMIOZDKaVic"
        );
    }

    #[test]
    fn parts_cannot_be_moved_into_each_other_and_another_secret_hashes_otherwise() {
        let secret = Secret::random();
        assert_ne!(
            secret.hash_of(&[b"ab", b"c"]),
            secret.hash_of(&[b"a", b"bc"])
        );
        assert_eq!(secret.hash_of(&[b"a"]), secret.clone().hash_of(&[b"a"]));
        assert_ne!(secret.hash_of(&[b"a"]), Secret::random().hash_of(&[b"a"]));
        assert_eq!(secret.hash_of(&[b"a"]).len(), 64);
    }

    #[test]
    fn a_short_secret_is_none_and_no_secret_shows() {
        assert!(Secret::new(*b"short").is_none());
        assert_eq!(format!("{:?}", Secret::random()), "Secret(…)");
    }
}
