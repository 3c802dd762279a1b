//! Leads: which domains of a campaign are worth somebody's time, and the one reason why or why not.
//!
//! Called by the enrichment worker for every domain. The rules are ordered and the first that applies decides, so every
//! domain has exactly one reason and the rejection summary adds up.

mod decide;
mod thresholds;

pub use decide::{Check, Decision, Facts, Reason, Status, decide, has_structure};
pub use thresholds::{Error, Thresholds};
