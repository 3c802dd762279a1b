//! What goes into an append, and what became of it.

/// An event to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub event_type: String,
    /// The version of the payload's shape.
    pub event_version: String,
    /// The payload as JSON text.
    pub payload: String,
}

/// The event that was found where another should have gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEvent {
    /// Its place in the stream.
    pub sequence: u64,
    /// What happened.
    pub event_type: String,
    /// The payload as JSON text.
    pub payload: String,
}

/// What became of one stream of a bulk append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of its events were appended.
    Appended {
        /// The stream's version now.
        version: u64,
    },
    /// The same step was recorded before, at the same place; nothing was appended.
    AlreadyRecorded {
        /// The stream's version.
        version: u64,
    },
    /// The stream is not where it was expected to be; nothing was appended.
    Conflict {
        /// The stream's version.
        actual: u64,
        /// The event at the first place that was wanted, if there is one.
        found: Option<FoundEvent>,
    },
}
