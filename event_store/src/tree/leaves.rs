//! The leaves of commits, hashed where they are stored: of an event its hash alone comes here.
//!
//! Whoever checks the tree hashes what it [walks](super::Walk) through, so that the two forms, this statement and
//! [`transparency::Event`], hold each other.

use sqlx::{PgConnection, Row as _, postgres::PgRow};
use transparency::{Event, Hash};

use crate::{Error, Position};

/// A commit, by the hashes of its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hashed {
    /// The position of its first event, as the log notes it.
    pub(super) base: u64,
    /// How many events it has, as the log notes it.
    pub(super) noted: u64,
    /// The leaves of the events that it has, in their order.
    pub(super) leaves: Vec<Hash>,
}

/// Commits that begin after $1, until they have $2 events; at least one. $3 is what every leaf begins with.
const READ: &str = "
WITH candidates AS (
    SELECT base, events, batch FROM event_log WHERE base > $1 ORDER BY base LIMIT $2
), page AS MATERIALIZED (
    SELECT base, events, batch
    FROM (SELECT base, events, batch, sum(events) OVER (ORDER BY base) - events AS before FROM candidates) summed
    WHERE before < $2
)
SELECT page.base, page.events, coalesce(hashed.leaves, '')
FROM page LEFT JOIN LATERAL (
    SELECT string_agg(sha256($3
        || int8send(page.base + rank - 1)
        || int8send(octet_length(aggregate_type)) || convert_to(aggregate_type, 'UTF8')
        || int8send(octet_length(aggregate_id)) || convert_to(aggregate_id, 'UTF8')
        || int8send(sequence)
        || int8send(octet_length(event_type)) || convert_to(event_type, 'UTF8')
        || int8send(octet_length(event_version)) || convert_to(event_version, 'UTF8')
        || int8send(octet_length(payload)) || convert_to(payload, 'UTF8')
        || int8send(octet_length(metadata)) || convert_to(metadata, 'UTF8')
        || int8send((extract(epoch FROM recorded_at) * 1000000)::bigint)), ''::bytea ORDER BY rank) AS leaves
    FROM (
        SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text, metadata::text,
               recorded_at, row_number() OVER (ORDER BY id) AS rank
        FROM events WHERE events.batch = page.batch
    ) e
) hashed ON true
ORDER BY page.base";

/// Reads the commits after a position, until they have at least `limit` events; none at the end of the log.
///
/// # Errors
/// [`Error::Database`], also when an event was recorded at no moment that is one.
pub(super) async fn after(
    connection: &mut PgConnection,
    position: Position,
    limit: u32,
) -> Result<Vec<Hashed>, Error> {
    let rows = sqlx::query(READ)
        .bind(position.as_i64())
        .bind(i64::from(limit))
        .bind(Event::leaf_prefix())
        .fetch_all(connection)
        .await
        .map_err(Error::database("hash events"))?;
    let commits: Result<_, sqlx::Error> = rows.iter().map(commit).collect();
    commits.map_err(Error::database("hash events"))
}

fn commit(row: &PgRow) -> Result<Hashed, sqlx::Error> {
    let (base, noted): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
    let leaves: &[u8] = row.try_get(2)?;
    Ok(Hashed {
        base: u64::try_from(base).unwrap_or(0),
        noted: u64::try_from(noted).unwrap_or(0),
        leaves: leaves
            .chunks_exact(Hash::BYTES)
            .filter_map(Hash::from_bytes)
            .collect(),
    })
}
