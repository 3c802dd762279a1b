//! Server-sent events: the log, read once a process and told to everybody who may hear it.
//!
//! [`Streams`] follows the feed while anybody listens, turns whole commits into `fact`s that know their owner, and
//! keeps the latest of them in a `ring`. Every connection (`connection`) has a cursor of its own: inside the ring
//! it reads there, behind it it reads pages of the log (`archive`), so a slow client is never skipped ahead, holds up
//! nobody and costs no more than the bounds below. What a connection sends is decided by `composer`, which knows no
//! clock and no socket.
//!
//! The invariant: the id of a message is a position of the log, and everything of the stream up to it was sent before.
//! Whoever resumes after an id therefore gets every later event exactly once, in log order, from any node. That holds
//! for coalesced messages too, because what one of them covers is contiguous in its stream: it is sent before anything
//! later is.

mod answer;
mod archive;
mod batch;
mod block;
mod composer;
mod connection;
mod cursor;
mod fact;
mod fact_of;
mod listeners;
mod outbox;
mod owners;
mod pace;
mod progress;
mod ring;
mod routes;
mod scope;
mod session;
mod streams;

pub(crate) use self::answer::{Message, of_messages};
pub use self::{routes::routes, streams::Streams};

use std::time::Duration;

/// How often a connection hears that it lives; also how long a session that ended unnoticed keeps its streams.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// What a client waits before it comes back.
const RETRY: Duration = Duration::from_secs(2);

/// The shortest time between two coalesced messages of one kind about one campaign: four a second.
const COALESCED: Duration = Duration::from_millis(250);

/// Domains in one `domain_status_delta` at most.
const MAX_ITEMS: usize = 200;

/// Connections of one process at most.
const MAX_CONNECTIONS: usize = 10_000;
/// Connections of one process at most that are one user's, so that nobody takes all of them.
const MAX_OF_USER: usize = 500;

/// Facts read ahead by a connection, bytes.
const AHEAD_BYTES: usize = 8 * 1024;
/// Domains gathered for one message, bytes.
const BATCH_BYTES: usize = 18 * 1024;
/// Text that is written before it is handed over, bytes; one message may go beyond it.
const FRAME_BYTES: usize = 8 * 1024;
/// Text that was handed over and is not yet written to the socket, bytes.
const IN_FLIGHT_BYTES: usize = 16 * 1024;

/// What a connection costs at most, whatever its client does; past it nothing is read for it: what was read ahead, one
/// piece of text that waits, and as much on its way, a batch in each of them.
const CONNECTION_BYTES: usize = 64 * 1024;
const PIECE_BYTES: usize = FRAME_BYTES + BATCH_BYTES;
const _: () =
    assert!(AHEAD_BYTES + 2 * PIECE_BYTES <= CONNECTION_BYTES && IN_FLIGHT_BYTES <= PIECE_BYTES);

#[cfg(test)]
mod tests;
