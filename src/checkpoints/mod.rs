//! Checkpoints: what the log was, signed, outside the database.
//!
//! `serve` starts a [`Checkpointer`], which signs the root of the tree over the log on an interval and when the process
//! ends, and keeps each one as a file of its own in a [`Directory`]; the operator's tool reads them back. The key is in a
//! file beside ([`key`]), never in the database. A [`Prover`] makes evidence of single events by them, for the interface.
//!
//! The invariant: of one key no two checkpoints contradict each other. Before anything is signed the tree is held against
//! the last checkpoint of this key; where the two differ nothing is signed any more, and the log of the process says so.

mod directory;
pub mod key;
mod prover;
mod signer;
#[cfg(test)]
mod tests;

pub use self::{
    directory::Directory,
    prover::{ProofError, Prover},
    signer::{Checkpointer, Contradiction, Error, Signer},
};
