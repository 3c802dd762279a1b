//! The keys of checkpoints: Ed25519 (RFC 8032), in the text forms of C2SP's `signed-note`.
//!
//! A public key is `<name>+<key id>+<base64>`, a private one `PRIVATE+KEY+<name>+<key id>+<base64>`; the key id is eight
//! hexadecimal digits, and what is in base64 is the kind of the signature, 1 for Ed25519, with the 32 bytes of the key.

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The kind of a plain Ed25519 signature.
const KIND: u8 = 0x01;
/// The bytes of a public key, and of what a private one is computed from.
const KEY_BYTES: usize = 32;
/// The bytes of a signature.
pub(crate) const SIGNATURE_BYTES: usize = 64;
/// What a private key's text begins with.
const PRIVATE: &str = "PRIVATE+KEY+";
/// The longest name of a key, bytes.
const LONGEST_NAME: usize = 255;

/// A hint at which key has signed: the first bytes of a hash of its name and itself.
pub(crate) type KeyId = [u8; 4];

/// Why a text is no key. It never repeats the text, which may be a secret one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// It is not in the form of a key.
    #[error("not in the form <name>+<key id>+<base64>")]
    Form,
    /// A name is empty, too long, or has spaces, control characters or a `+`.
    #[error(
        "the key's name is empty, longer than 255 bytes, or has a space, a control character or a +"
    )]
    Name,
    /// It is a key of another kind than Ed25519.
    #[error("not an Ed25519 key")]
    Kind,
    /// The key id is not the one of this name and key.
    #[error("the key id is not the one of this name and key")]
    Id,
}

/// A key that checkpoints are checked with.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    bytes: [u8; KEY_BYTES],
}

/// A key that checkpoints are signed with. It is shown nowhere; its bytes are wiped when it is dropped.
pub struct SigningKey {
    public: PublicKey,
    seed: Zeroizing<[u8; KEY_BYTES]>,
    pair: Ed25519KeyPair,
}

impl PublicKey {
    /// Returns the name: the origin of the log whose checkpoints it signs.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn id(&self) -> KeyId {
        let name = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', KIND]);
        let [a, b, c, d, ..] = <[u8; 32]>::from(name.chain_update(self.bytes).finalize());
        [a, b, c, d]
    }

    pub(crate) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.bytes);
        key.verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.name, self.id(), &self.bytes))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let (name, id, bytes) = read(text)?;
        let key = Self {
            name: name.to_owned(),
            bytes: *bytes,
        };
        if key.id() == id {
            Ok(key)
        } else {
            Err(BadKey::Id)
        }
    }
}

impl SigningKey {
    /// The bytes of a seed.
    pub const SEED_BYTES: usize = KEY_BYTES;

    /// Makes a key of a seed, which must be drawn at random and told to nobody, and a name.
    ///
    /// # Errors
    /// [`BadKey::Name`].
    pub fn from_seed(name: &str, seed: &[u8; KEY_BYTES]) -> Result<Self, BadKey> {
        check_name(name)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| BadKey::Kind)?;
        let bytes = pair.public_key().as_ref().try_into();
        let public = PublicKey {
            name: name.to_owned(),
            bytes: bytes.map_err(|_| BadKey::Kind)?,
        };
        Ok(Self {
            public,
            seed: Zeroizing::new(*seed),
            pair,
        })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`BadKey`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let (name, id, seed) = read(text.strip_prefix(PRIVATE).ok_or(BadKey::Form)?)?;
        let key = Self::from_seed(name, &seed)?;
        if key.public.id() == id {
            Ok(key)
        } else {
            Err(BadKey::Id)
        }
    }

    /// Writes the private key, for the one file that keeps it.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let text = Zeroizing::new(written(&self.public.name, self.public.id(), &self.seed));
        Zeroizing::new(format!("{PRIVATE}{}", text.as_str()))
    }

    /// Returns the public key.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, text: &str) -> Vec<u8> {
        self.pair.sign(text.as_bytes()).as_ref().to_vec()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(… of {})", self.public)
    }
}

fn written(name: &str, id: KeyId, key: &[u8; KEY_BYTES]) -> String {
    let mut bytes = Zeroizing::new(vec![KIND]);
    bytes.extend_from_slice(key);
    let id = u32::from_be_bytes(id);
    format!("{name}+{id:08x}+{}", STANDARD.encode(&*bytes))
}

fn read(text: &str) -> Result<(&str, KeyId, Zeroizing<[u8; KEY_BYTES]>), BadKey> {
    // The base64 may have a + as well.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(BadKey::Form);
    };
    check_name(name)?;
    let is_id = id.len() == 8
        && id
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !is_id {
        return Err(BadKey::Form);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| BadKey::Form)?;
    let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| BadKey::Form)?);
    match bytes.split_first() {
        Some((&KIND, key)) => {
            let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| BadKey::Form)?;
            Ok((name, id.to_be_bytes(), Zeroizing::new(key)))
        }
        Some(_) => Err(BadKey::Kind),
        None => Err(BadKey::Form),
    }
}

/// Says whether a key, and so the origin of a log, may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    let is_bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(is_bad)
}

fn check_name(name: &str) -> Result<(), BadKey> {
    if is_name(name) {
        Ok(())
    } else {
        Err(BadKey::Name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of Go's reference implementation.
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    #[test]
    fn keys_read_and_write_as_others_do() {
        let key = SigningKey::parse(SECRET).unwrap();
        assert_eq!(key.public().to_string(), PUBLIC);
        assert_eq!(key.public().name(), "PeterNeumann");
        assert_eq!(*key.expose(), SECRET);
        assert_eq!(PUBLIC.parse::<PublicKey>().as_ref(), Ok(key.public()));
    }

    #[test]
    fn a_private_key_is_shown_nowhere() {
        let shown = format!("{:?}", SigningKey::parse(SECRET).unwrap());
        assert!(
            shown.contains(PUBLIC) && !shown.contains("AYEKFALV"),
            "{shown}"
        );
        let refused = SigningKey::parse("PRIVATE+KEY+x+AYEKFALVFGyNhPJEMzD1QIDr").unwrap_err();
        assert!(!format!("{refused} {refused:?}").contains("AYEKFALV"));
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", BadKey::Form),
            ("PeterNeumann", BadKey::Form),
            ("PeterNeumann+c74f20a3", BadKey::Form),
            ("PeterNeumann+c74f20a3+", BadKey::Form),
            (
                "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                BadKey::Form,
            ),
            (
                "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
                BadKey::Form,
            ),
            ("PeterNeumann+c74f20a3+ARpc", BadKey::Form),
            (
                "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                BadKey::Id,
            ),
            (
                "Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                BadKey::Id,
            ),
            (
                "PeterNeumann+c74f20a3+AhpcQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWA",
                BadKey::Kind,
            ),
            (
                "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                BadKey::Name,
            ),
            (
                "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                BadKey::Name,
            ),
        ] {
            assert_eq!(text.parse::<PublicKey>(), Err(reason), "{text}");
        }
        assert_eq!(SigningKey::parse(PUBLIC).unwrap_err(), BadKey::Form);
        assert_eq!(
            SigningKey::from_seed("a\nb", &[1; 32]).unwrap_err(),
            BadKey::Name
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_the_reader_panic_and_what_it_takes_it_writes_alike(text in "\\PC{0,40}|[a-z+]{1,12}\\+[0-9a-f]{8}\\+[A-Za-z0-9+/=]{0,50}") {
            if let Ok(key) = text.parse::<PublicKey>() {
                prop_assert_eq!(key.to_string(), text.as_str());
            }
            prop_assert!(SigningKey::parse(&text).is_err());
        }
    }
}
