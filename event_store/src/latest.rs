//! The last event of some types in each of many streams.

use sqlx::{Row as _, postgres::PgRow};

use crate::{Error, Log, StoredEvent, moment::Moment};

impl Log {
    /// Reads, of each of the streams of one kind of aggregate up to a version of it, the last event of each of the types;
    /// in no particular order. A stream that has none is left out.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Decode`] when an upcaster meets an event that is no JSON.
    pub async fn latest_of(
        &self,
        aggregate_type: &str,
        streams: &[(String, u64)],
        event_types: &[&str],
    ) -> Result<Vec<StoredEvent>, Error> {
        let (ids, versions): (Vec<&str>, Vec<i64>) = streams
            .iter()
            .map(|(id, version)| (id.as_str(), i64::try_from(*version).unwrap_or(i64::MAX)))
            .unzip();
        let rows = sqlx::query(LATEST)
            .bind(aggregate_type)
            .bind(ids)
            .bind(event_types)
            .bind(versions)
            .fetch_all(self.database().pool())
            .await
            .map_err(Error::database("read the last events of streams"))?;
        let upcasters = self.database().upcasters();
        let stored = rows.iter().map(|row| {
            let event = event(aggregate_type, row)
                .map_err(Error::database("read the last events of streams"))?;
            upcasters.apply(event)
        });
        stored.collect()
    }
}

fn event(aggregate_type: &str, row: &PgRow) -> Result<StoredEvent, sqlx::Error> {
    let aggregate_id: String = row.try_get(0)?;
    let (sequence, moment): (i64, Moment) = (row.try_get(1)?, row.try_get(6)?);
    Ok(StoredEvent {
        recorded_at: moment.of_event(aggregate_type, &aggregate_id, sequence)?,
        aggregate_type: aggregate_type.to_owned(),
        aggregate_id,
        sequence: u64::try_from(sequence).unwrap_or(0),
        event_type: row.try_get(2)?,
        event_version: row.try_get(3)?,
        payload: row.try_get(4)?,
        metadata: row.try_get(5)?,
    })
}

/// A stream after the other by its own range of the primary key, however the planner counts.
const LATEST: &str = "
SELECT last.* FROM unnest($2::text[], $4::bigint[]) AS wanted (id, version) CROSS JOIN LATERAL (
    SELECT DISTINCT ON (e.event_type) e.aggregate_id, e.sequence, e.event_type, e.event_version, e.payload::text,
           e.metadata::text, e.recorded_at
    FROM events e WHERE e.aggregate_type = $1 AND e.aggregate_id = wanted.id AND e.event_type = ANY($3)
          AND e.sequence <= wanted.version
    ORDER BY e.event_type, e.sequence DESC OFFSET 0) last";
