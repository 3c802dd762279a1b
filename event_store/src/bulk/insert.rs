//! The inserts of an append.

use std::collections::{HashMap, HashSet};

use sqlx::{Executor as _, FromRow, PgConnection, postgres::PgRow};

use super::{StreamAppend, append::Placed, columns::Columns};
use crate::Error;

const FIRST_EVENTS: &str = "append the first events of streams";

/// The streams whose first event is inserted; until the transaction ends nobody else can append to them.
pub(super) enum Held {
    /// All of the append's.
    All,
    /// These ids of each aggregate type.
    These(HashMap<String, HashSet<String>>),
}

impl Held {
    pub(super) fn contains(&self, stream: &StreamAppend) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids
                .get(&stream.aggregate_type)
                .is_some_and(|ids| ids.contains(&stream.aggregate_id)),
        }
    }
}

/// Inserts the first event of each stream that is where it is expected to be and whose next place is free.
pub(super) async fn first_events(
    connection: &mut PgConnection,
    streams: &[Placed<'_>],
    metadata: &str,
) -> Result<Held, Error> {
    let mut first = Columns::default();
    for (_, stream) in streams {
        if let Some(event) = stream.events.first() {
            first.push(stream, stream.expected, event);
        }
    }
    if insert_all(connection, &first, metadata).await? {
        return Ok(Held::All);
    }
    insert_free(connection, &first, metadata).await
}

/// Inserts the events after the first of streams that this transaction holds.
pub(super) async fn further_events(
    connection: &mut PgConnection,
    held: &[Placed<'_>],
    metadata: &str,
) -> Result<(), Error> {
    let mut further = Columns::default();
    for (_, stream) in held {
        let sequences = stream.expected.saturating_add(1)..;
        for (event, sequence) in stream.events.iter().zip(sequences).skip(1) {
            further.push(stream, sequence, event);
        }
    }
    if further.is_empty() {
        return Ok(());
    }
    further
        .query(INSERT_FURTHER, metadata)
        .execute(connection)
        .await
        .map_err(Error::database("append the further events of streams"))?;
    Ok(())
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

/// Tries to insert every first event; leaves no trace and answers `false` where one of them cannot be.
async fn insert_all(
    connection: &mut PgConnection,
    first: &Columns<'_>,
    metadata: &str,
) -> Result<bool, Error> {
    connection
        .execute("SAVEPOINT bulk")
        .await
        .map_err(Error::database(FIRST_EVENTS))?;
    let inserted = first
        .query(INSERT_ALL_FIRST, metadata)
        .execute(&mut *connection)
        .await
        .map_err(Error::database(FIRST_EVENTS));
    let all = match inserted {
        Ok(inserted) => usize::try_from(inserted.rows_affected()) == Ok(first.len()),
        Err(error) if error.is_unique_violation() => false,
        Err(error) => return Err(error),
    };
    let end = if all {
        "RELEASE SAVEPOINT bulk"
    } else {
        "ROLLBACK TO SAVEPOINT bulk; RELEASE SAVEPOINT bulk"
    };
    connection
        .execute(end)
        .await
        .map_err(Error::database(FIRST_EVENTS))?;
    Ok(all)
}

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

/// Inserts the first events that can be, and answers of which streams they are.
async fn insert_free(
    connection: &mut PgConnection,
    first: &Columns<'_>,
    metadata: &str,
) -> Result<Held, Error> {
    let inserted: Vec<(String, String)> = first
        .query(INSERT_FIRST, metadata)
        .try_map(|row: PgRow| FromRow::from_row(&row))
        .fetch_all(connection)
        .await
        .map_err(Error::database(FIRST_EVENTS))?;
    let mut held: HashMap<String, HashSet<String>> = HashMap::new();
    for (aggregate_type, aggregate_id) in inserted {
        held.entry(aggregate_type).or_default().insert(aggregate_id);
    }
    Ok(Held::These(held))
}

/// Inserts the further events of streams that this transaction holds; a collision would be a bug and aborts it.
const INSERT_FURTHER: &str = "
INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
SELECT (SELECT bulk_event_batch()), n.aggregate_type, n.aggregate_id, n.sequence, n.event_type, n.event_version,
       n.payload::json, $7::json
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[])
     AS n (aggregate_type, aggregate_id, sequence, event_type, event_version, payload)";
