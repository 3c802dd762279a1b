//! Tiles: how the tree is stored.
//!
//! A tile holds up to 256 hashes that stand side by side: those of leaves on level 0, and on level `n` the roots of complete
//! tiles of level `n - 1`. The seven heights between are computed when they are needed: 255 hashes at the most, some tens
//! of microseconds. So a leaf costs 32 bytes and a little, and an append rewrites one row of each level instead of adding
//! two nodes a leaf.

use std::collections::BTreeMap;

use crate::{Hash, range::Node};

/// The heights of the tree between a tile and the one above it.
pub const TILE_HEIGHT: u32 = 8;
/// The most hashes of a tile.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// 0 for the leaves, 1 for what stands over 256 of them, and so on; 7 at the most.
    pub level: u32,
    /// Its place on its level, counted from 0.
    pub index: u64,
}

/// A tile: complete, or the last of its level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Which one.
    pub id: TileId,
    /// Its hashes from left to right.
    pub hashes: Vec<Hash>,
}

/// A hash that is needed and in no tile that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tree lacks hashes {first} to {last} of tile {} on level {}", tile.index, tile.level)]
pub struct MissingNode {
    /// The tile.
    pub tile: TileId,
    /// The first of the hashes of it that are needed, counted from 0.
    pub first: usize,
    /// The last of them.
    pub last: usize,
}

/// Some tiles of a tree.
#[derive(Clone, Debug, Default)]
pub struct Tiles(BTreeMap<TileId, Vec<Hash>>);

impl Tiles {
    /// Adds a tile, in the place of an older state of it.
    pub fn insert(&mut self, tile: Tile) {
        self.0.insert(tile.id, tile.hashes);
    }

    /// Returns the hashes of a tile.
    #[must_use]
    pub fn hashes(&self, id: TileId) -> Option<&[Hash]> {
        self.0.get(&id).map(Vec::as_slice)
    }

    /// Returns the hash of a complete subtree.
    pub(crate) fn node(&self, node: Node) -> Result<Hash, MissingNode> {
        let (tile, first) = node.tile();
        let last = first + (1 << node.height_in_tile()) - 1;
        let hashes = self.0.get(&tile).and_then(|all| all.get(first..=last));
        hashes
            .and_then(fold)
            .ok_or(MissingNode { tile, first, last })
    }
}

impl FromIterator<Tile> for Tiles {
    fn from_iter<I: IntoIterator<Item = Tile>>(tiles: I) -> Self {
        Self(
            tiles
                .into_iter()
                .map(|tile| (tile.id, tile.hashes))
                .collect(),
        )
    }
}

impl Node {
    /// Says in which tile the node's hash is, or the hashes that it is made of, and at which place they begin.
    pub(crate) fn tile(self) -> (TileId, usize) {
        let first = self.index << self.height_in_tile();
        let id = TileId {
            level: self.level / TILE_HEIGHT,
            index: first >> TILE_HEIGHT,
        };
        let place = first % (1 << TILE_HEIGHT);
        // Below 256.
        (id, usize::try_from(place).unwrap_or_default())
    }

    const fn height_in_tile(self) -> u32 {
        self.level % TILE_HEIGHT
    }
}

/// Computes the root over hashes whose number is a power of two; of none there is no root.
pub(crate) fn fold(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [] => None,
        [hash] => Some(*hash),
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Some(Hash::of_node(fold(left)?, fold(right)?))
        }
    }
}
