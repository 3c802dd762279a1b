//! The bulk lane: the decided events of thousands of streams in one transaction.
//!
//! Used by workers, whose results were decided by the aggregate from the state that came with their lease. Every stream
//! gets all of its events or none, and an answer; nothing is dropped silently. How: the first event of every stream is
//! inserted where the expected last one is there and its own place is free. Whoever holds that place holds the stream
//! until the transaction ends, so the streams' further events follow with a plain insert that cannot collide.

mod answer;
mod append;
mod columns;
mod conflict;
mod insert;
mod same_run;

use std::{collections::HashMap, fmt, sync::Arc};

use aggregates::Metadata;
use cqrs_es::{Aggregate, DomainEvent};

pub(crate) use self::append::append;
pub use self::{
    answer::{Answer, FoundEvent, NewEvent},
    same_run::same_run,
};
use crate::{Database, Error};

/// The most events that one append may write; at some 300 bytes each this is a few megabytes in one statement.
pub const MAX_BULK_EVENTS: usize = 20_000;
/// How often an append that owns its transaction is run again after a deadlock.
const DEADLOCK_RETRIES: u32 = 3;

type SameStep = Arc<dyn Fn(&NewEvent, &FoundEvent) -> bool + Send + Sync>;

#[derive(Clone, Debug)]
struct StreamAppend {
    aggregate_type: String,
    aggregate_id: String,
    expected: u64,
    events: Vec<NewEvent>,
}

impl StreamAppend {
    fn key(&self) -> (&str, &str) {
        (&self.aggregate_type, &self.aggregate_id)
    }
}

/// Events for many streams, collected and then appended at once.
#[derive(Clone)]
pub struct BulkAppend {
    metadata: HashMap<String, String>,
    streams: Vec<StreamAppend>,
    events: usize,
    same_step: SameStep,
}

impl BulkAppend {
    /// Starts an append whose events all carry the same metadata. Unless told otherwise, an event counts as already
    /// recorded when [`same_run`] says so.
    #[must_use]
    pub fn new(metadata: &Metadata) -> Self {
        Self {
            metadata: metadata.to_map(),
            streams: Vec::new(),
            events: 0,
            same_step: Arc::new(same_run),
        }
    }

    /// Decides differently when a found event is the same step as the one that wanted its place.
    #[must_use]
    pub fn recorded_when(
        mut self,
        same: impl Fn(&NewEvent, &FoundEvent) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.same_step = Arc::new(same);
        self
    }

    /// Adds the events of one stream, which is expected to be at `expected` (0: not there yet).
    ///
    /// # Errors
    /// [`Error::Encode`] when an event does not serialize, [`Error::BadStream`] without events.
    pub fn stream<A: Aggregate>(
        &mut self,
        aggregate_id: &str,
        expected: u64,
        events: &[A::Event],
    ) -> Result<(), Error> {
        let encode = |event: &A::Event| {
            let payload = serde_json::to_string(event).map_err(|source| Error::Encode {
                aggregate_type: A::TYPE.to_owned(),
                aggregate_id: aggregate_id.to_owned(),
                source,
            })?;
            Ok(NewEvent {
                event_type: event.event_type(),
                event_version: event.event_version(),
                payload,
            })
        };
        let events = events.iter().map(encode).collect::<Result<_, _>>()?;
        self.raw_stream(A::TYPE, aggregate_id, expected, events)
    }

    /// Adds events that are JSON already.
    ///
    /// # Errors
    /// [`Error::BadStream`] without events.
    pub fn raw_stream(
        &mut self,
        aggregate_type: &str,
        aggregate_id: &str,
        expected: u64,
        events: Vec<NewEvent>,
    ) -> Result<(), Error> {
        let (aggregate_type, aggregate_id) = (aggregate_type.to_owned(), aggregate_id.to_owned());
        if events.is_empty() {
            return Err(Error::BadStream {
                aggregate_type,
                aggregate_id,
                problem: "without events",
            });
        }
        self.events += events.len();
        self.streams.push(StreamAppend {
            aggregate_type,
            aggregate_id,
            expected,
            events,
        });
        Ok(())
    }

    /// Returns how many streams were added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Says whether no stream was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Appends in a transaction of its own, which is run again after a deadlock with another.
    ///
    /// # Errors
    /// [`Error::Database`] when the server refuses, [`Error::TooLarge`], [`Error::BadStream`] for a stream named twice.
    pub async fn append(&self, database: &Database) -> Result<Vec<Answer>, Error> {
        let mut tries = 0;
        loop {
            let mut transaction = database.begin().await?;
            match transaction.append(self).await {
                Ok(answers) => {
                    transaction.commit().await?;
                    return Ok(answers);
                }
                Err(error) if error.is_transient() && tries < DEADLOCK_RETRIES => tries += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Debug for BulkAppend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "BulkAppend({} streams, {} events)",
            self.streams.len(),
            self.events
        )
    }
}

fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
