//! The operator's keys, and what is sealed under them: XChaCha20-Poly1305, whose nonces are long enough to be drawn.

use std::{fmt, sync::Arc};

use aggregates::ids::ProxyId;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::auth::hex;

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce.
const NONCE_BYTES: usize = 24;
/// Bytes of the hash that names a key.
const ID_BYTES: usize = 8;
/// What is hashed before a key, so that its name is a hash of nothing else.
const ID_OF: &[u8] = b"domainflow credentials key";

/// Keys: the first one seals, every one opens, so that a key is replaced by naming the new one before the old one.
#[derive(Clone, Default)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// A sealed password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Names the key.
    pub key_id: String,
    /// Drawn anew for each.
    pub nonce: Vec<u8>,
    /// The password and its tag.
    pub password: Vec<u8>,
}

/// A text that is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key of credentials has 32 bytes, written in base64 or as 64 hexadecimal digits")]
pub struct BadKey;

/// There is no key to seal under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the operator named no key of credentials (DOMAINFLOW_CREDENTIALS_KEY), so that no password can be kept"
)]
pub struct NoKey;

/// Why a sealed password does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// Its key is not here.
    #[error(
        "the password was sealed under the key {0}, which this node does not have: name that key in \
         DOMAINFLOW_CREDENTIALS_KEY as well, or set the password again"
    )]
    OtherKey(String),
    /// It is not what was sealed, or belongs to another proxy.
    #[error("the sealed password was damaged or belongs to another proxy: set it again")]
    Damaged,
}

impl Keys {
    /// Reads keys as an operator writes them.
    ///
    /// # Errors
    /// [`BadKey`] where one is none; it is not repeated.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, BadKey> {
        texts.into_iter().map(|text| parse(text.trim())).collect()
    }

    /// Draws a key, as it is kept in a file.
    #[must_use]
    pub fn draw() -> Zeroizing<String> {
        Zeroizing::new(hex(
            Zeroizing::new(rand::random::<[u8; KEY_BYTES]>()).as_slice()
        ))
    }

    /// Says whether passwords can be sealed.
    #[must_use]
    pub fn can_seal(&self) -> bool {
        !self.0.is_empty()
    }

    /// Seals a proxy's password.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn seal(&self, proxy: ProxyId, password: &str) -> Result<Sealed, NoKey> {
        let (key_id, nonce, password) = self.seal_bytes(proxy.0.as_bytes(), password.as_bytes())?;
        Ok(Sealed {
            key_id,
            nonce,
            password,
        })
    }

    /// Opens a proxy's password.
    ///
    /// # Errors
    /// See [`Unopened`].
    pub fn open(&self, proxy: ProxyId, sealed: &Sealed) -> Result<Zeroizing<String>, Unopened> {
        let (key_id, nonce) = (&sealed.key_id, &sealed.nonce);
        let opened = self.open_bytes(proxy.0.as_bytes(), key_id, nonce, &sealed.password)?;
        let text = std::str::from_utf8(&opened).map_err(|_| Unopened::Damaged)?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

impl Keys {
    /// Seals bytes for whoever is named; returns the key's name, the nonce, and what was sealed.
    pub(super) fn seal_bytes(
        &self,
        whose: &[u8],
        msg: &[u8],
    ) -> Result<(String, Vec<u8>, Vec<u8>), NoKey> {
        let key = self.0.first().ok_or(NoKey)?;
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg, aad: whose };
        let sealed = key.cipher().encrypt(&XNonce::from(nonce), payload);
        // Only a text of more than 256 GiB does not fit.
        let sealed = sealed.map_err(|_| NoKey)?;
        Ok((key.id.clone(), nonce.to_vec(), sealed))
    }

    /// Opens what [`seal_bytes`](Self::seal_bytes) sealed.
    pub(super) fn open_bytes(
        &self,
        whose: &[u8],
        key_id: &str,
        nonce: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let key = self.0.iter().find(|key| key.id == key_id);
        let key = key.ok_or_else(|| Unopened::OtherKey(key_id.to_owned()))?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Unopened::Damaged)?;
        let payload = Payload {
            msg: sealed,
            aad: whose,
        };
        let opened = key.cipher().decrypt(&XNonce::from(nonce), payload);
        Ok(Zeroizing::new(opened.map_err(|_| Unopened::Damaged)?))
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|key| key.id.as_str()))
            .finish()
    }
}

impl Key {
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let hash = Sha256::new()
            .chain_update(ID_OF)
            .chain_update(bytes.as_slice())
            .finalize();
        let id = hex(hash.get(..ID_BYTES).unwrap_or_default());
        Self { id, bytes }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.bytes).into())
    }
}

fn parse(text: &str) -> Result<Key, BadKey> {
    let from_hex = || {
        let digits = (text.len() == 2 * KEY_BYTES).then_some(text)?;
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            let is_hex = pair.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = is_hex
                .then(|| u8::from_str_radix(pair, 16).ok())
                .flatten()?;
        }
        Some(bytes)
    };
    let from_base64 = || {
        let config =
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        [&alphabet::STANDARD, &alphabet::URL_SAFE]
            .into_iter()
            .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
            .map(Zeroizing::new)
            .and_then(|bytes| bytes.as_slice().try_into().ok())
            .map(Zeroizing::new)
    };
    from_hex().or_else(from_base64).map(Key::new).ok_or(BadKey)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ZEROES: &str = "0000000000000000000000000000000000000000000000000000000000000000";

    fn proxy(id: u128) -> ProxyId {
        ProxyId(Uuid::from_u128(id))
    }

    fn drawn() -> Keys {
        Keys::parse([Keys::draw().as_str()]).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_its_proxy_and_never_looks_alike() {
        let keys = drawn();
        let sealed = keys.seal(proxy(1), "secret").unwrap();
        assert_eq!(keys.open(proxy(1), &sealed).unwrap().as_str(), "secret");
        assert_ne!(keys.seal(proxy(1), "secret").unwrap(), sealed);
        assert!(!sealed.password.windows(6).any(|bytes| bytes == b"secret"));
        let moved = keys.open(proxy(2), &sealed);
        assert_eq!(moved, Err(Unopened::Damaged), "it belongs to another proxy");
        let mut damaged = sealed.clone();
        damaged.password[0] ^= 1;
        assert_eq!(keys.open(proxy(1), &damaged), Err(Unopened::Damaged));
        damaged.nonce.pop();
        assert_eq!(keys.open(proxy(1), &damaged), Err(Unopened::Damaged));
    }

    #[test]
    fn a_new_key_seals_while_the_old_one_still_opens() {
        let (old, new) = (Keys::draw(), Keys::draw());
        let before = Keys::parse([old.as_str()]).unwrap();
        let sealed = before.seal(proxy(1), "secret").unwrap();
        let both = Keys::parse([new.as_str(), old.as_str()]).unwrap();
        assert_eq!(both.open(proxy(1), &sealed).unwrap().as_str(), "secret");
        let again = both.seal(proxy(1), "secret").unwrap();
        assert_ne!(again.key_id, sealed.key_id);
        let after = Keys::parse([new.as_str()]).unwrap();
        assert_eq!(after.open(proxy(1), &again).unwrap().as_str(), "secret");
        let refused = after.open(proxy(1), &sealed).unwrap_err().to_string();
        assert!(refused.contains(&sealed.key_id), "{refused}");
        assert!(refused.contains("DOMAINFLOW_CREDENTIALS_KEY"), "{refused}");
    }

    #[test]
    fn a_key_is_read_in_every_way_in_which_it_is_written_and_never_shown() {
        let same = [
            ZEROES,
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ",
        ];
        let sealed = Keys::parse([ZEROES]).unwrap().seal(proxy(1), "x").unwrap();
        for text in same {
            let keys = Keys::parse([text]).unwrap();
            assert!(keys.open(proxy(1), &sealed).is_ok(), "{text}");
            assert!(!format!("{keys:?}").contains("0000"), "{keys:?}");
        }
        let all_ones = Keys::parse(["__________________________________________8"]);
        assert!(all_ones.is_ok());
        for text in [
            "",
            "short",
            &ZEROES[1..],
            &ZEROES.replace("00", "+0"),
            "AAAA",
        ] {
            assert_eq!(Keys::parse([text]).err(), Some(BadKey), "{text}");
        }
    }

    #[test]
    fn without_a_key_nothing_is_sealed() {
        let none = Keys::default();
        assert!(!none.can_seal());
        assert_eq!(none.seal(proxy(1), "secret"), Err(NoKey));
    }
}
