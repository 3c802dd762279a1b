//! Why a command on a keyword set was refused.

/// Why a command on a keyword set was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such set, or it was deleted.
    #[error("no such keyword set")]
    NotFound,
    /// The id is taken.
    #[error("the keyword set exists already")]
    Exists,
    /// A field is not acceptable.
    #[error("{field}: {message}")]
    Invalid {
        /// The field as the wire names it, such as `rules[3].pattern`.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Error {
    pub(super) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            message: message.into(),
        }
    }
}
