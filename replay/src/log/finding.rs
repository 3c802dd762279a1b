//! What can be wrong with a log, in words.

use std::fmt;

use chrono::{DateTime, Utc};
use event_store::{Finding, Overdue};
use transparency::{CheckpointError, Event, TileId};

/// Which event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The kind of aggregate.
    pub aggregate_type: String,
    /// Which aggregate.
    pub aggregate_id: String,
    /// Its place in the stream.
    pub sequence: u64,
}

/// What was done to the log at a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The event there is not what was recorded.
    Altered {
        /// Which one it says that it is.
        event: Place,
    },
    /// Events were removed.
    Missing {
        /// How many.
        events: u64,
        /// The first of them, where a hole in a stream tells which it was.
        lost: Option<Place>,
        /// The one that stands there now; none where the log ends.
        next: Option<Place>,
    },
    /// The event there was never recorded.
    Inserted {
        /// Which one it says that it is.
        event: Place,
    },
    /// The event there was recorded at another position.
    Moved {
        /// Which one.
        event: Place,
        /// Where it was recorded.
        recorded_at: u64,
    },
}

/// One way in which a log is not what was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFinding {
    /// The first position at which the log is not what the tree says.
    Changed {
        /// The position.
        position: u64,
        /// What was done.
        change: Change,
    },
    /// The stored tree was changed, and not the log: a checkpoint beyond the position says what the log says.
    TreeChanged {
        /// The first position whose leaf differs.
        position: u64,
    },
    /// A node of the stored tree is not what stands below it.
    NodesDiffer {
        /// The tile.
        tile: TileId,
    },
    /// The log's events are right up to here, and their positions are not.
    Renumbered {
        /// The position that should come.
        expected: u64,
        /// The one that the log says.
        found: u64,
    },
    /// Events wait for the tree for longer than they should: what is done to them is not found.
    Overdue(Overdue),
    /// A checkpoint is of a log that begins with another event, the first one that is.
    OtherLog {
        /// The positions that it is of.
        size: u64,
        /// When it was signed.
        time: DateTime<Utc>,
        /// Its file.
        file: String,
    },
    /// The log ends before a checkpoint: its tail was cut off.
    Truncated {
        /// The last position.
        head: u64,
        /// The positions that the checkpoint is of.
        size: u64,
        /// When it was signed.
        time: DateTime<Utc>,
        /// Its file.
        file: String,
    },
    /// The log is not what a checkpoint says, the first one that disagrees.
    CheckpointDiffers {
        /// The positions that the last checkpoint before it is of that agrees.
        agreed: u64,
        /// The positions that it is of.
        size: u64,
        /// When it was signed.
        time: DateTime<Utc>,
        /// Its file.
        file: String,
    },
    /// A checkpoint's file says nothing.
    CheckpointRefused {
        /// The file.
        file: String,
        /// Why.
        error: CheckpointError,
    },
    /// None of the checkpoints that were named agrees with the log.
    Unvouched,
    /// What the log's own checker says.
    Log(Finding),
}

impl Place {
    pub(super) fn of(event: &Event) -> Self {
        Self {
            aggregate_type: event.aggregate_type.clone(),
            aggregate_id: event.aggregate_id.clone(),
            sequence: event.sequence,
        }
    }
}

/// Tells of a removed event which one it was, where exactly one stream has a hole.
pub(super) fn name_what_is_missing(findings: &mut [LogFinding], of_log: &[Finding]) {
    let mut holes = of_log.iter().filter_map(|finding| match finding {
        Finding::StreamBroken {
            aggregate_type,
            aggregate_id,
            expected,
            ..
        } => Some(Place {
            aggregate_type: aggregate_type.clone(),
            aggregate_id: aggregate_id.clone(),
            sequence: *expected,
        }),
        _ => None,
    });
    let (Some(hole), None) = (holes.next(), holes.next()) else {
        return;
    };
    for finding in findings {
        if let LogFinding::Changed {
            change: Change::Missing { lost, .. },
            ..
        } = finding
        {
            *lost = Some(hole.clone());
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            aggregate_type,
            aggregate_id,
            sequence,
        } = self;
        write!(f, "event {sequence} of {aggregate_type} {aggregate_id}")
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered { event } => write!(f, "{event} is not what was recorded"),
            Self::Missing { events, lost, next } => {
                write!(f, "{events} recorded events are missing")?;
                if let Some(lost) = lost {
                    write!(f, ", the first is {lost}")?;
                }
                match next {
                    Some(next) => write!(f, "; {next} stands there"),
                    None => write!(f, "; the log ends there"),
                }
            }
            Self::Inserted { event } => write!(f, "{event} was never recorded"),
            Self::Moved { event, recorded_at } => {
                write!(
                    f,
                    "{event} stands there and was recorded at position {recorded_at}"
                )
            }
        }
    }
}

impl fmt::Display for LogFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { position, change } => {
                write!(
                    f,
                    "position {position} is the first that was tampered with: {change}"
                )
            }
            Self::TreeChanged { position } => write!(
                f,
                "the stored tree was changed from position {position} on, while the log is what a checkpoint says"
            ),
            Self::NodesDiffer { tile } => write!(
                f,
                "tile {} on level {} of the stored tree is not what stands below it",
                tile.index, tile.level
            ),
            Self::Renumbered { expected, found } => {
                write!(
                    f,
                    "the log goes on at position {found} where {expected} should be"
                )
            }
            Self::Overdue(Overdue { position, since }) => write!(
                f,
                "the tree does not cover the events from position {position} on, which are there since {since}: nothing keeps it level with the log, and a change of them would not be found"
            ),
            Self::OtherLog { size, time, file } => write!(
                f,
                "{file}, of {size} events at {time}, is of a log that begins with another event: of another database, or the first event is not what was recorded"
            ),
            Self::Truncated {
                head,
                size,
                time,
                file,
            } => write!(
                f,
                "the log ends at position {head}, and {file} says that it had {size} events at {time}: its tail was cut off"
            ),
            Self::CheckpointDiffers {
                agreed,
                size,
                time,
                file,
            } => write!(
                f,
                "the log is not what {file} says that it was at {time}: something was changed at positions {} to {size}",
                agreed + 1
            ),
            Self::CheckpointRefused { file, error } => write!(f, "{file} says nothing: {error}"),
            Self::Unvouched => f.write_str(
                "no checkpoint vouches for the log: of those that were named none is signed with a key that counts and agrees",
            ),
            Self::Log(finding) => finding.fmt(f),
        }
    }
}
