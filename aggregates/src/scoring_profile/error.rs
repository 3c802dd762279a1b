//! Why a command on a scoring profile was refused.

use crate::scoring;

/// Why a command on a scoring profile was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such profile, or it was deleted.
    #[error("no such scoring profile")]
    NotFound,
    /// The id is taken.
    #[error("the scoring profile exists already")]
    Exists,
    /// The caller saw another version.
    #[error("the scoring profile is at version {current}, expected {expected}")]
    VersionMismatch {
        /// What the caller saw.
        expected: u64,
        /// What is there.
        current: u64,
    },
    /// The name is empty or too long.
    #[error("name: must have 1 to 255 characters")]
    Name,
    /// The weights cannot be used.
    #[error(transparent)]
    Weights(#[from] scoring::Error),
}

impl Error {
    /// Names the field that is to blame, where it is one.
    #[must_use]
    pub fn field(&self) -> Option<String> {
        match self {
            Self::Name => Some("name".to_owned()),
            Self::Weights(error) => Some(error.field()),
            Self::NotFound | Self::Exists | Self::VersionMismatch { .. } => None,
        }
    }
}
