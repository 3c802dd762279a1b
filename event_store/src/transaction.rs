//! A transaction in which a caller appends and writes rows of its own.

use sqlx::{PgConnection, Postgres};

use crate::{Answer, BulkAppend, Database, Error, bulk};

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
