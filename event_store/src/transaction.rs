//! A transaction in which a caller appends and writes rows of its own.

use aggregates::Metadata;
use cqrs_es::{Aggregate, event_sink::EventSink};
use sqlx::{PgConnection, Postgres};

use crate::{
    Answer, BulkAppend, Committed, Database, Error, ExecuteError, bulk, log::Again, personal::Seals,
};

/// A transaction that rolls back unless it is committed.
#[derive(Debug)]
pub struct Transaction {
    inner: sqlx::Transaction<'static, Postgres>,
    database: Database,
    appended: bool,
    /// Set while an append runs: one that failed or whose future was dropped may have written events without
    /// noting them, and committing those would lose them.
    unfinished: bool,
}

impl Transaction {
    pub(crate) async fn begin(database: &Database) -> Result<Self, Error> {
        let inner = database
            .pool()
            .begin()
            .await
            .map_err(Error::database("begin a transaction"))?;
        Ok(Self {
            inner,
            database: database.clone(),
            appended: false,
            unfinished: false,
        })
    }

    /// Returns the connection, for statements of the caller's own.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    /// Appends to many streams and answers for each, in the order in which they were added.
    ///
    /// # Errors
    /// [`Error::Database`] when the server refuses; after any error only a rollback is left.
    pub async fn append(&mut self, batch: &BulkAppend) -> Result<Vec<Answer>, Error> {
        if self.unfinished {
            return Err(Error::Unfinished);
        }
        self.unfinished = true;
        let answers = bulk::append(&mut self.inner, batch).await?;
        self.unfinished = false;
        self.appended |= answers
            .iter()
            .any(|answer| matches!(answer, Answer::Appended { .. }));
        Ok(answers)
    }

    /// Loads an aggregate as this transaction sees it, with its version; one that has no events is its default at
    /// version 0.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Decode`] when the stream cannot be read.
    pub async fn load<A: Aggregate>(&mut self, aggregate_id: &str) -> Result<(A, u64), Error> {
        let stream = self.database.log().stream(A::TYPE, aggregate_id);
        stream.fold_on(&mut self.inner).await
    }

    /// Loads an aggregate, lets it decide, and appends what it decided: recorded with what else this transaction
    /// writes, or not at all. A conflict with another writer is decided again from the new version, for two seconds.
    ///
    /// # Errors
    /// See [`ExecuteError`]; after [`ExecuteError::Log`] and [`ExecuteError::Conflict`] only a rollback is left.
    pub async fn execute<A>(
        &mut self,
        aggregate_id: &str,
        command: A::Command,
        metadata: &Metadata,
    ) -> Result<Committed<A::Event>, ExecuteError<A::Error>>
    where
        A: Aggregate<Services = ()>,
        A::Command: Clone + Send,
    {
        let wrap = self.database.wrap().cloned();
        let seals = Seals::of::<A>(&mut self.inner, wrap.as_ref(), aggregate_id, metadata).await?;
        let metadata = &seals.metadata(metadata);
        let mut again = Again::default();
        loop {
            let (mut aggregate, version) = self.load::<A>(aggregate_id).await?;
            let sink = EventSink::default();
            aggregate
                .handle(command.clone(), &(), &sink)
                .await
                .map_err(ExecuteError::Rejected)?;
            let events = sink.collect().await;
            if events.is_empty() {
                return Ok(Committed { version, events });
            }
            let events = seals.events::<A>(aggregate_id, events)?;
            // An equal event of somebody else is none of this transaction's.
            let mut batch = BulkAppend::new(metadata).recorded_when(|_, _| false);
            batch.stream::<A>(aggregate_id, version, &events)?;
            match self.append(&batch).await {
                Ok(answers) => {
                    if let Some(Answer::Appended { version }) = answers.first() {
                        let version = *version;
                        return Ok(Committed { version, events });
                    }
                }
                // Not the stream's next place, which is answered: a name that only one event may take, or a key.
                Err(error) if error.is_unique_violation() => break,
                Err(error) => return Err(error.into()),
            }
            if !again.after_losing_at(version) {
                break;
            }
        }
        Err(ExecuteError::Conflict {
            aggregate_type: A::TYPE,
            aggregate_id: aggregate_id.to_owned(),
        })
    }

    /// Commits, and wakes the sequencer when something was appended.
    ///
    /// # Errors
    /// [`Error::Unfinished`] after an append that failed; [`Error::Database`] when the commit fails.
    pub async fn commit(self) -> Result<(), Error> {
        if self.unfinished {
            return Err(Error::Unfinished);
        }
        self.inner
            .commit()
            .await
            .map_err(Error::database("commit a transaction"))?;
        if self.appended {
            self.database.signals().appended.notify_one();
        }
        Ok(())
    }

    /// Rolls back at once instead of when the connection is used next.
    ///
    /// # Errors
    /// [`Error::Database`] when the connection is gone, which rolls back too.
    pub async fn rollback(self) -> Result<(), Error> {
        self.inner
            .rollback()
            .await
            .map_err(Error::database("roll back a transaction"))
    }
}
