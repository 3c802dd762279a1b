//! The history of one stream, up to a version or a moment, in pages.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use sqlx::{PgConnection, PgExecutor, Row as _, postgres::PgRow};

use crate::{Database, Error, Position, StoredEvent, moment::Moment};

/// How many events are read at once while a whole stream is folded.
const FOLD_PAGE: u32 = 1_000;

/// One stream, with what is to be read of it.
#[derive(Clone, Debug)]
pub struct Stream {
    database: Database,
    aggregate_type: String,
    aggregate_id: String,
    version: Option<u64>,
    moment: Option<DateTime<Utc>>,
    types: Option<&'static [&'static str]>,
}

/// An event of a stream; it has no position during the milliseconds between its commit and its sequencing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEvent {
    /// Its place in the log.
    pub position: Option<Position>,
    /// The event.
    pub event: StoredEvent,
}

impl Stream {
    pub(crate) fn new(database: Database, aggregate_type: &str, aggregate_id: &str) -> Self {
        Self {
            database,
            aggregate_type: aggregate_type.to_owned(),
            aggregate_id: aggregate_id.to_owned(),
            version: None,
            moment: None,
            types: None,
        }
    }

    /// Leaves out events of other types.
    #[must_use]
    pub const fn of_types(mut self, types: &'static [&'static str]) -> Self {
        self.types = Some(types);
        self
    }

    /// Ends at a version.
    #[must_use]
    pub const fn up_to_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// Ends before the first event that was written after a moment.
    #[must_use]
    pub const fn up_to_time(mut self, moment: DateTime<Utc>) -> Self {
        self.moment = Some(moment);
        self
    }

    /// Reads at most `limit` events after a sequence (0: from the first).
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Decode`] when an upcaster meets an event that is no JSON.
    pub async fn page(&self, after: u64, limit: u32) -> Result<Vec<StreamEvent>, Error> {
        self.page_on(self.database.pool(), after, limit).await
    }

    async fn page_on(
        &self,
        executor: impl PgExecutor<'_>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<StreamEvent>, Error> {
        let rows = sqlx::query(READ_STREAM)
            .bind(&self.aggregate_type)
            .bind(&self.aggregate_id)
            .bind(i64::try_from(after).unwrap_or(i64::MAX))
            .bind(self.version.map_or(i64::MAX, |version| {
                i64::try_from(version).unwrap_or(i64::MAX)
            }))
            .bind(self.moment)
            .bind(i64::from(limit))
            .bind(self.types)
            .fetch_all(executor)
            .await
            .map_err(Error::database("read a stream"))?;
        rows.iter().map(|row| self.event(row)).collect()
    }

    /// Applies the events to an aggregate and returns it with its version.
    pub(crate) async fn fold<A: Aggregate>(&self) -> Result<(A, u64), Error> {
        let mut connection = self
            .database
            .pool()
            .acquire()
            .await
            .map_err(Error::database("read a stream"))?;
        self.fold_on(&mut connection).await
    }

    /// The same as a connection sees it.
    pub(crate) async fn fold_on<A: Aggregate>(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(A, u64), Error> {
        let mut aggregate = A::default();
        let mut version = 0;
        loop {
            let page = self.page_on(&mut *connection, version, FOLD_PAGE).await?;
            let Some(last) = page.last() else {
                return Ok((aggregate, version));
            };
            version = last.event.sequence;
            for stored in page {
                aggregate.apply(stored.event.decode()?);
            }
        }
    }

    fn event(&self, row: &PgRow) -> Result<StreamEvent, Error> {
        let read = || -> Result<StreamEvent, sqlx::Error> {
            let (sequence, moment): (i64, Moment) = (row.try_get(0)?, row.try_get(5)?);
            let event = StoredEvent {
                recorded_at: moment.of_event(&self.aggregate_type, &self.aggregate_id, sequence)?,
                aggregate_type: self.aggregate_type.clone(),
                aggregate_id: self.aggregate_id.clone(),
                sequence: u64::try_from(sequence).unwrap_or(0),
                event_type: row.try_get(1)?,
                event_version: row.try_get(2)?,
                payload: row.try_get(3)?,
                metadata: row.try_get(4)?,
            };
            let position = row.try_get::<Option<i64>, _>(6)?.map(Position::from_i64);
            Ok(StreamEvent { position, event })
        };
        let StreamEvent { position, event } = read().map_err(Error::database("read a stream"))?;
        Ok(StreamEvent {
            position,
            event: self.database.upcasters().apply(event)?,
        })
    }
}

/// The moment ends the stream at its first later event: a clock that was set back must not leave a hole in it.
const READ_STREAM: &str = "
SELECT e.sequence, e.event_type, e.event_version, e.payload::text, e.metadata::text, e.recorded_at,
       l.base + (SELECT count(*) FROM events earlier WHERE earlier.batch = e.batch AND earlier.id < e.id)
FROM events e LEFT JOIN event_log l ON l.batch = e.batch
WHERE e.aggregate_type = $1 AND e.aggregate_id = $2 AND e.sequence > $3 AND e.sequence <= $4
  AND ($5::timestamptz IS NULL OR e.sequence < coalesce(
      (SELECT min(late.sequence) FROM events late
       WHERE late.aggregate_type = $1 AND late.aggregate_id = $2 AND late.recorded_at > $5), 9223372036854775807))
  AND ($7::text[] IS NULL OR e.event_type = ANY($7))
ORDER BY e.sequence
LIMIT $6";
