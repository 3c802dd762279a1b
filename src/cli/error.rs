//! Why a command did not do its work.

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// A step failed.
    #[error("cannot {action}")]
    Step {
        /// The step.
        action: &'static str,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The work came to a bad end that says everything itself.
    #[error("{0}")]
    Failed(String),
    /// A signal ended the work.
    #[error("interrupted; the same command goes on where this one ended")]
    Interrupted,
    /// The private server was lost while the command worked on it.
    #[error("the private PostgreSQL ended")]
    Lost,
    /// The private server could not be had.
    #[error(transparent)]
    Cluster(#[from] private_postgres::Error),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// A rebuild, a comparison or a check failed.
    #[error(transparent)]
    Replay(#[from] ::replay::Error),
    /// A file that an argument names cannot be used.
    #[error(transparent)]
    File(#[from] crate::config::FileError),
}

impl Error {
    /// Names the step that failed.
    pub(crate) fn step<E>(action: &'static str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Step {
            action,
            source: source.into(),
        }
    }

    /// Returns what the program ends with: 2 when the command line is wrong, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::File(_) => 2,
            _ => 1,
        }
    }
}
