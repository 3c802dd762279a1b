//! Why a command on a proxy was refused.

/// Why a command on a proxy was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such proxy, or it was deleted.
    #[error("no such proxy")]
    NotFound,
    /// The id is taken.
    #[error("the proxy exists already")]
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
