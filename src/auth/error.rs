//! Why somebody was not let in, or not registered.

use aggregates::user;
use event_store::ExecuteError;

/// Why somebody was not let in, or not registered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The mail address or the password is wrong; which of the two is not said.
    #[error("the mail address or the password is wrong")]
    WrongCredentials,
    /// The session that a command came with ended meanwhile.
    #[error("the session is over")]
    SessionOver,
    /// Nobody would be left who administers.
    #[error("the last administrator cannot be erased")]
    LastAdministrator,
    /// Something of the user is in the log as it is, which nothing removes.
    #[error(
        "something of this user was recorded before personal data was sealed, or by a node without a key, and cannot be erased"
    )]
    InTheClear,
    /// Too many try at the same moment, or somebody else tries the same user.
    #[error("too many attempts are under way")]
    Busy,
    /// The mail address belongs to a user already.
    #[error("the mail address {0} belongs to a user already")]
    EmailTaken(String),
    /// Nobody has the mail address.
    #[error("nobody has the mail address {0}")]
    NoSuchUser(String),
    /// There are users, so that the first one cannot be made.
    #[error("there are users already")]
    AlreadySetUp,
    /// The set-up token is none, or none any more.
    #[error("the set-up token is wrong or over")]
    WrongSetupToken,
    /// The password cannot be used.
    #[error("the password {0}")]
    UnusablePassword(&'static str),
    /// The user's rules refused.
    #[error(transparent)]
    Refused(#[from] ExecuteError<user::Error>),
    /// Hashing failed.
    #[error("cannot hash a password")]
    Password(#[source] bcrypt::BcryptError),
    /// The task that hashes was ended, because the process shuts down.
    #[error("the process is shutting down")]
    ShuttingDown,
    /// The database failed.
    #[error("cannot {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// What went wrong.
        #[source]
        source: sqlx::Error,
    },
    /// A role is stored that this program does not know.
    #[error(transparent)]
    UnknownRole(#[from] user::UnknownRole),
    /// A scope is stored that this program does not know.
    #[error(transparent)]
    UnknownScope(#[from] user::UnknownScope),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
}

impl Error {
    /// Names the step of a database error.
    pub(super) fn database(action: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { action, source }
    }
}
