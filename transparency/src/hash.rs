//! Hashes of leaves and of nodes (RFC 9162, section 2.1.1).

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// What a leaf is hashed behind, so that no node can be passed off as one.
pub(crate) const LEAF: u8 = 0x00;
/// What the two halves of a node are hashed behind.
const NODE: u8 = 0x01;

/// The hash of a leaf, of a node or of a whole tree: 32 bytes, in base64 where it is shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Self::BYTES]);

/// A text that is no hash: not 32 bytes in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of {} bytes in base64", Hash::BYTES)]
pub struct NotAHash;

impl Hash {
    /// The length of a hash.
    pub const BYTES: usize = 32;

    /// Returns the root of a tree without leaves.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::finish(Sha256::new())
    }

    /// Hashes the bytes of a leaf.
    #[must_use]
    pub fn of_leaf(bytes: &[u8]) -> Self {
        Self::finish(Sha256::new().chain_update([LEAF]).chain_update(bytes))
    }

    /// Hashes the two halves of a node.
    #[must_use]
    pub fn of_node(left: Self, right: Self) -> Self {
        let halves = Sha256::new().chain_update([NODE]).chain_update(left.0);
        Self::finish(halves.chain_update(right.0))
    }

    fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// Takes 32 bytes as a hash.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = STANDARD.decode(text).map_err(|_| NotAHash)?;
        Self::from_bytes(&bytes).ok_or(NotAHash)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
