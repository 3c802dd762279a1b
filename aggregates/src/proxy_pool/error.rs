//! Why a command on a pool was refused.

/// Why a command on a pool was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such pool, or it was deleted.
    #[error("no such proxy pool")]
    NotFound,
    /// The id is taken.
    #[error("the proxy pool exists already")]
    Exists,
    /// The proxy is none of the pool's.
    #[error("the pool has no such proxy")]
    NoSuchMember,
    /// The pool has as many proxies as a pool may have.
    #[error("a pool may have at most {} proxies", super::MAX_MEMBERS)]
    Full,
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
