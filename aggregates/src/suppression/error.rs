//! Why a command on the suppression list was refused.

/// Why a command on the suppression list was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such entry, or it was removed.
    #[error("no such suppression entry")]
    NotFound,
    /// The same entry is on the list.
    #[error("the same entry is on the suppression list")]
    Exists,
    /// A field is not acceptable.
    #[error("{field}: {message}")]
    Invalid {
        /// The field as the wire names it.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    pub(super) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            message: message.into(),
        }
    }
}
