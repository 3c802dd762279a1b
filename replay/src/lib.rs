//! The operator's tool: the read models are thrown away and built again, compared with the log, and checked.
//!
//! Called by the command line (`replay …`), by the demo and as the last step of tests. Nothing here changes a log:
//! [`rebuild()`] puts a projection together anew beside the live one and swaps the two; [`verify()`] does the same and
//! only compares; [`verify_log()`] holds the log itself against the tree over it and against signed checkpoints, and
//! [`prove()`] makes evidence of one event; [`check()`] asks of the log, the checkpoints, the counters and the completed
//! runs whether they are what they promise to be; [`lag()`] tells how far behind everything is; [`campaign_at()`] shows a
//! campaign as it was; [`export()`] writes the log as a text. All of them run beside any traffic. [`import()`] takes such
//! a text in where there is no log yet, and keeps writers out meanwhile.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod check;
mod error;
mod lag;
mod log;
mod progress;
mod prove;
mod rebuild;
mod runs;
mod time_travel;
mod transfer;
mod verify;

pub use self::{
    check::{Counter, Report, Standing, check},
    error::{Error, NoProof},
    lag::{Follower, Lag, SEQUENCER, lag},
    log::{Change, CheckpointFile, LogFinding, LogVerified, Place, Witnesses, verify_log},
    progress::Progress,
    prove::prove,
    rebuild::{Rebuilt, rebuild},
    runs::Unbalanced,
    time_travel::{At, CampaignThen, campaign_at},
    transfer::{TransferError, Transferred, export, import},
    verify::{Verified, verify},
};

use std::sync::Arc;

use projections::runtime::Projection;

/// Finds projections by name; without names, all of them.
///
/// # Errors
/// [`Error::UnknownProjection`] names the first that does not exist and those that do.
pub fn named(names: &[String]) -> Result<Vec<Arc<dyn Projection>>, Error> {
    let all = projections::all();
    if names.is_empty() {
        return Ok(all);
    }
    let find = |name: &String| {
        let found = all.iter().find(|projection| projection.name() == name);
        found.cloned().ok_or_else(|| Error::UnknownProjection {
            name: name.clone(),
            known: all
                .iter()
                .map(|projection| projection.name())
                .collect::<Vec<_>>()
                .join(", "),
        })
    };
    names.iter().map(find).collect()
}
