//! Verifying the log itself: whether any event was altered, removed, inserted or moved since it was recorded.
//!
//! Called by `replay verify`. The log is walked from its first commit to its last and the tree over it is computed a second
//! time; it is compared with the tree that is stored, leaf by leaf, and with every checkpoint that was signed and kept
//! outside the database. The stored leaves tell which event was touched first; the checkpoints tell it of whoever rewrote
//! the tree as well, up to the positions between two of them.
//!
//! Everything is read in one snapshot, so it runs beside any traffic; it reads the whole log.

mod checkpoints;
mod compare;
mod explain;
mod finding;
mod leaves;

use event_store::{Database, Walk};
use projections::snapshot;
use transparency::{Checkpoint, PublicKey};

pub use self::{
    checkpoints::CheckpointFile,
    finding::{Change, LogFinding, Place},
};
use self::{checkpoints::Checkpoints, compare::Comparison};
use crate::Error;

/// Events that are read at once, about.
const PAGE: u32 = 2_000;

/// What the log is held against besides the tree that is stored beside it.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    /// The checkpoints.
    pub checkpoints: Vec<CheckpointFile>,
    /// The keys that may have signed them.
    pub keys: Vec<PublicKey>,
    /// Whether somebody says that they are there: then it is a finding when none vouches for the log.
    pub are_named: bool,
}

/// What a verification of the log found.
#[derive(Clone, Debug)]
pub struct LogVerified {
    /// The events that have a position.
    pub events: u64,
    /// How many of them the stored tree covers; the others were recorded a moment ago.
    pub covered: u64,
    /// How many checkpoints say what the log says.
    pub agreeing: usize,
    /// The newest of them.
    pub newest: Option<Checkpoint>,
    /// What is wrong: what names the first event that was touched comes first.
    pub findings: Vec<LogFinding>,
}

impl LogVerified {
    /// Says whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Computes the tree over the log a second time and compares; `report` is told how many events were read of how many.
///
/// # Errors
/// When the database fails.
pub async fn verify_log(
    database: &Database,
    witnesses: &Witnesses,
    mut report: impl FnMut(u64, u64),
) -> Result<LogVerified, Error> {
    let mut snapshot = snapshot(database.pool()).await?;
    let stored = database.tree();
    let (covered, head) = stored.size_and_head_in(&mut snapshot).await?;
    let (checkpoints, refused) = Checkpoints::open(witnesses);
    let mut comparison = Comparison::new(stored, covered, checkpoints);
    let mut walk = Walk::default();
    loop {
        let commits = walk.next(&mut snapshot, PAGE).await?;
        if commits.is_empty() {
            break;
        }
        comparison.take(&mut snapshot, &commits).await?;
        report(comparison.events(), head);
    }
    let mut verified = comparison.finish(&mut snapshot).await?;
    snapshot.rollback().await?;
    verified.findings.extend(refused);
    if witnesses.are_named && verified.newest.is_none() {
        verified.findings.push(LogFinding::Unvouched);
    }
    let checked = event_store::check(database).await?;
    finding::name_what_is_missing(&mut verified.findings, &checked.findings);
    let of_log = checked.findings.into_iter().map(LogFinding::Log);
    verified.findings.extend(of_log);
    Ok(verified)
}
