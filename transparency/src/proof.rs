//! Roots and proofs, from the tiles of a tree (RFC 9162, sections 2.1.1, 2.1.3.1 and 2.1.4.1).
//!
//! Each comes with a list of the tiles that it needs, so that a caller fetches those and no others: some three for each
//! 256-fold of the tree's size.

use std::collections::BTreeSet;

use crate::{
    Hash,
    growth::width,
    range::{Node, Range},
    tile::{MissingNode, TILE_HEIGHT, TileId, Tiles},
};

/// The levels of tiles that a tree of 2⁶⁴ leaves has.
const LEVELS: u32 = u64::BITS / TILE_HEIGHT;

/// Why there is no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfTree {
    /// The leaf is not in the tree.
    #[error("leaf {index} is not in a tree of {size} leaves")]
    Leaf {
        /// The leaf, counted from 0.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The older tree has no leaves, or more than the newer.
    #[error("a tree of {old} leaves is no beginning of one of {new}")]
    Sizes {
        /// The older tree's size.
        old: u64,
        /// The newer tree's size.
        new: u64,
    },
    /// A tile that was needed is not there.
    #[error(transparent)]
    Missing(#[from] MissingNode),
}

/// Lists the tiles at the right edge of a tree, each not complete, from which it grows.
#[must_use]
pub fn tiles_of_edge(size: u64) -> Vec<TileId> {
    let partial = |level: &u32| width(size, *level) > 0;
    let id = |level| TileId {
        level,
        index: size.checked_shr(TILE_HEIGHT * (level + 1)).unwrap_or(0),
    };
    (0..LEVELS).filter(partial).map(id).collect()
}

/// Lists the tiles that the root of a tree of so many leaves is computed from.
#[must_use]
pub fn tiles_of_root(size: u64) -> Vec<TileId> {
    tiles_of(&[Range {
        begin: 0,
        end: size,
    }])
}

/// Computes the root of a tree of so many leaves; the tiles may be those of a larger tree.
///
/// # Errors
/// [`MissingNode`] when a tile is not there.
pub fn root(size: u64, tiles: &Tiles) -> Result<Hash, MissingNode> {
    hash_of(
        Range {
            begin: 0,
            end: size,
        },
        tiles,
    )
}

/// Lists the tiles that [`inclusion_proof`] needs.
///
/// # Errors
/// [`OutOfTree::Leaf`].
pub fn tiles_of_inclusion(index: u64, size: u64) -> Result<Vec<TileId>, OutOfTree> {
    Ok(tiles_of(&inclusion(index, size)?))
}

/// Proves that a leaf, counted from 0, is in the tree of a size: with its own hash and these the root is computed.
///
/// # Errors
/// [`OutOfTree`] when it is not, or a tile is not there.
pub fn inclusion_proof(index: u64, size: u64, tiles: &Tiles) -> Result<Vec<Hash>, OutOfTree> {
    hashes_of(&inclusion(index, size)?, tiles)
}

/// Lists the tiles that [`consistency_proof`] needs.
///
/// # Errors
/// [`OutOfTree::Sizes`].
pub fn tiles_of_consistency(old: u64, new: u64) -> Result<Vec<TileId>, OutOfTree> {
    Ok(tiles_of(&consistency(old, new)?))
}

/// Proves that a tree is the beginning of a larger one.
///
/// # Errors
/// [`OutOfTree`] when it cannot be, or a tile is not there.
pub fn consistency_proof(old: u64, new: u64, tiles: &Tiles) -> Result<Vec<Hash>, OutOfTree> {
    hashes_of(&consistency(old, new)?, tiles)
}

/// The subtrees beside the way from the leaf to the root, the lowest first.
fn inclusion(index: u64, size: u64) -> Result<Vec<Range>, OutOfTree> {
    if index >= size {
        return Err(OutOfTree::Leaf { index, size });
    }
    let (mut around, mut beside) = (
        Range {
            begin: 0,
            end: size,
        },
        Vec::new(),
    );
    while around.size() > 1 {
        let (left, right) = around.split();
        let (with, without) = if index < right.begin {
            (left, right)
        } else {
            (right, left)
        };
        beside.push(without);
        around = with;
    }
    beside.reverse();
    Ok(beside)
}

/// The subtrees beside the way to the older tree's end, the lowest first, before them the last subtree of the older tree
/// unless that is all of it.
fn consistency(old: u64, new: u64) -> Result<Vec<Range>, OutOfTree> {
    if old == 0 || old > new {
        return Err(OutOfTree::Sizes { old, new });
    }
    let (mut around, mut subtrees) = (Range { begin: 0, end: new }, Vec::new());
    while old < around.end {
        let (left, right) = around.split();
        let (with, without) = if old <= right.begin {
            (left, right)
        } else {
            (right, left)
        };
        subtrees.push(without);
        around = with;
    }
    if around.begin > 0 {
        subtrees.push(around);
    }
    subtrees.reverse();
    Ok(subtrees)
}

fn tiles_of(ranges: &[Range]) -> Vec<TileId> {
    let nodes = ranges.iter().flat_map(|range| range.peaks());
    let tiles: BTreeSet<TileId> = nodes.map(|node: Node| node.tile().0).collect();
    tiles.into_iter().collect()
}

fn hashes_of(ranges: &[Range], tiles: &Tiles) -> Result<Vec<Hash>, OutOfTree> {
    let hashes = ranges.iter().map(|range| hash_of(*range, tiles));
    hashes.map(|hash| hash.map_err(OutOfTree::from)).collect()
}

fn hash_of(range: Range, tiles: &Tiles) -> Result<Hash, MissingNode> {
    let mut folded = None;
    for peak in range.peaks().into_iter().rev() {
        let left = tiles.node(peak)?;
        folded = Some(folded.map_or(left, |right| Hash::of_node(left, right)));
    }
    Ok(folded.unwrap_or_else(Hash::of_nothing))
}
