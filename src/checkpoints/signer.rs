//! Signing of checkpoints, on an interval and at the end.

use std::{io, sync::Arc, time::Duration};

use chrono::Utc;
use event_store::{Database, describe};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use transparency::{Checkpoint, CheckpointError, SigningKey};

use super::Directory;

/// How long the tree may take to cover the last events when the process ends.
const END_LIMIT: Duration = Duration::from_secs(5);

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
    #[error(
        "the log is not what the checkpoint of position {size} says: it was rewritten, or is another log; replay verify tells more"
    )]
    Contradicted {
        /// The positions that the checkpoint is of.
        size: u64,
    },
}

/// Signs what the tree over a log is.
#[derive(Clone, Debug)]
pub struct Signer {
    database: Database,
    key: Arc<SigningKey>,
    directory: Directory,
}

impl Signer {
    /// Makes a signer that keeps its checkpoints in a directory.
    #[must_use]
    pub fn new(database: Database, key: SigningKey, directory: Directory) -> Self {
        Self {
            database,
            key: Arc::new(key),
            directory,
        }
    }

    /// Signs and keeps a checkpoint of the tree as it is; none where it has not grown since the last one.
    ///
    /// # Errors
    /// [`Error`]; of those [`Error::Contradicted`] is for ever.
    pub async fn sign(&self) -> Result<Option<Checkpoint>, Error> {
        let tree = self.database.tree();
        let size = tree.size().await?;
        let last = self.last().await?;
        if let Some(last) = &last {
            let size = last.size;
            let is_kept = size <= tree.size().await? && tree.root(size).await? == last.root;
            if !is_kept {
                return Err(Error::Contradicted { size });
            }
        }
        if size <= last.map_or(0, |last| last.size) {
            return Ok(None);
        }
        let checkpoint = Checkpoint {
            origin: self.key.public().name().to_owned(),
            size,
            root: tree.root(size).await?,
            time: Utc::now(),
        };
        let text = checkpoint.sign(&self.key)?.to_string();
        let directory = self.directory.clone();
        self.on_files(move || directory.keep(size, &text)).await?;
        Ok(Some(checkpoint))
    }

    async fn last(&self) -> Result<Option<Checkpoint>, Error> {
        let (directory, key) = (self.directory.clone(), self.key.public().clone());
        self.on_files(move || directory.newest_of(&key)).await
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

#[cfg(test)]
mod tests {
    use aggregates::{Actor, Metadata};
    use event_store::{BulkAppend, ConnectOptions, NewEvent};
    use private_postgres::testing::TestDatabase;

    use super::*;

    async fn database() -> (Database, TestDatabase) {
        let test = TestDatabase::from_template("app", |url| async move {
            let database = Database::connect(&url, ConnectOptions::default()).await?;
            database.migrate().await?;
            database.close().await;
            Ok::<_, event_store::Error>(())
        })
        .await
        .unwrap();
        let database = Database::connect(test.url(), ConnectOptions::default()).await;
        (database.unwrap(), test)
    }

    async fn append(database: &Database, id: &str) {
        let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
        let event = NewEvent {
            event_type: "Added".to_owned(),
            event_version: "1".to_owned(),
            payload: "{}".to_owned(),
        };
        append.raw_stream("tally", id, 0, vec![event]).unwrap();
        append.append(database).await.unwrap();
        while database.sequence().await.unwrap().is_none() {}
    }

    #[tokio::test]
    async fn a_checkpoint_is_signed_when_the_tree_has_grown_and_older_ones_are_kept() {
        let (database, _test) = database().await;
        let files = tempfile::tempdir().unwrap();
        let directory = Directory::new(files.path().join("checkpoints"));
        let key = || SigningKey::from_seed("log.test", &[3; 32]).unwrap();
        let signer = Signer::new(database.clone(), key(), directory.clone());
        assert_eq!(signer.sign().await.unwrap(), None, "nothing happened yet");
        for size in 1..=3 {
            append(&database, &format!("s{size}")).await;
            database.tree().catch_up().await.unwrap();
            let signed = signer.sign().await.unwrap().unwrap();
            assert_eq!(signed.size, size);
            assert_eq!(signed.root, database.tree().root(size).await.unwrap());
            assert_eq!(signer.sign().await.unwrap(), None);
        }
        let kept = directory.read().unwrap();
        let names: Vec<&str> = kept.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [1, 2, 3].map(|size| format!("{size:020}.checkpoint")),
            "and nothing that was written aside"
        );
        let newest = directory.newest_of(key().public()).unwrap().unwrap();
        assert_eq!(newest.size, 3);
        let other = SigningKey::from_seed("log.test", &[4; 32]).unwrap();
        assert_eq!(directory.newest_of(other.public()).unwrap(), None);
        assert!(
            directory.keep(3, "another").is_err(),
            "none takes another's place"
        );
    }

    #[tokio::test]
    async fn nothing_is_signed_of_a_log_that_contradicts_the_last_checkpoint() {
        let (database, _test) = database().await;
        let files = tempfile::tempdir().unwrap();
        let directory = Directory::new(files.path().to_owned());
        let key = SigningKey::from_seed("log.test", &[3; 32]).unwrap();
        let signer = Signer::new(database.clone(), key, directory.clone());
        append(&database, "a").await;
        append(&database, "b").await;
        database.tree().catch_up().await.unwrap();
        signer.sign().await.unwrap();
        for damage in [
            "UPDATE log_tree_tiles SET hashes = set_byte(hashes, 2, get_byte(hashes, 2) # 255)",
            "UPDATE log_tree SET size = 1",
        ] {
            sqlx::query(damage).execute(database.pool()).await.unwrap();
            let refused = signer.sign().await;
            let is_refused = matches!(refused, Err(Error::Contradicted { size: 2 }));
            assert!(is_refused, "{damage}: {refused:?}");
        }
        assert_eq!(directory.read().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_was_appended_last_is_in_the_checkpoint_of_the_end() {
        let (database, _test) = database().await;
        let files = tempfile::tempdir().unwrap();
        let directory = Directory::new(files.path().to_owned());
        let key = SigningKey::from_seed("log.test", &[3; 32]).unwrap();
        let public = key.public().clone();
        let signer = Signer::new(database.clone(), key, directory.clone());
        let cancel = CancellationToken::new();
        let task = Checkpointer::new(signer, Duration::from_secs(3600)).run(cancel.clone());
        let task = tokio::spawn(task);
        append(&database, "a").await;
        cancel.cancel();
        task.await.unwrap();
        assert_eq!(directory.newest_of(&public).unwrap().unwrap().size, 1);
    }
}
