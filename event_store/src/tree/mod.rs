//! The Merkle tree over the log: who alters, removes or inserts an event afterwards is found.
//!
//! Grown by [`TreeKeeper`] in every process with a read side, read by the shell, which signs its roots and answers proofs,
//! and by the operator's tool, which [walks](Walk) the log and compares. Leaf `n` of the tree is the event at position
//! `n + 1`, as it is stored and not as it is upcast.
//!
//! The invariant: the tree covers whole commits from the first one on, each event once; its size and its tiles change in
//! one transaction, by the holder of one lock. It follows the sequencer and nobody waits for it: an append neither writes
//! nor locks anything of it. The form of leaves and proofs is in the room `transparency`, the schema in
//! `migrations/0017_log_tree.sql`.

mod grow;
mod keeper;
mod leaves;
mod overdue;
pub(crate) mod tiles;
mod walk;

use sqlx::PgConnection;
use transparency::{Hash, Tile, TileId, Tiles};

pub use self::{
    grow::Growing,
    keeper::TreeKeeper,
    overdue::Overdue,
    walk::{Commit, Walk},
};
use crate::{Database, Error, Position};

/// The tree over the log of a database.
#[derive(Clone, Debug)]
pub struct Tree {
    database: Database,
}

impl Database {
    /// Returns the tree over the log.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree {
            database: self.clone(),
        }
    }
}

impl Tree {
    /// Returns how many leaves the tree has, which is the last position that it covers.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn size(&self) -> Result<u64, Error> {
        let (size, _) = tiles::size_and_head(self.database.pool()).await?;
        Ok(size)
    }

    /// Returns the root that the tree had when it had so many leaves.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Tree`] when it never had so many or is damaged.
    pub async fn root(&self, size: u64) -> Result<Hash, Error> {
        self.covers(size).await?;
        let tiles = self.tiles(transparency::tiles_of_root(size)).await?;
        transparency::root(size, &tiles).map_err(Error::tree)
    }

    /// Returns the hash of the first leaf, by which one log is told from another; none of an empty tree.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn first_leaf(&self) -> Result<Option<Hash>, Error> {
        let first = TileId { level: 0, index: 0 };
        let tiles = tiles::read(self.database.pool(), &[first]).await?;
        Ok(tiles.first().and_then(|tile| tile.hashes.first().copied()))
    }

    /// Proves that the event at a position is in the tree of a size.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Tree`] when it is not or the tree is damaged.
    pub async fn inclusion_proof(&self, at: Position, size: u64) -> Result<Vec<Hash>, Error> {
        // Position 0 is before the first event and wraps to a leaf that no tree has.
        let leaf = at.get().wrapping_sub(1);
        let needed = transparency::tiles_of_inclusion(leaf, size).map_err(Error::tree)?;
        self.covers(size).await?;
        let tiles = self.tiles(needed).await?;
        transparency::inclusion_proof(leaf, size, &tiles).map_err(Error::tree)
    }

    /// Proves that the tree of one size is the beginning of that of another.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Tree`] when it cannot be or the tree is damaged.
    pub async fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, Error> {
        let needed = transparency::tiles_of_consistency(old, new).map_err(Error::tree)?;
        self.covers(new).await?;
        let tiles = self.tiles(needed).await?;
        transparency::consistency_proof(old, new, &tiles).map_err(Error::tree)
    }

    /// Returns the size of the tree and the last position of the log, inside the caller's transaction.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn size_and_head_in(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(u64, u64), Error> {
        tiles::size_and_head(connection).await
    }

    /// Reads up to `limit` tiles of a level that are there, from one on, inside the caller's transaction.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn tiles_in(
        &self,
        connection: &mut PgConnection,
        from: TileId,
        limit: u32,
    ) -> Result<Vec<Tile>, Error> {
        tiles::read_range(connection, from, limit).await
    }

    /// Refuses a size that the tree has not reached: the tiles beside a way may be there before those of its end.
    async fn covers(&self, size: u64) -> Result<(), Error> {
        let reached = self.size().await?;
        if size <= reached {
            return Ok(());
        }
        let short = format!("it has {reached} leaves, not {size}");
        Err(Error::tree(short))
    }

    async fn tiles(&self, ids: Vec<TileId>) -> Result<Tiles, Error> {
        let tiles = tiles::read(self.database.pool(), &ids).await?;
        Ok(tiles.into_iter().collect())
    }
}
