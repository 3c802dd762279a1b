//! Why a change of the settings was refused.

/// Why a change of the settings was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
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
