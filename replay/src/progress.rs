//! How far a rebuild has come.

use event_store::Position;

/// How far a rebuild has come, after each of its steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The projection.
    pub projection: &'static str,
    /// The last position that was taken in.
    pub position: Position,
    /// The position that is to be reached; it rises while writers append.
    pub target: Position,
    /// Events of the projection's types that were taken in.
    pub applied: u64,
}
