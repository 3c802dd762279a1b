//! An append inside a transaction: insert, note, explain.

use serde_json::Value;
use sqlx::PgConnection;

use super::{Answer, BulkAppend, MAX_BULK_EVENTS, StreamAppend, conflict, insert};
use crate::Error;

/// A stream and its place among the answers.
pub(super) type Placed<'a> = (usize, &'a StreamAppend);

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
    let streams = in_lock_order(&batch.streams)?;
    if streams.is_empty() {
        return Ok(Vec::new());
    }
    let mut answers: Vec<Option<Answer>> = vec![None; streams.len()];
    let metadata = metadata(batch);

    let held = insert::first_events(connection, &streams, &metadata).await?;
    let (held, missed): (Vec<_>, Vec<_>) = streams
        .into_iter()
        .partition(|(_, stream)| held.contains(stream));
    insert::further_events(connection, &held, &metadata).await?;
    note(connection, &held).await?;

    let appended = held.iter().map(|(place, stream)| {
        let version = stream.expected.saturating_add(stream.events.len() as u64);
        (*place, Answer::Appended { version })
    });
    let explained = conflict::explain(connection, &missed, &batch.same_step).await?;
    for (place, answer) in appended.chain(explained) {
        if let Some(free) = answers.get_mut(place) {
            *free = Some(answer);
        }
    }
    // Every stream was either held or missed, so every place is filled.
    Ok(answers.into_iter().flatten().collect())
}

/// The streams in the one order in which every writer takes them, so that two writers never wait for each other.
fn in_lock_order(streams: &[StreamAppend]) -> Result<Vec<Placed<'_>>, Error> {
    let mut order: Vec<Placed<'_>> = streams.iter().enumerate().collect();
    order.sort_unstable_by_key(|(_, stream)| stream.key());
    let pairs = order.iter().zip(order.iter().skip(1));
    for ((_, one), (_, other)) in pairs {
        if one.key() == other.key() {
            return Err(Error::BadStream {
                aggregate_type: one.aggregate_type.clone(),
                aggregate_id: one.aggregate_id.clone(),
                problem: "twice",
            });
        }
    }
    Ok(order)
}

/// Writes the metadata that all events of an append share as JSON.
fn metadata(batch: &BulkAppend) -> String {
    let members = batch
        .metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    Value::from_iter(members).to_string()
}

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

/// Notes what was appended for the sequencer.
async fn note(connection: &mut PgConnection, held: &[Placed<'_>]) -> Result<(), Error> {
    let events: usize = held.iter().map(|(_, stream)| stream.events.len()).sum();
    let mut types: Vec<&str> = held
        .iter()
        .map(|(_, stream)| stream.aggregate_type.as_str())
        .collect();
    // In lock order, equal types stand beside each other.
    types.dedup();
    sqlx::query(NOTE_BATCH)
        .bind(i32::try_from(events).unwrap_or(i32::MAX))
        .bind(&types)
        .execute(connection)
        .await
        .map_err(Error::database("note a batch"))?;
    Ok(())
}
