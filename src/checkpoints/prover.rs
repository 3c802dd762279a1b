//! Evidence of single events, from the checkpoints of this installation.

use std::io;

use event_store::{Database, Position};
use replay::{NoProof, Witnesses};
use transparency::{Evidence, PublicKey};

use super::Directory;

/// Makes evidence of events that checkpoints of one key cover.
#[derive(Clone, Debug)]
pub struct Prover {
    database: Database,
    signed: Option<(Directory, PublicKey)>,
}

/// Why there is no evidence of an event.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The event cannot be proven.
    #[error("there is no proof of this event: {0}")]
    Unproven(NoProof),
    /// The log could not be read.
    #[error(transparent)]
    Replay(replay::Error),
    /// The checkpoints could not be read.
    #[error("cannot read the checkpoints in {directory}")]
    File {
        /// Where they are.
        directory: String,
        /// Why not.
        source: io::Error,
    },
}

impl From<replay::Error> for ProofError {
    fn from(error: replay::Error) -> Self {
        match error {
            replay::Error::Unproven { reason, .. } => Self::Unproven(reason),
            other => Self::Replay(other),
        }
    }
}

impl Prover {
    /// Proves by the checkpoints of a directory that a key has signed.
    #[must_use]
    pub const fn new(database: Database, directory: Directory, key: PublicKey) -> Self {
        Self {
            database,
            signed: Some((directory, key)),
        }
    }

    /// Proves nothing: for a process that signs no checkpoints.
    #[must_use]
    pub const fn without_checkpoints(database: Database) -> Self {
        Self {
            database,
            signed: None,
        }
    }

    /// Makes evidence of the event at a position, by the first checkpoint that covers it.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn prove(&self, position: Position) -> Result<Evidence, ProofError> {
        let witnesses = match self.signed.clone() {
            Some((directory, key)) => covering(directory, key, position).await?,
            None => Witnesses::default(),
        };
        Ok(replay::prove(&self.database, position, &witnesses).await?)
    }
}

/// Reads the first checkpoint of a directory that covers a position.
async fn covering(
    directory: Directory,
    key: PublicKey,
    position: Position,
) -> Result<Witnesses, ProofError> {
    let place = directory.path().display().to_string();
    let keys = vec![key];
    let known = keys.clone();
    let looked =
        tokio::task::spawn_blocking(move || directory.first_from(position.get(), &known)).await;
    let found = looked.unwrap_or_else(|failed| Err(io::Error::other(failed)));
    let found = found.map_err(|source| ProofError::File {
        directory: place,
        source,
    })?;
    Ok(Witnesses {
        checkpoints: found.into_iter().collect(),
        keys,
        are_named: true,
    })
}
