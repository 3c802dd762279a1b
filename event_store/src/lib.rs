//! The log: two lanes in, one ordered feed out.
//!
//! Called by the shell (commands and workers), by the projections (the feed) and by the operator's tool (the checker).
//! [`Log`] is the interactive lane: one command, one aggregate, through `cqrs-es` and `postgres-es`. [`BulkAppend`] is
//! the bulk lane: the decided events of thousands of streams in one transaction, an answer for each stream. [`Feed`]
//! reads everything in the order of its [`Position`], whole commits at a time; [`Sequencer`] gives those positions.
//! [`Tree`] is the Merkle tree over the events in that order, which [`TreeKeeper`] keeps level with them.
//!
//! The invariant: every committed event has exactly one position or is about to get one; positions are dense, never
//! change, rise along every stream, and nothing ever appears before a position that was seen. [`check`] proves it for
//! a database. The schema and the reasons for it are in `migrations/0001_log.sql`.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod bulk;
mod check;
mod database;
mod describe;
mod error;
mod feed;
mod import;
mod latest;
mod log;
mod migrate;
mod moment;
mod outage;
mod past;
pub mod personal;
mod position;
mod sequencer;
mod stored;
mod stream;
mod transaction;
mod tree;
mod upcast;

pub use self::{
    bulk::{Answer, BulkAppend, FoundEvent, MAX_BULK_EVENTS, NewEvent, same_run},
    check::{Finding, Report, check},
    database::{ConnectOptions, Database, START_PATIENCE},
    describe::describe,
    error::Error,
    feed::{Feed, MAX_PAGE, MAX_PAGE_BYTES, Page},
    import::{Import, ImportError},
    log::{Committed, ExecuteError, Log},
    outage::Outage,
    past::{CommitPlace, Past},
    position::Position,
    sequencer::Sequencer,
    stored::{Recorded, StoredEvent},
    stream::{Stream, StreamEvent},
    transaction::Transaction,
    tree::{Commit, Growing, Overdue, Tree, TreeKeeper, Walk},
    upcast::Upcasters,
};
