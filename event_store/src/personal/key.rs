//! A person's key: XChaCha20-Poly1305, whose nonces are long enough to be drawn.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::KeyBytes;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;

/// A person's key.
pub(super) struct PersonalKey {
    person: Uuid,
    bytes: KeyBytes,
}

impl PersonalKey {
    pub(super) const fn new(person: Uuid, bytes: KeyBytes) -> Self {
        Self { person, bytes }
    }

    /// Draws the bytes of a key.
    pub(super) fn draw() -> KeyBytes {
        Zeroizing::new(rand::random())
    }

    /// Seals what a field says: the nonce, and what it says with its tag; nothing where it is too long to be sealed.
    pub(super) fn seal(&self, field: &str, text: &str) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: text.as_bytes(),
            aad: &self.belongs_to(field),
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what a field says; nothing where that is not what was sealed for it.
    pub(super) fn open(&self, field: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let payload = Payload {
            msg: sealed,
            aad: &self.belongs_to(field),
        };
        let opened = self.cipher().decrypt(&XNonce::from(nonce), payload).ok()?;
        String::from_utf8(opened).ok()
    }

    /// What is sealed for one field of one person opens as nothing else.
    fn belongs_to(&self, field: &str) -> Vec<u8> {
        [self.person.as_bytes(), field.as_bytes()].concat()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_for_its_person_and_field_alone_and_never_looks_alike() {
        let (ann, bytes) = (Uuid::from_u128(1), PersonalKey::draw());
        let key = PersonalKey::new(ann, bytes.clone());
        let sealed = key.seal("email", "ann@example.com").unwrap();
        assert_eq!(
            key.open("email", &sealed).as_deref(),
            Some("ann@example.com")
        );
        assert_ne!(key.seal("email", "ann@example.com").unwrap(), sealed);
        assert_eq!(key.open("username", &sealed), None);
        let bob = PersonalKey::new(Uuid::from_u128(2), bytes);
        assert_eq!(bob.open("email", &sealed), None);
        let another = PersonalKey::new(ann, PersonalKey::draw());
        assert_eq!(another.open("email", &sealed), None);
        let mut damaged = sealed;
        damaged[30] ^= 1;
        assert_eq!(key.open("email", &damaged), None);
        assert_eq!(key.open("email", &[]), None);
    }
}
