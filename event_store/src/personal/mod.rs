//! Personal data in the log: sealed under a key of each person's own, so that removing the key erases it and changes no event.
//!
//! Both ways into the interactive lane seal what [`aggregates::personal`] names before an event is stored; whoever shows it
//! has it opened ([`Database::open_personal`], [`Database::personal_texts`]). Everybody else, the tree, its proofs and exports
//! among them, sees the sealed text. The keys are rows of `personal_keys`, each sealed by what the operator handed in
//! ([`Wrap`]). The invariants: a person whose key was removed gets no other; what was sealed and whose key is not there reads
//! `erased`; where only the operator's key is missing nothing is read, so that no read model is filled with what is not so.
//! Without a [`Wrap`] that can seal, events are stored as they are, and the database notes whose they are.

mod key;
mod open;
mod seal;
mod table;
mod text;

use std::fmt;

use uuid::Uuid;
use zeroize::Zeroizing;

pub(crate) use self::seal::Seals;
pub use self::{key::KEY_BYTES, text::is_sealed};

/// The bytes of a person's key.
pub type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// A person's key as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// Names the operator's key.
    pub key_id: String,
    /// Drawn anew for each.
    pub nonce: Vec<u8>,
    /// The person's key and its tag.
    pub key: Vec<u8>,
}

impl fmt::Debug for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wrapped(under {})", self.key_id)
    }
}

/// Why a person's key does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    /// The operator's key that it is kept under is not here.
    #[error("it is kept under the operator's key {0}, which this node does not have")]
    OtherKey(String),
    /// It is not what was kept.
    #[error("it was damaged")]
    Damaged,
}

/// What seals the keys of persons: a key of the operator's.
pub trait Wrap: fmt::Debug + Send + Sync {
    /// Seals a person's key; nothing where there is no key of the operator's.
    fn wrap(&self, person: Uuid, key: &KeyBytes) -> Option<Wrapped>;

    /// Opens a person's key.
    ///
    /// # Errors
    /// See [`Unopened`].
    fn unwrap(&self, person: Uuid, wrapped: &Wrapped) -> Result<KeyBytes, Unopened>;
}
