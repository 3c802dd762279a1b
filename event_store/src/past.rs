//! Where the log ended at a moment, and what a stream and those below it had by then.
//!
//! Called where something is shown as it was. A reader of the feed never sees half of a commit, so a commit counts with its
//! last event or not at all, and from the moment on at which it was given its place, since when readers could see it.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row as _, postgres::PgRow};

use crate::{Database, Error, Position, Recorded, StoredEvent, moment::Moment};

/// A commit's place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitPlace {
    /// The position of its first event.
    pub base: Position,
    /// How many events it has, of all streams.
    pub events: u64,
    batch: i64,
}

/// The log as it was.
#[derive(Clone, Debug)]
pub struct Past {
    database: Database,
}

impl Past {
    pub(crate) const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Returns the position at which the log ended at a moment; nothing of a moment that is not past by the database's clock.
    /// Looks at some twenty places of the log, whatever its length.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn end_at(&self, moment: DateTime<Utc>) -> Result<Option<Position>, Error> {
        self.look_up(moment)
            .await
            .map_err(Error::database("look a moment up in the log"))
    }

    async fn look_up(&self, moment: DateTime<Utc>) -> Result<Option<Position>, sqlx::Error> {
        let mut connection = self.database.pool().acquire().await?;
        let now: Moment = sqlx::query_scalar(NOW).fetch_one(&mut *connection).await?;
        if moment > now.nearest() {
            return Ok(None);
        }
        let mut commit_at = async |position: i64| -> Result<_, sqlx::Error> {
            let found: Option<(i64, i64, Moment)> = sqlx::query_as(COMMIT_AT)
                .bind(position)
                .fetch_optional(&mut *connection)
                .await?;
            Ok(found.map(|(base, last, at)| (base, last, at.nearest() <= moment)))
        };
        let Some((base, last, is_in)) = commit_at(i64::MAX).await? else {
            return Ok(Some(Position::START));
        };
        // Everything up to `end` is in, nothing from `beyond` on is.
        let (mut end, mut beyond) = if is_in { (last, last + 1) } else { (0, base) };
        while end + 1 < beyond {
            match commit_at(end + (beyond - end) / 2).await? {
                Some((_, last, true)) => end = last,
                Some((base, ..)) => beyond = base,
                None => break,
            }
        }
        Ok(Some(Position::from_i64(end)))
    }

    /// Returns the places of the commits up to a position that have events of these streams, in no order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn commits_of(
        &self,
        connection: &mut PgConnection,
        aggregate_type: &str,
        streams: &[String],
        until: Position,
    ) -> Result<Vec<CommitPlace>, Error> {
        let rows: Vec<(i64, i32, i64)> = sqlx::query_as(COMMITS_OF)
            .bind(aggregate_type)
            .bind(streams)
            .bind(until.as_i64())
            .fetch_all(connection)
            .await
            .map_err(Error::database("look streams up in the log"))?;
        let places = rows.into_iter().map(|(base, events, batch)| CommitPlace {
            base: Position::from_i64(base),
            events: u64::try_from(events).unwrap_or(0),
            batch,
        });
        Ok(places.collect())
    }

    /// Reads the events of a stream, and of those whose id is its id, a slash and more, in these commits, in log order.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Decode`] when an upcaster meets an event that is no JSON.
    pub async fn events_below(
        &self,
        connection: &mut PgConnection,
        stream: &str,
        commits: &[CommitPlace],
    ) -> Result<Vec<Recorded>, Error> {
        let batches: Vec<i64> = commits.iter().map(|commit| commit.batch).collect();
        let rows = sqlx::query(EVENTS_BELOW)
            .bind(batches)
            .bind(stream)
            .fetch_all(connection)
            .await
            .map_err(Error::database("read a part of the log"))?;
        let read = rows.iter().map(|row| {
            let (position, event) =
                recorded(row).map_err(Error::database("read a part of the log"))?;
            let event = self.database.upcasters().apply(event)?;
            Ok(Recorded { position, event })
        });
        read.collect()
    }
}

fn recorded(row: &PgRow) -> Result<(Position, StoredEvent), sqlx::Error> {
    let (aggregate_type, aggregate_id): (String, String) = (row.try_get(1)?, row.try_get(2)?);
    let (sequence, moment): (i64, Moment) = (row.try_get(3)?, row.try_get(8)?);
    let event = StoredEvent {
        recorded_at: moment.of_event(&aggregate_type, &aggregate_id, sequence)?,
        aggregate_type,
        aggregate_id,
        sequence: u64::try_from(sequence).unwrap_or(0),
        event_type: row.try_get(4)?,
        event_version: row.try_get(5)?,
        payload: row.try_get(6)?,
        metadata: row.try_get(7)?,
    };
    Ok((Position::from_i64(row.try_get(0)?), event))
}

const NOW: &str = "SELECT clock_timestamp()";

/// The commit that has a position or, beyond the end, the last one.
const COMMIT_AT: &str = "SELECT base, base + events - 1, committed_at FROM event_log WHERE base <= $1 \
    ORDER BY base DESC LIMIT 1";

/// A stream after the other by its own range of the primary key, however the planner counts.
const COMMITS_OF: &str = "
SELECT DISTINCT l.base, l.events, l.batch
FROM unnest($2::text[]) AS wanted (id) CROSS JOIN LATERAL (
    SELECT DISTINCT batch FROM events WHERE aggregate_type = $1 AND aggregate_id = wanted.id OFFSET 0
) written CROSS JOIN LATERAL (
    SELECT base, events, batch FROM event_log WHERE batch = written.batch OFFSET 0
) l
WHERE l.base <= $3";

/// Ranks are those within the whole commit.
const EVENTS_BELOW: &str = "
SELECT l.base + ranked.rank - 1, ranked.aggregate_type, ranked.aggregate_id, ranked.sequence, ranked.event_type,
       ranked.event_version, ranked.payload::text, ranked.metadata::text, ranked.recorded_at
FROM unnest($1::bigint[]) AS wanted (batch) CROSS JOIN LATERAL (
    SELECT base, batch FROM event_log WHERE batch = wanted.batch OFFSET 0
) l CROSS JOIN LATERAL (
    SELECT row_number() OVER (ORDER BY id) AS rank, * FROM events WHERE events.batch = l.batch
) ranked
WHERE ranked.aggregate_id = $2 OR starts_with(ranked.aggregate_id, $2 || '/')
ORDER BY 1";
