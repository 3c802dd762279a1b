//! The log as it is stored, commit by commit, for whoever trusts nothing that it says of itself.
//!
//! Unlike the feed a walk counts by itself: it tells what the log notes of a commit beside the events that the commit has,
//! and upcasts nothing. A moment that no calendar has, which only somebody's tampering writes, is told as the nearest one.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use transparency::Event;

use crate::{Error, MAX_PAGE_BYTES, Position, moment::Moment};

/// A commit of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The position of its first event, as the log notes it.
    pub base: u64,
    /// How many events it has, as the log notes it.
    pub noted: u64,
    /// When it was given its positions.
    pub committed_at: DateTime<Utc>,
    /// The events that it has, in their order; positions are counted from `base`.
    pub events: Vec<Event>,
}

impl Commit {
    /// Returns the position after the commit, as the log notes it.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.base.saturating_add(self.noted)
    }
}

/// Reads a log from its first commit to its last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Walk {
    /// The base of the last commit that was read.
    last: i64,
}

/// Commits that begin after $1, until they have $2 events or $3 bytes of payload; at least one. The planner is to fetch
/// events by their batch alone.
const READ: &str = "
WITH candidates AS (
    SELECT base, events, batch, committed_at FROM event_log WHERE base > $1 ORDER BY base LIMIT $2
), counted AS MATERIALIZED (
    SELECT base, events, batch, committed_at
    FROM (SELECT base, events, batch, committed_at, sum(events) OVER (ORDER BY base) - events AS before FROM candidates) summed
    WHERE before < $2
), page AS MATERIALIZED (
    SELECT base, events, batch, committed_at
    FROM (SELECT base, counted.events, counted.batch, committed_at, sum(bytes) OVER (ORDER BY base) - bytes AS before
          FROM counted CROSS JOIN LATERAL (
              SELECT coalesce(sum(pg_column_size(payload)), 0) AS bytes FROM events WHERE events.batch = counted.batch
          ) weighed) summed
    WHERE before < $3
)
SELECT page.base, page.events, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
       e.payload, e.metadata, e.recorded_at, page.committed_at
FROM page LEFT JOIN LATERAL (
    SELECT id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text, metadata::text,
           recorded_at
    FROM events WHERE events.batch = page.batch
) e ON true
ORDER BY page.base, e.id";

const BASE: &str = "SELECT base FROM event_log WHERE base <= $1 ORDER BY base DESC LIMIT 1";

impl Walk {
    /// Begins after a position, the end of a commit.
    #[must_use]
    pub fn after(position: Position) -> Self {
        Self {
            last: position.as_i64(),
        }
    }

    /// Reads the next commits: until there are at least `limit` events or some 4 MiB of them. At the end of the log there
    /// are none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn next(
        &mut self,
        connection: &mut PgConnection,
        limit: u32,
    ) -> Result<Vec<Commit>, Error> {
        let rows = sqlx::query(READ)
            .bind(self.last)
            .bind(i64::from(limit.max(1)))
            .bind(i64::from(MAX_PAGE_BYTES))
            .fetch_all(connection)
            .await
            .map_err(Error::database("walk the log"))?;
        let mut commits: Vec<Commit> = Vec::new();
        for row in &rows {
            self.take(row, &mut commits)
                .map_err(Error::database("walk the log"))?;
        }
        Ok(commits)
    }

    /// Reads the event at a position, if the log has one there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn event_at(
        connection: &mut PgConnection,
        position: Position,
    ) -> Result<Option<Event>, Error> {
        let base: Option<i64> = sqlx::query_scalar(BASE)
            .bind(position.as_i64())
            .fetch_optional(&mut *connection)
            .await
            .map_err(Error::database("find an event"))?;
        let Some(base) = base else {
            return Ok(None);
        };
        let mut walk = Self { last: base - 1 };
        let commits = walk.next(connection, 1).await?;
        let mut events = commits.into_iter().flat_map(|commit| commit.events);
        Ok(events.find(|event| event.position == position.get()))
    }

    fn take(&mut self, row: &PgRow, commits: &mut Vec<Commit>) -> Result<(), sqlx::Error> {
        let (base, noted): (i64, i32) = (row.try_get(0)?, row.try_get(1)?);
        if commits.is_empty() || base != self.last {
            commits.push(Commit {
                base: u64::try_from(base).unwrap_or(0),
                noted: u64::try_from(noted).unwrap_or(0),
                committed_at: row.try_get::<Moment, _>(10)?.nearest(),
                events: Vec::new(),
            });
            self.last = base;
        }
        let Some(commit) = commits.last_mut() else {
            return Ok(());
        };
        let Some(aggregate_type) = row.try_get::<Option<String>, _>(2)? else {
            return Ok(());
        };
        let rank = u64::try_from(commit.events.len()).unwrap_or(u64::MAX);
        commit.events.push(Event {
            position: commit.base.saturating_add(rank),
            aggregate_type,
            aggregate_id: row.try_get(3)?,
            // A negative one is nobody's: the schema refuses it.
            sequence: u64::try_from(row.try_get::<i64, _>(4)?).unwrap_or(0),
            event_type: row.try_get(5)?,
            event_version: row.try_get(6)?,
            payload: row.try_get(7)?,
            metadata: row.try_get(8)?,
            recorded_at: row.try_get::<Moment, _>(9)?.nearest(),
        });
        Ok(())
    }
}
