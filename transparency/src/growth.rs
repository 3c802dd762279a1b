//! Growing: leaves are added at the right edge, and the tiles that they change come out.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Hash,
    proof::tiles_of_edge,
    tile::{TILE_HEIGHT, TILE_WIDTH, Tile, TileId, Tiles, fold},
};

/// The right edge of a tree, to which leaves are added.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    size: u64,
    /// The last tile of each level, as long as it is not complete: never more than 255 hashes.
    edge: Vec<Vec<Hash>>,
    /// The tiles that were completed since they were last asked for.
    completed: BTreeMap<TileId, Vec<Hash>>,
    /// The levels whose edge has changed since then.
    touched: BTreeSet<usize>,
}

/// A tile at the right edge that has not the number of hashes that the tree's size says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tile {} on level {} has {found} hashes and should have {expected}", tile.index, tile.level)]
pub struct DamagedEdge {
    /// The tile.
    pub tile: TileId,
    /// How many hashes it has.
    pub found: usize,
    /// How many it should have.
    pub expected: usize,
}

impl Growth {
    /// Goes on with a tree of so many leaves, given the tiles that [`tiles_of_edge`] lists.
    ///
    /// # Errors
    /// [`DamagedEdge`] when a tile is missing or does not fit the size.
    pub fn resume(size: u64, tiles: &[Tile]) -> Result<Self, DamagedEdge> {
        let mut edge = Vec::new();
        for tile in tiles_of_edge(size) {
            let found = tiles.iter().find(|stored| stored.id == tile);
            let hashes = found.map(|tile| tile.hashes.clone()).unwrap_or_default();
            let expected = width(size, tile.level);
            if hashes.len() != expected {
                let found = hashes.len();
                return Err(DamagedEdge {
                    tile,
                    found,
                    expected,
                });
            }
            while edge.len() < usize::try_from(tile.level).unwrap_or_default() {
                edge.push(Vec::new());
            }
            edge.push(hashes);
        }
        Ok(Self {
            size,
            edge,
            ..Self::default()
        })
    }

    /// Returns the number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut carried = Some(leaf);
        let mut level = 0;
        let mut before = self.size;
        while let Some(hash) = carried.take() {
            if self.edge.len() == level {
                self.edge.push(Vec::new());
            }
            let Some(tile) = self.edge.get_mut(level) else {
                break;
            };
            tile.push(hash);
            self.touched.insert(level);
            if tile.len() == TILE_WIDTH {
                let complete = std::mem::take(tile);
                carried = fold(&complete);
                self.completed.insert(id(level, before), complete);
            }
            level += 1;
            before >>= TILE_HEIGHT;
        }
        self.size += 1;
    }

    /// Returns every tile that was changed since the last call, from left to right on each level.
    pub fn take_changed(&mut self) -> Vec<Tile> {
        let mut changed = std::mem::take(&mut self.completed);
        for level in std::mem::take(&mut self.touched) {
            let edge = self.edge.get(level).filter(|hashes| !hashes.is_empty());
            changed.extend(edge.map(|hashes| (id(level, self.on_level(level)), hashes.clone())));
        }
        let tiles = changed.into_iter();
        tiles.map(|(id, hashes)| Tile { id, hashes }).collect()
    }

    /// Computes the root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let edge = self.edge.iter().enumerate().map(|(level, hashes)| Tile {
            id: id(level, self.on_level(level)),
            hashes: hashes.clone(),
        });
        // The peaks of the tree are all at its edge.
        crate::root(self.size, &edge.collect::<Tiles>()).unwrap_or_else(|_| Hash::of_nothing())
    }

    /// How many hashes a level has.
    fn on_level(&self, level: usize) -> u64 {
        let shift = TILE_HEIGHT * u32::try_from(level).unwrap_or(u32::MAX);
        self.size.checked_shr(shift).unwrap_or(0)
    }
}

/// Names the tile of a level in which the hash with this number is.
fn id(level: usize, hash: u64) -> TileId {
    TileId {
        level: u32::try_from(level).unwrap_or(u32::MAX),
        index: hash >> TILE_HEIGHT,
    }
}

/// How many hashes the last tile of a level has that is not complete.
pub(crate) fn width(size: u64, level: u32) -> usize {
    let on_level = size.checked_shr(TILE_HEIGHT * level).unwrap_or(0);
    usize::try_from(on_level % (1 << TILE_HEIGHT)).unwrap_or_default()
}
