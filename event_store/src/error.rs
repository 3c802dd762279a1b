//! What can go wrong between the program and the log.

use std::borrow::Cow;

/// The `SQLSTATE` of a value that is there already and must be unique.
const UNIQUE_VIOLATION: &str = "23505";

/// Why the log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or could not be reached.
    #[error("cannot {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
    /// The server is too old.
    #[error("the server is PostgreSQL {major}, and {oldest} is the oldest that will do")]
    OldServer {
        /// Its version.
        major: i32,
        /// The oldest that has everything that is used.
        oldest: i32,
    },
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// What a person's data is sealed under cannot be had.
    #[error(
        "the personal data of user {person} cannot be read or written: the key of it cannot be opened"
    )]
    PersonalKey {
        /// The person.
        person: uuid::Uuid,
        /// Why not.
        #[source]
        source: crate::personal::Unopened,
    },
    /// An event of the interactive lane could not be read or written.
    #[error("cannot {action} {aggregate_type} {aggregate_id}")]
    Aggregate {
        /// What was tried.
        action: &'static str,
        /// The aggregate's type.
        aggregate_type: &'static str,
        /// The aggregate's id.
        aggregate_id: String,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A recorded event does not read as what it should be.
    #[error("cannot decode event {sequence} of {aggregate_type} {aggregate_id}")]
    Decode {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// The event's sequence.
        sequence: u64,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// A new event does not serialize.
    #[error("cannot encode an event for {aggregate_type} {aggregate_id}")]
    Encode {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// What went wrong.
        #[source]
        source: serde_json::Error,
    },
    /// There is no such event.
    #[error("{aggregate_type} {aggregate_id} has no event {sequence}")]
    NoSuchEvent {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// The sequence asked for.
        sequence: u64,
    },
    /// An event was committed and has still no position, because somebody keeps the sequencer's lock.
    #[error(
        "event {sequence} of {aggregate_type} {aggregate_id} has no position after {waited_ms} ms"
    )]
    NotSequenced {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// The event's sequence.
        sequence: u64,
        /// How long it was waited for.
        waited_ms: u64,
    },
    /// A bulk append names more events than one transaction may write.
    #[error("a bulk append of {events} events is above the limit of {limit}")]
    TooLarge {
        /// How many it has.
        events: usize,
        /// The limit.
        limit: usize,
    },
    /// A bulk append names a stream twice, or none of its events.
    #[error("a bulk append names {aggregate_type} {aggregate_id} {problem}")]
    BadStream {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The tree over the log lacks something, or was asked for what it does not cover.
    #[error("the tree over the log cannot answer")]
    Tree(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The log has not the events that its positions say.
    #[error("the log goes on at position {found} where {expected} should be")]
    NotDense {
        /// The position that should come.
        expected: u64,
        /// The one that comes.
        found: u64,
    },
    /// A bulk append inside this transaction failed or was abandoned; only a rollback is left.
    #[error("the transaction has an append that did not finish")]
    Unfinished,
}

impl Error {
    /// Names the step of a database error.
    pub(crate) fn database(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }

    /// Says what is wrong with the tree.
    pub(crate) fn tree(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Tree(source.into())
    }

    /// Says whether the same transaction may succeed when it is run again: a deadlock or a serialization failure.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self.sql_state().as_deref(), Some("40001" | "40P01"))
    }

    /// Says whether an event does not read: no other try will read it until somebody mends it.
    #[must_use]
    pub const fn is_undecodable(&self) -> bool {
        matches!(
            self,
            Self::Decode { .. }
                | Self::Database {
                    source: sqlx::Error::Decode(_),
                    ..
                }
        )
    }

    /// Says whether something is there already of which there may be one.
    pub(crate) fn is_unique_violation(&self) -> bool {
        self.sql_state().as_deref() == Some(UNIQUE_VIOLATION)
    }

    fn sql_state(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Database {
                source: sqlx::Error::Database(error),
                ..
            } => error.code(),
            _ => None,
        }
    }
}
