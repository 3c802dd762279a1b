//! Tamper evidence: a Merkle tree over a log, proofs about it, and checkpoints of it that are signed.
//!
//! Called by the log, which keeps the tree's [`Tile`]s beside the events and grows them by [`Growth`]; by the operator's
//! tool, which computes the tree a second time and compares; and by the shell, which signs [`Checkpoint`]s and answers
//! proofs. Nothing here reads a clock, a file or a database.
//!
//! The tree is that of RFC 9162, section 2.1: a leaf is hashed with 0x00 before it, a node with 0x01, by SHA-256. What is
//! hashed of an event is in [`Event`]. Checkpoints are texts in the form of C2SP's `tlog-checkpoint`, signed as C2SP's
//! `signed-note` with Ed25519, so that tools that others wrote read them as well.
//!
//! The invariant: the root of a size is a function of the leaves up to it and of nothing else, however the tree was grown
//! and stored, and no parser here panics or takes a text that it would not write.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

mod checkpoint;
mod event;
mod evidence;
mod growth;
mod hash;
mod key;
mod note;
mod proof;
mod range;
#[cfg(test)]
mod testing;
mod tile;
#[cfg(test)]
mod tree_tests;
mod verify;

pub use self::{
    checkpoint::{Checkpoint, CheckpointError},
    event::Event,
    evidence::{Evidence, EvidenceError},
    growth::{DamagedEdge, Growth},
    hash::{Hash, NotAHash},
    key::{BadKey, PublicKey, SigningKey},
    note::{NoteError, SignedNote},
    proof::{OutOfTree, consistency_proof, inclusion_proof, root, tiles_of_edge, tiles_of_root},
    proof::{tiles_of_consistency, tiles_of_inclusion},
    tile::{MissingNode, TILE_HEIGHT, TILE_WIDTH, Tile, TileId, Tiles},
    verify::{Unproven, verify_consistency, verify_inclusion},
};
