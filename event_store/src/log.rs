//! The interactive lane: one command for one aggregate, through `cqrs-es` and `postgres-es`.
//!
//! Called by the shell's handlers and by the coordinator. Only the plain event store of `cqrs-es` is used: its snapshot
//! and aggregate stores apply every event twice, and its replay loses errors. Every commit names the version it saw (the
//! primary key refuses a second event of one sequence), so a lost update is impossible.

use std::time::{Duration, Instant};

use aggregates::Metadata;
use chrono::{DateTime, Utc};
use cqrs_es::{
    Aggregate, AggregateError, EventStore,
    event_sink::EventSink,
    persist::{EventStoreAggregateContext, PersistedEventStore},
};
use postgres_es::PostgresEventRepository;

use crate::{Database, Error, Position, Stream, personal::Seals};

/// How long [`Log::position_of`] waits for the sequencer.
const POSITION_LIMIT: Duration = Duration::from_secs(10);
/// How long it waits between two looks while another session gives positions.
const POSITION_PAUSE: Duration = Duration::from_millis(2);
/// How long a command is decided again after somebody else was faster; once more in any case. A worker that records the names of
/// a campaign appends to its stream many times a second, and a user who stops it must not have to try again.
const DECIDED_AGAIN_FOR: Duration = Duration::from_secs(2);

/// Whether a command that lost against another writer is decided again.
#[derive(Debug)]
pub(crate) struct Again {
    begun: Instant,
    lost_at: Option<u64>,
}

impl Default for Again {
    fn default() -> Self {
        Self {
            begun: Instant::now(),
            lost_at: None,
        }
    }
}

impl Again {
    /// Tells whether there is time for another decision after one at this version was refused, and sense in it: where nothing
    /// was appended since the last one, it is not the stream that refuses.
    pub(crate) fn after_losing_at(&mut self, version: u64) -> bool {
        let before = self.lost_at.replace(version);
        match before {
            None => true,
            Some(before) => before != version && self.begun.elapsed() < DECIDED_AGAIN_FOR,
        }
    }
}

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed<E> {
    /// The aggregate's version now.
    pub version: u64,
    /// The events that were appended; none when the command changed nothing.
    pub events: Vec<E>,
}

/// Why a command led to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<E: std::error::Error> {
    /// The aggregate refused.
    #[error("{0}")]
    Rejected(E),
    /// Others changed the aggregate at the same moment, again and again, or a key was somebody else's.
    #[error("{aggregate_type} {aggregate_id} was changed by somebody else at the same moment")]
    Conflict {
        /// The aggregate's type.
        aggregate_type: &'static str,
        /// The aggregate's id.
        aggregate_id: String,
    },
    /// The caller decided on a version that is not the newest.
    #[error("expected version {expected}, the aggregate is at {actual}")]
    VersionMismatch {
        /// The version that the caller saw.
        expected: u64,
        /// The version that there is.
        actual: u64,
    },
    /// The log could not be read or written.
    #[error(transparent)]
    Log(#[from] Error),
}

/// The interactive lane and the history of single streams.
#[derive(Clone, Debug)]
pub struct Log {
    database: Database,
}

type Store<A> = PersistedEventStore<PostgresEventRepository, A>;

impl Log {
    pub(crate) const fn new(database: Database) -> Self {
        Self { database }
    }

    pub(crate) const fn database(&self) -> &Database {
        &self.database
    }

    /// Loads an aggregate, lets it decide, and appends what it decided.
    ///
    /// A conflict with another writer is decided again from the new version, for two seconds. With `expected_version`
    /// nothing is decided unless the aggregate is at that version.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn execute<A>(
        &self,
        aggregate_id: &str,
        command: A::Command,
        metadata: &Metadata,
        expected_version: Option<u64>,
    ) -> Result<Committed<A::Event>, ExecuteError<A::Error>>
    where
        A: Aggregate<Services = ()>,
        A::Command: Clone + Send,
    {
        let store = self.store::<A>();
        let conflict = || ExecuteError::Conflict {
            aggregate_type: A::TYPE,
            aggregate_id: aggregate_id.to_owned(),
        };
        let seals = self.seals::<A>(aggregate_id, metadata).await?;
        let metadata = seals.metadata(metadata);
        let mut again = Again::default();
        loop {
            let mut context = load_context(&store, aggregate_id).await?;
            let actual = context.current_sequence as u64;
            if let Some(expected) = expected_version.filter(|expected| *expected != actual) {
                return Err(ExecuteError::VersionMismatch { expected, actual });
            }
            let sink = EventSink::default();
            context
                .aggregate
                .handle(command.clone(), &(), &sink)
                .await
                .map_err(ExecuteError::Rejected)?;
            let events = sink.collect().await;
            if events.is_empty() {
                return Ok(Committed {
                    version: actual,
                    events,
                });
            }
            let events = seals.events::<A>(aggregate_id, events)?;
            match store.commit(events, context, metadata.to_map()).await {
                Ok(envelopes) => {
                    self.database.signals().appended.notify_one();
                    return Ok(Committed {
                        version: actual.saturating_add(envelopes.len() as u64),
                        events: envelopes
                            .into_iter()
                            .map(|envelope| envelope.payload)
                            .collect(),
                    });
                }
                Err(AggregateError::AggregateConflict) if again.after_losing_at(actual) => {}
                Err(AggregateError::AggregateConflict) => break,
                Err(error) => return Err(failure::<A>("append to", aggregate_id, error).into()),
            }
        }
        // Decided on a stated version, the caller learns the version; otherwise just that it lost.
        if let Some(expected) = expected_version {
            let actual = load_context(&store, aggregate_id).await?.current_sequence as u64;
            return Err(ExecuteError::VersionMismatch { expected, actual });
        }
        Err(conflict())
    }

    /// Loads an aggregate and its version; one that has no events is its default at version 0.
    ///
    /// # Errors
    /// [`Error::Aggregate`] when the stream cannot be read.
    pub async fn load<A: Aggregate>(&self, aggregate_id: &str) -> Result<(A, u64), Error> {
        let context = load_context(&self.store::<A>(), aggregate_id).await?;
        Ok((context.aggregate, context.current_sequence as u64))
    }

    /// Loads an aggregate as it was at a version, or as it is when it has not come that far.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Decode`] when the stream cannot be read.
    pub async fn load_at_version<A: Aggregate>(
        &self,
        aggregate_id: &str,
        version: u64,
    ) -> Result<(A, u64), Error> {
        self.stream(A::TYPE, aggregate_id)
            .up_to_version(version)
            .fold()
            .await
    }

    /// Loads an aggregate as it was at a moment.
    ///
    /// # Errors
    /// [`Error::Database`] or [`Error::Decode`] when the stream cannot be read.
    pub async fn load_at_time<A: Aggregate>(
        &self,
        aggregate_id: &str,
        moment: DateTime<Utc>,
    ) -> Result<(A, u64), Error> {
        self.stream(A::TYPE, aggregate_id)
            .up_to_time(moment)
            .fold()
            .await
    }

    /// Reads one stream.
    #[must_use]
    pub fn stream(&self, aggregate_type: &str, aggregate_id: &str) -> Stream {
        Stream::new(self.database.clone(), aggregate_type, aggregate_id)
    }

    /// Returns the place in the log of a committed event, giving out positions until it has one.
    ///
    /// # Errors
    /// [`Error::NoSuchEvent`], or [`Error::NotSequenced`] when somebody keeps the sequencer's lock for ten seconds.
    pub async fn position_of(
        &self,
        aggregate_type: &str,
        aggregate_id: &str,
        version: u64,
    ) -> Result<Position, Error> {
        let begun = Instant::now();
        loop {
            let row: Option<(Option<i64>,)> = sqlx::query_as(READ_POSITION)
                .bind(aggregate_type)
                .bind(aggregate_id)
                .bind(i64::try_from(version).unwrap_or(i64::MAX))
                .fetch_optional(self.database.pool())
                .await
                .map_err(Error::database("read the position of an event"))?;
            match row {
                Some((Some(position),)) => return Ok(Position::from_i64(position)),
                Some((None,)) if begun.elapsed() < POSITION_LIMIT => {}
                Some((None,)) => {
                    return Err(Error::NotSequenced {
                        aggregate_type: aggregate_type.to_owned(),
                        aggregate_id: aggregate_id.to_owned(),
                        sequence: version,
                        waited_ms: u64::try_from(POSITION_LIMIT.as_millis()).unwrap_or(u64::MAX),
                    });
                }
                None => {
                    return Err(Error::NoSuchEvent {
                        aggregate_type: aggregate_type.to_owned(),
                        aggregate_id: aggregate_id.to_owned(),
                        sequence: version,
                    });
                }
            }
            if self.database.sequence().await?.is_none() {
                tokio::time::sleep(POSITION_PAUSE).await;
            }
        }
    }

    /// Finds what seals the personal data of a command's events.
    async fn seals<A: Aggregate>(
        &self,
        aggregate_id: &str,
        metadata: &Metadata,
    ) -> Result<Seals, Error> {
        if self.database.wrap().is_none() || !Seals::are_needed::<A>(metadata) {
            return Ok(Seals::default());
        }
        let acquired = self.database.pool().acquire().await;
        let mut connection = acquired.map_err(Error::database("read keys of persons"))?;
        Seals::of::<A>(
            &mut connection,
            self.database.wrap(),
            aggregate_id,
            metadata,
        )
        .await
    }

    fn store<A: Aggregate>(&self) -> Store<A> {
        PersistedEventStore::new_event_store(PostgresEventRepository::new(
            self.database.pool().clone(),
        ))
        .with_upcasters(self.database.upcasters().boxed())
    }
}

/// A batch's events take its positions in the order of their ids.
const READ_POSITION: &str = "
SELECT l.base + (SELECT count(*) FROM events earlier WHERE earlier.batch = e.batch AND earlier.id < e.id)
FROM events e LEFT JOIN event_log l ON l.batch = e.batch
WHERE e.aggregate_type = $1 AND e.aggregate_id = $2 AND e.sequence = $3";

async fn load_context<A: Aggregate>(
    store: &Store<A>,
    aggregate_id: &str,
) -> Result<EventStoreAggregateContext<A>, Error> {
    store
        .load_aggregate(aggregate_id)
        .await
        .map_err(|error| failure::<A>("load", aggregate_id, error))
}

/// Names the aggregate of a failure of `cqrs-es`, which names none.
fn failure<A: Aggregate>(
    action: &'static str,
    aggregate_id: &str,
    error: AggregateError<A::Error>,
) -> Error {
    let source = match error {
        AggregateError::DatabaseConnectionError(source)
        | AggregateError::DeserializationError(source)
        | AggregateError::UnexpectedError(source) => source,
        // Neither loading nor committing asks the aggregate, and the caller has handled a conflict of a commit.
        AggregateError::UserError(error) => error.to_string().into(),
        AggregateError::AggregateConflict => "conflict with another writer".into(),
    };
    Error::Aggregate {
        action,
        aggregate_type: A::TYPE,
        aggregate_id: aggregate_id.to_owned(),
        source,
    }
}
