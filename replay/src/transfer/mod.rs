//! The log as a text: taken out of one database and into another.
//!
//! Called by `replay export` and `replay import`. A text is NDJSON: a line that says what it is, then each commit in the
//! order of positions, a line of its own and a line for each of its events, and a last line with the number of events and
//! the root of the tree over them. Without the last line it was cut off; with another root it was changed.
//!
//! Payload and metadata are strings that hold the JSON as it is stored, byte by byte, because those bytes are what was
//! signed: tree, checkpoints and proofs hold for the copy as they do for the original.

mod error;
mod export;
mod import;
mod line;

use transparency::Hash;

pub use self::{error::TransferError, export::export, import::import};

/// What was taken out or in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// How many events, which is the last position.
    pub events: u64,
    /// The root of the tree over them.
    pub root: Hash,
}
