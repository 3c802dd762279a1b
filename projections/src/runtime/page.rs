//! A page of the log that is bounded by the work and the bytes that it is, not by the number of its events.
//!
//! One event may be ten thousand rows, or a quarter of a megabyte that is one row's work, so a page ends with the commit
//! in which the sum of its events' weights or of their payloads reaches its bound: it is never empty while there is
//! something to read, and past a bound by one commit at most. It is read in slices that double, so that a page that is
//! full with a few heavy events has not read thousands of them in vain, and the feed ends a slice by its bytes.
//!
//! A commit is never torn apart. An upload is one: a list of 64 MB is taken in whole, by each projection that reads
//! campaigns, in one transaction with some hundred megabytes of memory, for the seconds that its rows take.
//!
//! Called by every step, live or rebuild.

use event_store::{Feed, Position, Recorded};
use sqlx::PgConnection;

use super::{Error, Projection};

/// Events that the first slice of a page asks for.
const FIRST_SLICE: u32 = 4;

/// Events that a slice asks for at most.
const LARGEST_SLICE: u32 = 2_000;

/// The bytes of payload with which a page is full, live or rebuild.
const FULL_BYTES: usize = 16 << 20;

/// Where a page ends at the latest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// The sum of weights with which it is full.
    pub(super) rows: u32,
    /// The position that it does not go past, where there is one: the end of a commit.
    pub(super) until: Option<Position>,
}

/// Events to be applied in one step.
pub(super) struct Page {
    pub(super) events: Vec<Recorded>,
    /// Where the next page begins: the end of a commit.
    pub(super) next: Position,
}

/// Reads the page after `from`.
///
/// # Errors
/// When the log cannot be read.
pub(super) async fn read(
    feed: &Feed,
    connection: &mut PgConnection,
    projection: &dyn Projection,
    from: Position,
    bound: Bound,
) -> Result<Page, Error> {
    let mut page = Page {
        events: Vec::new(),
        next: from,
    };
    let (mut room, mut bytes, mut ask) = (bound.rows, FULL_BYTES, FIRST_SLICE);
    loop {
        let types = Some(projection.reads());
        let mut slice = feed
            .after_in(connection, page.next, ask.min(room), types)
            .await?;
        let last = bound
            .until
            .map_or(slice.head, |until| until.min(slice.head));
        if slice.next > last {
            slice.events.retain(|event| event.position <= last);
            slice.next = last;
        }
        let mut full = None;
        for event in &slice.events {
            room = room.saturating_sub(projection.weight(event));
            bytes = bytes.saturating_sub(event.payload.len());
            if room == 0 || bytes == 0 {
                full = Some(event.position);
                break;
            }
        }
        if let Some(at) = full.filter(|at| *at < slice.next) {
            let end = commit_end(connection, at).await?;
            slice.events.retain(|event| event.position <= end);
            slice.next = end;
        }
        page.events.append(&mut slice.events);
        page.next = slice.next;
        if full.is_some() || page.next >= last {
            if projection.shows_personal_data() {
                feed.open_personal(connection, &mut page.events).await?;
            }
            return Ok(page);
        }
        ask = ask.saturating_mul(2).min(LARGEST_SLICE);
    }
}

/// Lets a projection write what a page's events do.
///
/// # Errors
/// [`Error::Apply`] when an event cannot be applied or the database fails.
pub(super) async fn apply(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    page: &Page,
) -> Result<(), Error> {
    let (Some(first), Some(last)) = (page.events.first(), page.events.last()) else {
        return Ok(());
    };
    projection
        .apply(connection, &page.events)
        .await
        .map_err(|source| Error::Apply {
            projection: projection.name(),
            first: first.position.as_i64(),
            last: last.position.as_i64(),
            source: Box::new(source),
        })
}

const COMMIT_END: &str =
    "SELECT base + events - 1 FROM event_log WHERE base <= $1 ORDER BY base DESC LIMIT 1";

/// Returns the last position of the commit that a position belongs to.
async fn commit_end(connection: &mut PgConnection, at: Position) -> Result<Position, Error> {
    let end: i64 = sqlx::query_scalar(COMMIT_END)
        .bind(at.as_i64())
        .fetch_one(connection)
        .await?;
    Ok(Position::from_i64(end))
}
