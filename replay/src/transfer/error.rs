//! Why a log was not taken out or in.

use chrono::{DateTime, Utc};
use transparency::Hash;

/// Why a log was not taken out or in. Where it was to be taken in the log is as empty then as before.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The database failed.
    #[error(transparent)]
    Log(#[from] event_store::Error),
    /// A snapshot of the log could not be had.
    #[error("cannot read the log")]
    Database(#[from] sqlx::Error),
    /// The database does not take the events.
    #[error(transparent)]
    Import(#[from] event_store::ImportError),
    /// The text could not be read or written.
    #[error("cannot {action} the export")]
    File {
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A line does not serialize.
    #[error("cannot write a line of the export")]
    Encode(#[from] serde_json::Error),
    /// The log is not one that could be taken in again.
    #[error(
        "the log cannot be exported: position {position} {problem}; replay verify tells what is wrong"
    )]
    Unsound {
        /// Where.
        position: u64,
        /// What is wrong there.
        problem: &'static str,
    },
    /// A line is not what should stand there.
    #[error("line {line} of the export: {problem}")]
    Line {
        /// Which, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The text ends before its last line.
    #[error(
        "the export is cut off after line {lines}, {events} events: its last line, with their number, is missing"
    )]
    CutOff {
        /// How many lines there are.
        lines: u64,
        /// How many events are in them.
        events: u64,
    },
    /// The events are not the ones that were exported.
    #[error(
        "the export was changed: its {events} events have the root {found}, its last line says {said_events} with the root {said}"
    )]
    Changed {
        /// How many events there are.
        events: u64,
        /// The root of the tree over them.
        found: Hash,
        /// How many the last line says.
        said_events: u64,
        /// The root that it says.
        said: Hash,
    },
}

impl TransferError {
    pub(super) fn file(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::File { action, source }
    }
}

/// Says whether a moment stands for one that no calendar has.
pub(super) fn is_no_moment(moment: DateTime<Utc>) -> bool {
    [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC].contains(&moment)
}
