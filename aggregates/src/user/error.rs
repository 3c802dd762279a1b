//! Why a command on a user was refused.

use chrono::{DateTime, Utc};

/// Why a command on a user was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such user.
    #[error("no such user")]
    NotFound,
    /// The id is taken.
    #[error("the user exists already")]
    Exists,
    /// The user was shut out by an administrator.
    #[error("the user is deactivated")]
    Deactivated,
    /// Too many wrong passwords came in a row.
    #[error("locked out until {}", until.to_rfc3339())]
    LockedOut {
        /// When the next attempt is taken.
        until: DateTime<Utc>,
    },
    /// A field is not acceptable.
    #[error("{field}: {message}")]
    Invalid {
        /// The field as the wire names it.
        field: &'static str,
        /// What is wrong with it.
        message: &'static str,
    },
    /// The user has no such API key.
    #[error("no such api key")]
    NoSuchKey,
    /// The user has as many API keys as he may.
    #[error("a user has at most 50 api keys")]
    TooManyKeys,
}
