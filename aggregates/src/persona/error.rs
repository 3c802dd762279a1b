//! Why a command on a persona was refused.

/// Why a command on a persona was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such persona, or it was deleted.
    #[error("no such persona")]
    NotFound,
    /// The id is taken.
    #[error("the persona exists already")]
    Exists,
    /// A field cannot be honoured.
    #[error("{field}: {message}")]
    Invalid {
        /// The field as the wire names it, such as `resolvers[1]` or `tlsClientHello.minVersion`.
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

    /// Refuses a number outside its range.
    pub(super) fn unless_within<T: PartialOrd + std::fmt::Display>(
        field: &str,
        value: T,
        least: T,
        most: T,
    ) -> Result<(), Self> {
        // Written so that NaN fails too.
        if value >= least && value <= most {
            return Ok(());
        }
        Err(Self::invalid(
            field,
            format!("{value} is not between {least} and {most}"),
        ))
    }
}
