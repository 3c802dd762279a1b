//! Work orders behind one small interface, so that another carrier than PostgreSQL can bring them to a fleet.

use std::{collections::BTreeMap, time::Duration};

use aggregates::{
    campaign::{Phase, Tallies},
    ids::{CampaignId, RunId},
};
use event_store::Transaction;
use futures::future::BoxFuture;

/// A range of domain ordinals of one run, held under a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The run.
    pub run_id: RunId,
    /// Its campaign.
    pub campaign_id: CampaignId,
    /// Its phase.
    pub phase: Phase,
    /// The first ordinal.
    pub first: i64,
    /// The last ordinal.
    pub last: i64,
    /// Which lease of the order this is; an order that somebody else leased since has a higher one.
    pub epoch: i32,
    /// How often it was given back because of an error.
    pub failures: i32,
}

/// Why an order is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// The worker ends, or the run is paused or over; anybody may take it at once.
    Undone,
    /// Something went wrong; nobody takes it for a while.
    Failed {
        /// How long it rests.
        rest: Duration,
    },
}

/// What became of an attempt to finish an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Results may be recorded with the transaction's commit.
    Done,
    /// The run is over (stopped, failed, done by others): results are refused.
    RunOver,
    /// The lease ran out and somebody else has the order.
    LeaseLost,
}

/// Why orders could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The database failed.
    #[error("work orders")]
    Database(#[from] sqlx::Error),
    /// A row does not decode.
    #[error("a work order names an unknown phase: {0}")]
    UnknownPhase(String),
}

type Answer<'a, T> = BoxFuture<'a, Result<T, OrderError>>;

/// The carrier of work orders.
pub trait Orders: Send + Sync {
    /// Writes the orders of a run, once: a second plan for the run changes nothing and answers `false`.
    fn plan<'a>(
        &'a self,
        run: (CampaignId, Phase, RunId),
        ranges: &'a [(i64, i64, i64)],
    ) -> Answer<'a, bool>;

    /// Says whether the orders of a run were written.
    fn is_planned(&self, run_id: RunId) -> Answer<'_, bool>;

    /// Leases an order of a running run, the run that was served longest ago first; nothing of paused runs, nor of those
    /// that have enough of the worker.
    fn claim<'a>(
        &'a self,
        worker: &'a str,
        lease: Duration,
        sated: &'a [RunId],
    ) -> Answer<'a, Option<Order>>;

    /// Prolongs a lease; `false` when it is lost, or the run is over and the work is for nothing.
    fn renew<'a>(&'a self, order: &'a Order, lease: Duration) -> Answer<'a, bool>;

    /// Gives an order back, for anybody to take.
    fn release<'a>(&'a self, order: &'a Order, because: Release) -> Answer<'a, ()>;

    /// Locks the order and the run's gate inside the transaction that will record the results; until it ends neither
    /// a stop nor another lease can come between.
    fn fence<'a>(
        &'a self,
        transaction: &'a mut Transaction,
        order: &'a Order,
    ) -> Answer<'a, Finished>;

    /// Marks the fenced order done inside the same transaction.
    fn finish<'a>(
        &'a self,
        transaction: &'a mut Transaction,
        order: &'a Order,
        tallies: &'a Tallies,
    ) -> Answer<'a, ()>;

    /// Lists runs under way whose orders are all done, with their summed tallies.
    fn finished_runs(&self) -> Answer<'_, Vec<(CampaignId, Phase, RunId, Tallies)>>;

    /// Counts what is open: runs and orders by state, for metrics.
    fn open(&self) -> Answer<'_, BTreeMap<String, i64>>;

    /// Forgets gates and orders of runs that are over; answers how many runs. Results that come later are refused all the
    /// same, and what a run was planned for stays known.
    fn tidy(&self) -> Answer<'_, u64>;
}
