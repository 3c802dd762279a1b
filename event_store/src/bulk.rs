//! The bulk lane: the decided events of thousands of streams in one transaction.
//!
//! Used by workers, whose results were decided by the aggregate from the state that came with their lease. Every stream
//! gets all of its events or none, and an answer; nothing is dropped silently. How: the first event of every stream is
//! inserted where the expected last one is there and its own place is free. Whoever holds that place holds the stream
//! until the transaction ends, so the streams' further events follow with a plain insert that cannot collide.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use aggregates::Metadata;
use cqrs_es::{Aggregate, DomainEvent};
use serde_json::Value;
use sqlx::{Executor as _, PgConnection, Row as _};

use crate::{Database, Error};

/// The most events that one append may write; at some 300 bytes each this is a few megabytes in one statement.
pub const MAX_BULK_EVENTS: usize = 20_000;
/// How often an append that owns its transaction is run again after a deadlock.
const DEADLOCK_RETRIES: u32 = 3;

/// An event to be appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub event_type: String,
    /// The version of the payload's shape.
    pub event_version: String,
    /// The payload as JSON text.
    pub payload: String,
}

/// The event that was found where another should have gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundEvent {
    /// Its place in the stream.
    pub sequence: u64,
    /// What happened.
    pub event_type: String,
    /// The payload as JSON text.
    pub payload: String,
}

/// What became of one stream of a bulk append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of its events were appended.
    Appended {
        /// The stream's version now.
        version: u64,
    },
    /// The same step was recorded before, at the same place; nothing was appended.
    AlreadyRecorded {
        /// The stream's version.
        version: u64,
    },
    /// The stream is not where it was expected to be; nothing was appended.
    Conflict {
        /// The stream's version.
        actual: u64,
        /// The event at the first place that was wanted, if there is one.
        found: Option<FoundEvent>,
    },
}

type SameStep = Arc<dyn Fn(&NewEvent, &FoundEvent) -> bool + Send + Sync>;

#[derive(Clone, Debug)]
struct StreamAppend {
    aggregate_type: String,
    aggregate_id: String,
    expected: u64,
    events: Vec<NewEvent>,
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

    /// The streams in the one order in which every writer takes them, so that two writers never wait for each other.
    fn in_lock_order(&self) -> Result<Vec<usize>, Error> {
        let key = |index: &usize| {
            self.streams
                .get(*index)
                .map(|s| (s.aggregate_type.as_str(), s.aggregate_id.as_str()))
        };
        let mut order: Vec<usize> = (0..self.streams.len()).collect();
        order.sort_unstable_by_key(key);
        for (one, other) in order.iter().zip(order.iter().skip(1)) {
            if let (Some(one), Some(other)) = (key(one), key(other))
                && one == other
            {
                return Err(Error::BadStream {
                    aggregate_type: one.0.to_owned(),
                    aggregate_id: one.1.to_owned(),
                    problem: "twice",
                });
            }
        }
        Ok(order)
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

/// Says whether two events are the same step: the same type, and the same `run_id` in their payloads (at the top, or
/// inside the one member that names the event's kind). Events without a run are the same when their payloads are.
#[must_use]
pub fn same_run(new: &NewEvent, found: &FoundEvent) -> bool {
    if new.event_type != found.event_type {
        return false;
    }
    let (Ok(new), Ok(found)) = (
        serde_json::from_str::<Value>(&new.payload),
        serde_json::from_str::<Value>(&found.payload),
    ) else {
        return false;
    };
    match (run_of(&new), run_of(&found)) {
        (None, None) => new == found,
        (new, found) => new == found,
    }
}

fn run_of(payload: &Value) -> Option<&Value> {
    let members = payload.as_object()?;
    members.get("run_id").or_else(|| {
        let mut inner = members.values();
        inner.next().filter(|_| members.len() == 1)?.get("run_id")
    })
}

/// Inserts the first event of each stream whose expected last event is there; a place that is taken is an error. This is
/// what nearly always happens, and it spares the look-up and the token that `ON CONFLICT` costs for each row.
const INSERT_ALL_FIRST: &str = "
INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
SELECT (SELECT bulk_event_batch()), n.aggregate_type, n.aggregate_id, n.expected + 1, n.event_type, n.event_version,
       n.payload::json, $7::json
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
     AS n (aggregate_type, aggregate_id, expected, event_type, event_version, payload)
WHERE n.expected = 0 OR EXISTS (
    SELECT FROM events last
    WHERE last.aggregate_type = n.aggregate_type AND last.aggregate_id = n.aggregate_id AND last.sequence = n.expected
)";

/// The `SQLSTATE` of a place that is taken.
const UNIQUE_VIOLATION: &str = "23505";

/// Inserts the first event of each stream whose expected last event is there and whose next place is free, and answers
/// which those are.
const INSERT_FIRST: &str = "
INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
SELECT (SELECT bulk_event_batch()), n.aggregate_type, n.aggregate_id, n.expected + 1, n.event_type, n.event_version,
       n.payload::json, $7::json
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
     AS n (aggregate_type, aggregate_id, expected, event_type, event_version, payload)
WHERE n.expected = 0 OR EXISTS (
    SELECT FROM events last
    WHERE last.aggregate_type = n.aggregate_type AND last.aggregate_id = n.aggregate_id AND last.sequence = n.expected
)
ON CONFLICT DO NOTHING
RETURNING aggregate_type, aggregate_id";

/// Inserts the further events of streams that this transaction holds; a collision would be a bug and aborts it.
const INSERT_FURTHER: &str = "
INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
SELECT (SELECT bulk_event_batch()), n.aggregate_type, n.aggregate_id, n.sequence, n.event_type, n.event_version,
       n.payload::json, $7::json
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
     AS n (aggregate_type, aggregate_id, sequence, event_type, event_version, payload)";

/// Writes the inbox row, after the events; a transaction's later append renews the arrival. Ends the bulk mode.
const NOTE_BATCH: &str = "
WITH noted AS (
    INSERT INTO event_inbox AS noted (batch, events, aggregate_types)
    SELECT current_event_batch(), $1, $2::text[] WHERE $1 > 0
    ON CONFLICT (batch) DO UPDATE SET
        events = noted.events + excluded.events,
        arrival = DEFAULT,
        aggregate_types = ARRAY(SELECT DISTINCT unnest(noted.aggregate_types || excluded.aggregate_types))
)
SELECT set_config('event_store.bulk', 'off', true)";

/// Reads what is in the way: the stream's last sequence, and the events at the places that were wanted.
const READ_CONFLICTS: &str = "
SELECT n.ordinal,
       coalesce((SELECT last.sequence FROM events last
                 WHERE last.aggregate_type = n.aggregate_type AND last.aggregate_id = n.aggregate_id
                 ORDER BY last.sequence DESC LIMIT 1), 0) AS actual,
       e.sequence, e.event_type, e.payload::text
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) WITH ORDINALITY
     AS n (aggregate_type, aggregate_id, expected, events, ordinal)
LEFT JOIN events e ON e.aggregate_type = n.aggregate_type AND e.aggregate_id = n.aggregate_id
     AND e.sequence > n.expected AND e.sequence <= n.expected + n.events
ORDER BY n.ordinal, e.sequence";

/// The columns of an insert, one entry an event.
#[derive(Default)]
struct Columns<'a> {
    aggregate_types: Vec<&'a str>,
    aggregate_ids: Vec<&'a str>,
    /// What the statement counts from: the expected version, or the event's own sequence.
    sequences: Vec<i64>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, stream: &'a StreamAppend, sequence: u64, event: &'a NewEvent) {
        self.aggregate_types.push(&stream.aggregate_type);
        self.aggregate_ids.push(&stream.aggregate_id);
        self.sequences.push(as_i64(sequence));
        self.event_types.push(&event.event_type);
        self.event_versions.push(&event.event_version);
        self.payloads.push(&event.payload);
    }

    fn query(
        &self,
        text: &'static str,
        metadata: &'a str,
    ) -> sqlx::query::Query<'_, sqlx::Postgres, sqlx::postgres::PgArguments> {
        sqlx::query(text)
            .bind(&self.aggregate_types)
            .bind(&self.aggregate_ids)
            .bind(&self.sequences)
            .bind(&self.event_types)
            .bind(&self.event_versions)
            .bind(&self.payloads)
            .bind(metadata)
    }
}

/// Tries to insert every first event; leaves no trace and answers `false` where one of them cannot be.
async fn insert_all(
    connection: &mut PgConnection,
    first: &Columns<'_>,
    metadata: &str,
) -> Result<bool, Error> {
    const ACTION: &str = "append the first events of streams";
    connection
        .execute("SAVEPOINT bulk")
        .await
        .map_err(Error::database(ACTION))?;
    let inserted = first
        .query(INSERT_ALL_FIRST, metadata)
        .execute(&mut *connection)
        .await;
    let all = match inserted {
        Ok(inserted) => usize::try_from(inserted.rows_affected()) == Ok(first.payloads.len()),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(UNIQUE_VIOLATION) => {
            false
        }
        Err(error) => return Err(Error::database(ACTION)(error)),
    };
    let end = if all {
        "RELEASE SAVEPOINT bulk"
    } else {
        "ROLLBACK TO SAVEPOINT bulk; RELEASE SAVEPOINT bulk"
    };
    connection
        .execute(end)
        .await
        .map_err(Error::database(ACTION))?;
    Ok(all)
}

/// Inserts the first events that can be, and answers of which streams they are.
async fn insert_free(
    connection: &mut PgConnection,
    first: &Columns<'_>,
    metadata: &str,
) -> Result<HashSet<(String, String)>, Error> {
    let held: Vec<(String, String)> = first
        .query(INSERT_FIRST, metadata)
        .try_map(|row: sqlx::postgres::PgRow| Ok((row.try_get(0)?, row.try_get(1)?)))
        .fetch_all(connection)
        .await
        .map_err(Error::database("append the first events of streams"))?;
    Ok(held.into_iter().collect())
}

/// Appends inside a transaction and answers in the order of adding.
pub(crate) async fn append(
    connection: &mut PgConnection,
    batch: &BulkAppend,
) -> Result<Vec<Answer>, Error> {
    if batch.events > MAX_BULK_EVENTS {
        return Err(Error::TooLarge {
            events: batch.events,
            limit: MAX_BULK_EVENTS,
        });
    }
    let order = batch.in_lock_order()?;
    if order.is_empty() {
        return Ok(Vec::new());
    }
    let streams: Vec<(usize, &StreamAppend)> = order
        .iter()
        .filter_map(|index| Some((*index, batch.streams.get(*index)?)))
        .collect();
    let metadata = Value::from_iter(
        batch
            .metadata
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    )
    .to_string();

    let mut first = Columns::default();
    for (_, stream) in &streams {
        if let Some(event) = stream.events.first() {
            first.push(stream, stream.expected, event);
        }
    }
    let all_held = insert_all(connection, &first, &metadata).await?;
    let held = if all_held {
        HashSet::new()
    } else {
        insert_free(connection, &first, &metadata).await?
    };

    let mut answers: Vec<Option<Answer>> = vec![None; streams.len()];
    let mut missed = Vec::new();
    let mut further = Columns::default();
    let mut appended_types: Vec<&str> = Vec::new();
    let mut appended = 0_usize;
    for (index, stream) in &streams {
        let key = || (stream.aggregate_type.clone(), stream.aggregate_id.clone());
        if !all_held && !held.contains(&key()) {
            missed.push((*index, *stream));
            continue;
        }
        for (event, sequence) in stream
            .events
            .iter()
            .zip(stream.expected.saturating_add(1)..)
            .skip(1)
        {
            further.push(stream, sequence, event);
        }
        appended += stream.events.len();
        if !appended_types.contains(&stream.aggregate_type.as_str()) {
            appended_types.push(&stream.aggregate_type);
        }
        let version = stream.expected.saturating_add(stream.events.len() as u64);
        if let Some(answer) = answers.get_mut(*index) {
            *answer = Some(Answer::Appended { version });
        }
    }
    if !further.payloads.is_empty() {
        further
            .query(INSERT_FURTHER, &metadata)
            .execute(&mut *connection)
            .await
            .map_err(Error::database("append the further events of streams"))?;
    }
    sqlx::query(NOTE_BATCH)
        .bind(i32::try_from(appended).unwrap_or(i32::MAX))
        .bind(&appended_types)
        .execute(&mut *connection)
        .await
        .map_err(Error::database("note a batch"))?;
    for (index, answer) in explain(connection, &missed, &batch.same_step).await? {
        if let Some(place) = answers.get_mut(index) {
            *place = Some(answer);
        }
    }
    // Every stream was either held or missed, so every place is filled.
    Ok(answers.into_iter().flatten().collect())
}

/// Which stream, its last sequence, and one event that was found: sequence, type, payload.
type ConflictRow = (i64, i64, Option<i64>, Option<String>, Option<String>);

/// Finds out why streams were not appended to. The reading statement begins after the inserting one ended, so it sees
/// the commit that was in the way.
async fn explain(
    connection: &mut PgConnection,
    missed: &[(usize, &StreamAppend)],
    same_step: &SameStep,
) -> Result<Vec<(usize, Answer)>, Error> {
    if missed.is_empty() {
        return Ok(Vec::new());
    }
    let column = |of: fn(&StreamAppend) -> i64| {
        missed
            .iter()
            .map(|(_, stream)| of(stream))
            .collect::<Vec<_>>()
    };
    let rows: Vec<ConflictRow> = sqlx::query_as(READ_CONFLICTS)
        .bind(
            missed
                .iter()
                .map(|(_, stream)| stream.aggregate_type.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            missed
                .iter()
                .map(|(_, stream)| stream.aggregate_id.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(column(|stream| as_i64(stream.expected)))
        .bind(column(|stream| as_i64(stream.events.len() as u64)))
        .fetch_all(connection)
        .await
        .map_err(Error::database("read what is in the way of an append"))?;
    let mut found: Vec<(u64, Vec<FoundEvent>)> = vec![(0, Vec::new()); missed.len()];
    for (ordinal, actual, sequence, event_type, payload) in rows {
        let Some(entry) = usize::try_from(ordinal - 1)
            .ok()
            .and_then(|index| found.get_mut(index))
        else {
            continue;
        };
        entry.0 = as_u64(actual);
        if let (Some(sequence), Some(event_type), Some(payload)) = (sequence, event_type, payload) {
            entry.1.push(FoundEvent {
                sequence: as_u64(sequence),
                event_type,
                payload,
            });
        }
    }
    let answer = |stream: &StreamAppend, actual, found: Vec<FoundEvent>| {
        let recorded = found.len() == stream.events.len()
            && stream
                .events
                .iter()
                .zip(&found)
                .all(|(new, found)| same_step(new, found));
        if recorded {
            Answer::AlreadyRecorded { version: actual }
        } else {
            Answer::Conflict {
                actual,
                found: found.into_iter().next(),
            }
        }
    };
    Ok(missed
        .iter()
        .zip(found)
        .map(|((index, stream), (actual, found))| (*index, answer(stream, actual, found)))
        .collect())
}

fn as_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn as_u64(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
