//! Why events could not be applied.

use std::fmt;

use event_store::Recorded;

/// Why a batch of events was not applied. The words for one cause stay the same whatever else is in the batch: by them it is
/// known again.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// An event can never be applied by this version of the program.
    #[error(
        "event {position} ({event_type} of {aggregate_type} {aggregate_id}) cannot be applied: {message}"
    )]
    Poison {
        /// Its position in the log.
        position: i64,
        /// Its type.
        event_type: String,
        /// The type of its stream.
        aggregate_type: String,
        /// Its stream.
        aggregate_id: String,
        /// What is wrong with it.
        message: String,
    },
    /// Results arrived for rows that are not there.
    #[error("results for domains that have no rows")]
    Rows,
    /// The database failed or refused a statement.
    #[error("cannot write rows")]
    Database(#[from] sqlx::Error),
}

impl ApplyError {
    /// Names the event that is at fault.
    pub fn poison(event: &Recorded, message: impl fmt::Display) -> Self {
        Self::Poison {
            position: event.position.as_i64(),
            event_type: event.event_type.clone(),
            aggregate_type: event.aggregate_type.clone(),
            aggregate_id: event.aggregate_id.clone(),
            message: message.to_string(),
        }
    }

    /// Tells whether trying again can help: a lost connection or a conflict passes, a value that does not fit does
    /// not (`SQLSTATE` classes 22, 23 and 42).
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Poison { .. } | Self::Rows => false,
            Self::Database(sqlx::Error::Database(error)) => !error.code().is_some_and(|code| {
                ["22", "23", "42"]
                    .iter()
                    .any(|class| code.starts_with(class))
            }),
            Self::Database(error) => !matches!(
                error,
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_)
            ),
        }
    }
}

/// Why a step, a wait or a rebuild did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A page was not applied.
    #[error("{projection} cannot take in the events {first} to {last}")]
    Apply {
        /// The projection.
        projection: &'static str,
        /// The position of the page's first event.
        first: i64,
        /// The position of its last event.
        last: i64,
        /// Why.
        source: Box<ApplyError>,
    },
    /// The log could not be read.
    #[error("cannot read the log")]
    Feed(#[from] event_store::Error),
    /// The database failed.
    #[error("database")]
    Database(#[from] sqlx::Error),
    /// There is no projection of that name.
    #[error("no projection is called {0}")]
    Unknown(String),
    /// The live tables were in use all the time.
    #[error("cannot swap the tables of {0}: they were in use")]
    Busy(&'static str),
    /// Another rebuild of the projection runs.
    #[error("{0} is being rebuilt by somebody else")]
    UnderWay(&'static str),
    /// A rebuild went past the live tables before it was compared with them.
    #[error("the rebuilt tables of {0} are ahead of the live ones")]
    Ahead(&'static str),
}
