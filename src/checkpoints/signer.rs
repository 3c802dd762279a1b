//! Signing of checkpoints, on an interval and at the end.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use event_store::{Database, Overdue, Position, Tree, describe};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use transparency::{Checkpoint, CheckpointError, Hash, SigningKey};

use super::{Directory, directory::Newest};

/// How long the tree may take to cover the last events when the process ends.
const END_LIMIT: Duration = Duration::from_secs(4);

/// Why no checkpoint was signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tree could not be read.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// The directory could not be read or written.
    #[error("cannot keep a checkpoint in {directory}")]
    File {
        /// The directory.
        directory: String,
        /// Why.
        source: io::Error,
    },
    /// The key is of another log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The last checkpoint says something else than the tree.
    #[error("the log is not what the checkpoint of position {size} in {directory} says: {how}")]
    Contradicted {
        /// The positions that the checkpoint is of.
        size: u64,
        /// Where it is.
        directory: String,
        /// In what way.
        how: Contradiction,
    },
    /// The tree has not grown since the last checkpoint, and the log has.
    #[error(
        "the tree over the log stands still: events from position {position} on, there since {since}, are in no checkpoint"
    )]
    StandsStill {
        /// The first position that it does not cover.
        position: Position,
        /// When it was given.
        since: DateTime<Utc>,
    },
}

/// In what way a log is not what a checkpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// The log begins with another event.
    OtherLog,
    /// The log, or the tree over it, is shorter.
    Shorter {
        /// The last position of the tree.
        ends: u64,
    },
    /// The log has as many events, and not the same ones.
    Rewritten,
    /// The same, or it is another log: the checkpoint does not say of which log it is.
    RewrittenOrOther,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLog => f.write_str(
                "it is of a log that begins with another event. Either this is another database, which needs a \
                 --checkpoint-dir and a --checkpoint-key-file of its own, or the first event was changed",
            ),
            Self::Shorter { ends } => write!(
                f,
                "the tree ends at position {ends}. Either an older backup was restored, or the tail was cut off"
            ),
            Self::Rewritten => f.write_str("it was rewritten; replay verify tells where"),
            Self::RewrittenOrOther => f.write_str(
                "it was rewritten, or is another database's, which needs a --checkpoint-dir and a \
                 --checkpoint-key-file of its own; replay verify tells more",
            ),
        }
    }
}

/// Signs what the tree over a log is.
#[derive(Clone, Debug)]
pub struct Signer {
    database: Database,
    key: Arc<SigningKey>,
    directory: Directory,
    newest: Arc<Mutex<Newest>>,
}

impl Signer {
    /// Makes a signer that keeps its checkpoints in a directory.
    #[must_use]
    pub fn new(database: Database, key: SigningKey, directory: Directory) -> Self {
        Self {
            database,
            key: Arc::new(key),
            directory,
            newest: Arc::default(),
        }
    }

    /// Signs and keeps a checkpoint of the tree as it is; none where neither it nor the log has grown since the last one.
    ///
    /// # Errors
    /// [`Error`]; of those [`Error::Contradicted`] is for ever.
    pub async fn sign(&self) -> Result<Option<Checkpoint>, Error> {
        let tree = self.database.tree();
        let size = tree.size().await?;
        let log = tree.first_leaf().await?;
        let last = self.last().await?;
        if let Some(last) = &last {
            self.hold(last, &tree, log).await?;
        }
        if size <= last.map_or(0, |last| last.size) {
            return match tree.overdue().await? {
                Some(Overdue { position, since }) => Err(Error::StandsStill { position, since }),
                None => Ok(None),
            };
        }
        let checkpoint = Checkpoint {
            origin: self.key.public().name().to_owned(),
            size,
            root: tree.root(size).await?,
            time: Utc::now(),
            log,
        };
        let text = checkpoint.sign(&self.key)?.to_string();
        let directory = self.directory.clone();
        self.on_files(move || directory.keep(size, &text)).await?;
        Ok(Some(checkpoint))
    }

    /// Holds the tree against the last checkpoint.
    async fn hold(&self, last: &Checkpoint, tree: &Tree, log: Option<Hash>) -> Result<(), Error> {
        let (size, ends) = (last.size, tree.size().await?);
        let is_of_another = last.log.is_some() && log.is_some() && last.log != log;
        let how = if is_of_another {
            Contradiction::OtherLog
        } else if ends < size {
            Contradiction::Shorter { ends }
        } else if tree.root(size).await? == last.root {
            return Ok(());
        } else if last.log.is_some() {
            Contradiction::Rewritten
        } else {
            Contradiction::RewrittenOrOther
        };
        let directory = self.directory.path().display().to_string();
        Err(Error::Contradicted {
            size,
            directory,
            how,
        })
    }

    async fn last(&self) -> Result<Option<Checkpoint>, Error> {
        let (directory, key) = (self.directory.clone(), self.key.public().clone());
        let newest = Arc::clone(&self.newest);
        self.on_files(move || {
            let mut newest = newest.lock().unwrap_or_else(PoisonError::into_inner);
            newest.look(&directory, &key)
        })
        .await
    }

    async fn on_files<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.unwrap_or_else(|failed| Err(io::Error::other(failed)));
        done.map_err(|source| Error::File {
            directory: self.directory.path().display().to_string(),
            source,
        })
    }
}

/// The task that signs on an interval, and once more when it is told to end.
#[derive(Debug)]
pub struct Checkpointer {
    signer: Signer,
    interval: Duration,
}

impl Checkpointer {
    /// Makes a task of a signer.
    #[must_use]
    pub const fn new(signer: Signer, interval: Duration) -> Self {
        Self { signer, interval }
    }

    /// Runs until the token is cancelled, then once more for what was appended last.
    pub async fn run(self, token: CancellationToken) {
        while token
            .run_until_cancelled(sleep(self.interval))
            .await
            .is_some()
        {
            self.tell(self.signer.sign().await);
        }
        let database = &self.signer.database;
        let last = async {
            database.sequence().await?;
            database.tree().catch_up().await?;
            self.signer.sign().await
        };
        match timeout(END_LIMIT, last).await {
            Ok(signed) => self.tell(signed),
            Err(_) => tracing::warn!("the last events are left to the next checkpoint"),
        }
    }

    fn tell(&self, signed: Result<Option<Checkpoint>, Error>) {
        match signed {
            Ok(Some(checkpoint)) => tracing::info!(size = checkpoint.size, "checkpoint signed"),
            Ok(None) => {}
            Err(error) => tracing::error!(error = %describe(&error), "no checkpoint is signed"),
        }
    }
}
