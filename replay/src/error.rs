//! Why the operator's tool could not do its work.

/// Why a rebuild, a comparison or a check did not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The projection could not be built.
    #[error(transparent)]
    Projection(#[from] projections::runtime::Error),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// The database failed.
    #[error("cannot read the read models")]
    Database(#[from] sqlx::Error),
    /// The log could not be taken out or in.
    #[error(transparent)]
    Transfer(#[from] crate::TransferError),
    /// There is no evidence of an event.
    #[error("there is no proof of position {position}: {reason}")]
    Unproven {
        /// The position.
        position: u64,
        /// Why.
        reason: NoProof,
    },
    /// There is no projection of that name.
    #[error("no projection is called {name}; there are {known}")]
    UnknownProjection {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// Why there is no evidence of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// There is no such event.
    #[error("the log has no event there")]
    NoEvent,
    /// No checkpoint is of so many events.
    #[error("no checkpoint of a known key covers it yet")]
    NotSigned,
    /// The event, or one before it, was changed.
    #[error("the log is not what the checkpoint says")]
    Contradicted,
}
