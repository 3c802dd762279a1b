//! The feed: every event of the log in the order of its position, whole commits at a time.
//!
//! Called by the projections (inside the transaction that moves their checkpoint), the coordinator and the stream to
//! clients. A page never ends inside a commit, so a reader that applies pages never shows half of one.

use std::time::Duration;

use sqlx::{PgConnection, Row as _, postgres::PgRow};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{Database, Error, Position, Recorded, StoredEvent, moment::Moment};

/// The most events that a page is asked for; it may have more by the rest of its last commit.
pub const MAX_PAGE: u32 = 50_000;
/// The bytes of payload with which a page is full, as they are stored: long payloads are compressed, names to a third or
/// so. A page may have more by its last commit: one event, or all of an upload.
pub const MAX_PAGE_BYTES: u32 = 4 << 20;
/// How often the head is looked at where no sequencer of this process does it.
const POLL: Duration = Duration::from_millis(25);
/// How often it is looked at all the same where one does: the sequencer's word is a hint.
const POLL_BESIDE_SEQUENCER: Duration = Duration::from_millis(250);

/// Events of the feed and where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, rising in position.
    pub events: Vec<Recorded>,
    /// Where the next page begins: the end of a commit. It moves on past commits without any wanted type.
    pub next: Position,
    /// The end of the log when the page was read.
    pub head: Position,
}

/// The ordered feed of a database.
#[derive(Clone, Debug)]
pub struct Feed {
    database: Database,
}

impl Feed {
    pub(crate) const fn new(database: Database) -> Self {
        Self { database }
    }

    /// Reads the events after a position, of all aggregate types or of some: whole commits, until there are at least
    /// `limit` events (1 to [`MAX_PAGE`]; those of other types in the same commits count) or [`MAX_PAGE_BYTES`] of them,
    /// or the log ends.
    ///
    /// # Errors
    /// [`Error::Database`], or [`Error::Decode`] when an upcaster meets an event that is no JSON.
    pub async fn after(
        &self,
        position: Position,
        limit: u32,
        types: Option<&[&str]>,
    ) -> Result<Page, Error> {
        let mut connection = self
            .database
            .pool()
            .acquire()
            .await
            .map_err(Error::database("read the feed"))?;
        self.after_in(&mut connection, position, limit, types).await
    }

    /// Reads like [`Self::after`], inside the caller's transaction.
    ///
    /// # Errors
    /// As [`Self::after`].
    pub async fn after_in(
        &self,
        connection: &mut PgConnection,
        position: Position,
        limit: u32,
        types: Option<&[&str]>,
    ) -> Result<Page, Error> {
        let rows = sqlx::query(READ_PAGE)
            .bind(position.as_i64())
            .bind(i64::from(limit.clamp(1, MAX_PAGE)))
            .bind(types)
            .bind(i64::from(MAX_PAGE_BYTES))
            .fetch_all(connection)
            .await
            .map_err(Error::database("read the feed"))?;
        let mut page = Page {
            events: Vec::with_capacity(rows.len()),
            next: position,
            head: Position::START,
        };
        for row in &rows {
            let (head, next, recorded) = read(row).map_err(Error::database("read the feed"))?;
            page.head = head;
            page.next = next.max(position);
            if let Some(Recorded { position, event }) = recorded {
                page.events.push(Recorded {
                    position,
                    event: self.database.upcasters().apply(event)?,
                });
            }
        }
        Ok(page)
    }

    /// Opens the personal data of events; see [`Database::open_personal`].
    ///
    /// # Errors
    /// As there.
    pub async fn open_personal(
        &self,
        connection: &mut PgConnection,
        events: &mut [Recorded],
    ) -> Result<(), Error> {
        self.database.open_personal(connection, events).await
    }

    /// Returns the last position, 0 for an empty log.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn head(&self) -> Result<Position, Error> {
        let (head,): (i64,) = sqlx::query_as(READ_HEAD)
            .fetch_one(self.database.pool())
            .await
            .map_err(Error::database("read the head of the log"))?;
        let head = Position::from_i64(head);
        self.database.signals().publish(head);
        Ok(head)
    }

    /// Waits until the log reaches beyond a position, at most for `limit`, and says whether it does.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn wait_past(&self, position: Position, limit: Duration) -> Result<bool, Error> {
        let deadline = Instant::now() + limit;
        let mut known = self.database.signals().head();
        loop {
            if *known.borrow_and_update() > position || self.head().await? > position {
                return Ok(true);
            }
            let pause = if self.database.signals().has_sequencer() {
                POLL_BESIDE_SEQUENCER
            } else {
                POLL
            };
            let hint = async {
                // Other waiters publish what they see, so a change need not reach beyond this position.
                let _ = tokio::select! {
                    changed = known.wait_for(|head| *head > position) => changed.is_ok(),
                    () = sleep(pause) => false,
                };
            };
            if timeout_at(deadline, hint).await.is_err() {
                return Ok(*self.database.signals().head().borrow() > position);
            }
        }
    }
}

fn read(row: &PgRow) -> Result<(Position, Position, Option<Recorded>), sqlx::Error> {
    let head = Position::from_i64(row.try_get(0)?);
    let next = Position::from_i64(row.try_get(1)?);
    let Some(position) = row.try_get::<Option<i64>, _>(2)? else {
        return Ok((head, next, None));
    };
    let (aggregate_type, aggregate_id): (String, String) = (row.try_get(3)?, row.try_get(4)?);
    let (sequence, moment): (i64, Moment) = (row.try_get(5)?, row.try_get(10)?);
    let event = StoredEvent {
        recorded_at: moment.of_event(&aggregate_type, &aggregate_id, sequence)?,
        aggregate_type,
        aggregate_id,
        sequence: u64::try_from(sequence).unwrap_or(0),
        event_type: row.try_get(6)?,
        event_version: row.try_get(7)?,
        payload: row.try_get(8)?,
        metadata: row.try_get(9)?,
    };
    Ok((
        head,
        next,
        Some(Recorded {
            position: Position::from_i64(position),
            event,
        }),
    ))
}

const READ_HEAD: &str =
    "SELECT coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0)";

/// One statement, so that one snapshot decides about the head and the page. The page's commits are of the next `limit`
/// ones that have one of the types, however many others lie between them, the first ones up to `limit` events of any type
/// and up to the bytes $4 of those of the types; sizes are known without reading what is stored out of line. The page is
/// not full when its commits have fewer than `limit` events and fewer bytes: then everything up to the head was looked at.
///
/// Written so that the planner takes the ways that cost a page and not the log: commits are bounded from below alone, in
/// the order of their key, and events are asked for by their batch alone. Types are looked at in the rows, and those of a
/// commit in a `CASE`, where the planner does not take them for rare and fetch and sort the rest of the log.
const READ_PAGE: &str = "
WITH head AS MATERIALIZED (
    SELECT coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0) AS position
), candidates AS (
    SELECT base, events, batch
    FROM event_log
    WHERE base >= coalesce((SELECT max(base) FROM event_log WHERE base <= $1 + 1), 1)
      AND base + events - 1 > $1
      AND CASE WHEN $3::text[] IS NULL THEN true ELSE aggregate_types && $3 END
    ORDER BY base
    LIMIT $2
), counted AS MATERIALIZED (
    SELECT base, events, batch
    FROM (SELECT base, events, batch, sum(events) OVER (ORDER BY base) - events AS before FROM candidates) summed
    WHERE before < $2
), page AS MATERIALIZED (
    SELECT base, events, batch
    FROM (SELECT base, counted.events, counted.batch, sum(bytes) OVER (ORDER BY base) - bytes AS before
          FROM counted CROSS JOIN LATERAL (
              SELECT coalesce(sum(pg_column_size(payload))
                              FILTER (WHERE $3 IS NULL OR aggregate_type = ANY ($3)), 0) AS bytes
              FROM events WHERE events.batch = counted.batch
          ) weighed) summed
    WHERE before < $4
), reach AS MATERIALIZED (
    SELECT CASE WHEN coalesce(sum(page.events), 0) >= $2 OR count(*) < (SELECT count(*) FROM counted)
                THEN max(page.base + page.events) - 1
                ELSE (SELECT position FROM head) END AS position
    FROM page
)
SELECT head.position, reach.position, e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type,
       e.event_version, e.payload::text, e.metadata::text, e.recorded_at
FROM head CROSS JOIN reach LEFT JOIN (
    SELECT page.base + ranked.rank - 1 AS position, ranked.*
    FROM page CROSS JOIN LATERAL (
        SELECT row_number() OVER (ORDER BY id) AS rank, * FROM events WHERE events.batch = page.batch
    ) ranked
    WHERE page.base + ranked.rank - 1 > $1 AND ($3 IS NULL OR ranked.aggregate_type = ANY ($3))
) e ON true
ORDER BY e.position";
