//! Proxies at work: checks that really connect, by request and by themselves, and the pools of runs.
//!
//! A check fetches the operator's page through one proxy and records how that went: a count in the table `proxy_checks`
//! each time, an event only where the proxy's health is another than before. What a run finds out by the pages that it
//! fetches is recorded likewise, without being counted. The invariant: what was found of a proxy as it was before a change
//! says nothing of what it is now.

mod check;
mod fetchers;
mod of_run;
mod rounds;
mod watch;

pub(crate) use self::check::protocol;
pub(super) use self::of_run::{Refused, pool};
pub use self::{
    check::{Asked, Checked, Error, TIMEOUT},
    fetchers::Fetchers,
    rounds::Rounds,
};
