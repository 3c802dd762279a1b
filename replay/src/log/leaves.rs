//! The leaves of the stored tree, read from left to right.

use std::collections::VecDeque;

use event_store::Tree;
use sqlx::PgConnection;
use transparency::{Hash, TILE_WIDTH, TileId};

/// Tiles that are read at once: some 4,000 leaves.
const TILES: u32 = 16;

/// A window over the leaves, which moves on.
pub(super) struct Leaves {
    tree: Tree,
    /// How many the stored tree says that it has.
    size: u64,
    /// The position of the first one of the window.
    first: u64,
    window: VecDeque<Option<Hash>>,
    /// The next tile to be read.
    next: u64,
}

impl Leaves {
    /// Begins with the tile that a position is in.
    pub(super) fn at(tree: Tree, size: u64, position: u64) -> Self {
        let next = position.saturating_sub(1) / width();
        Self {
            tree,
            size,
            first: next * width() + 1,
            window: VecDeque::new(),
            next,
        }
    }

    /// Returns the leaves from a position on, up to so many, as far as the tree goes; one that is not there is none. What
    /// is before the position is forgotten.
    pub(super) async fn from(
        &mut self,
        connection: &mut PgConnection,
        position: u64,
        limit: usize,
    ) -> Result<&[Option<Hash>], event_store::Error> {
        self.forget_before(position);
        let wanted = u64::try_from(limit).unwrap_or(u64::MAX);
        let wanted = wanted.min((self.size + 1).saturating_sub(position));
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        while self.window.len() < wanted && self.next * width() < self.size {
            self.read(connection).await?;
            self.forget_before(position);
        }
        let leaves = self.window.make_contiguous();
        Ok(leaves.get(..wanted).unwrap_or(leaves))
    }

    fn forget_before(&mut self, position: u64) {
        while self.first < position && self.window.pop_front().is_some() {
            self.first += 1;
        }
    }

    async fn read(&mut self, connection: &mut PgConnection) -> Result<(), event_store::Error> {
        let from = TileId {
            level: 0,
            index: self.next,
        };
        let tiles = self.tree.tiles_in(connection, from, TILES).await?;
        for index in self.next..self.next + u64::from(TILES) {
            let tile = tiles.iter().find(|tile| tile.id.index == index);
            let in_tile = (self.size.saturating_sub(index * width())).min(width());
            let hash = |place: usize| tile.and_then(|tile| tile.hashes.get(place).copied());
            let in_tile = usize::try_from(in_tile).unwrap_or(TILE_WIDTH);
            self.window.extend((0..in_tile).map(hash));
        }
        self.next += u64::from(TILES);
        Ok(())
    }
}

fn width() -> u64 {
    u64::try_from(TILE_WIDTH).unwrap_or(u64::MAX)
}
