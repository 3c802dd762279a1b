//! One step of the tree's growth.

use transparency::{Growth, Tile, tiles_of_edge};

use super::{
    Tree,
    leaves::{self, Hashed},
    tiles,
};
use crate::{Error, Position};

/// Events that one step takes in, about.
const STEP: u32 = 4_000;

/// What one step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growing {
    /// Another session grows the tree.
    StandBy,
    /// The tree has so many leaves.
    At {
        /// Its size.
        size: u64,
        /// Leaves that the step has added.
        added: u64,
        /// Whether there was more than one step takes in.
        is_behind: bool,
    },
}

/// Held for the time of a step; whoever does not get it finds the step done when he next looks.
const TRY_LEAD: &str = "SELECT pg_try_advisory_xact_lock(hashtext('log tree'), 0)";

impl Tree {
    /// Takes the next commits in, in one transaction.
    ///
    /// # Errors
    /// [`Error::Database`]; [`Error::Tree`] when the tree is damaged; [`Error::NotDense`] when the log has holes or ends
    /// before the tree. The tree is as it was then.
    pub async fn grow(&self) -> Result<Growing, Error> {
        let step = "grow the tree";
        let pool = self.database.pool();
        let mut transaction = pool.begin().await.map_err(Error::database(step))?;
        let leads: bool = sqlx::query_scalar(TRY_LEAD)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Error::database(step))?;
        if !leads {
            return Ok(Growing::StandBy);
        }
        let (size, head) = tiles::size_and_head(&mut *transaction).await?;
        if head < size {
            let (expected, found) = (size, head);
            return Err(Error::NotDense { expected, found });
        }
        let commits = leaves::after(&mut transaction, Position::new(size), STEP).await?;
        if commits.is_empty() {
            return Ok(Growing::At {
                size,
                added: 0,
                is_behind: false,
            });
        }
        let edge = tiles::read(&mut *transaction, &tiles_of_edge(size)).await?;
        let (grown, tiles) = extend(size, &edge, commits)?;
        tiles::write(&mut transaction, grown, &tiles).await?;
        transaction.commit().await.map_err(Error::database(step))?;
        Ok(Growing::At {
            size: grown,
            added: grown - size,
            is_behind: grown < head,
        })
    }

    /// Grows the tree to the end of the log as it is now, waiting for another session that is at it. For tests and commands.
    ///
    /// # Errors
    /// As [`Self::grow`].
    pub async fn catch_up(&self) -> Result<u64, Error> {
        let (_, head) = tiles::size_and_head(self.database.pool()).await?;
        loop {
            match self.grow().await? {
                Growing::At { size, .. } if size >= head => return Ok(size),
                Growing::At { .. } => {}
                Growing::StandBy => tokio::task::yield_now().await,
            }
        }
    }
}

/// Adds the events of commits that follow each other to a tree; returns its size and the tiles that have changed.
fn extend(size: u64, edge: &[Tile], commits: Vec<Hashed>) -> Result<(u64, Vec<Tile>), Error> {
    let mut growth = Growth::resume(size, edge).map_err(Error::tree)?;
    for commit in commits {
        let end = commit.base.saturating_add(commit.noted);
        let (expected, found) = (growth.size() + 1, commit.base);
        if expected != found {
            return Err(Error::NotDense { expected, found });
        }
        for leaf in commit.leaves {
            growth.push(leaf);
        }
        let (expected, found) = (end, growth.size() + 1);
        if expected != found {
            return Err(Error::NotDense { expected, found });
        }
    }
    Ok((growth.size(), growth.take_changed()))
}
