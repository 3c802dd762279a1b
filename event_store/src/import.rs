//! Taking in a log that was recorded in another database: whole, into a log that is empty, as it was.
//!
//! Called by the operator's tool alone. Everything is one transaction that keeps all writers out: a log is taken in to its
//! end or not at all, and nobody sees a part of it. Positions, streams, texts and times stay what they were, so that the
//! tree over the log, and with it every checkpoint and every proof, stays what it was; numbers that order events inside of
//! this database are given anew.

use chrono::{DateTime, Utc};
use sqlx::{Executor as _, PgConnection, Postgres};
use transparency::{Event, Growth, Hash};

use crate::{Commit, Database, Error, Finding, check, tree::tiles};

/// Events that are written at once.
const PAGE: usize = 4_000;
/// Bytes of payload and metadata that are written at once, about.
const PAGE_BYTES: usize = 4 << 20;

/// Why a log was not taken in. The log is empty then, as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The database failed, or the positions of the events do not follow each other.
    #[error(transparent)]
    Log(#[from] Error),
    /// There is something in the log already.
    #[error("the log is not empty: it has {events} events, and a log is taken in whole")]
    NotEmpty {
        /// How many events it has.
        events: i64,
    },
    /// A commit has not the events that it says.
    #[error("the commit at position {base} says that it has {noted} events and has {found}")]
    Miscounted {
        /// The position of its first event.
        base: u64,
        /// How many it says.
        noted: u64,
        /// How many there are.
        found: usize,
    },
    /// The events are no log.
    #[error("the events are no sound log: {0}")]
    Unsound(Finding),
}

/// A log that is being taken in.
#[derive(Debug)]
pub struct Import {
    transaction: sqlx::Transaction<'static, Postgres>,
    growth: Growth,
    /// The number of the next batch.
    batch: i64,
    events: Vec<(i64, Event)>,
    bytes: usize,
    commits: Vec<(i64, Placed)>,
}

/// A commit whose events wait to be written or are.
#[derive(Debug)]
struct Placed {
    base: u64,
    events: u64,
    at: DateTime<Utc>,
}

/// Who reads may go on; who appends or gives positions waits.
const KEEP_OTHERS_OUT: &str = "LOCK TABLE events, event_log, event_inbox IN EXCLUSIVE MODE";
const EVENTS: &str = "
SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM event_log) + (SELECT count(*) FROM event_inbox)
       + (SELECT size FROM log_tree)";
/// For this transaction: events of the interactive lane leave no notes of themselves, and what goes with events, such as the
/// gates of runs, goes with those that have happened (`migrations/0022_import.sql`).
const TAKE_IN: &str = "SELECT set_config('event_store.bulk', 'on', true), set_config('event_store.import', 'on', true)";
const FIRST_BATCH: &str = "SELECT nextval('event_batch')";
const LAST_BATCH: &str = "SELECT setval('event_batch', $1)";
const COUNT: &str = "ANALYZE events, event_log";

impl Import {
    /// Begins, keeping every writer out until the end.
    ///
    /// # Errors
    /// [`ImportError::NotEmpty`], or when the database fails.
    pub async fn begin(database: &Database) -> Result<Self, ImportError> {
        let begun = async {
            let mut transaction = database.pool().begin().await?;
            transaction.execute(KEEP_OTHERS_OUT).await?;
            transaction.execute(TAKE_IN).await?;
            let events: i64 = sqlx::query_scalar(EVENTS)
                .fetch_one(&mut *transaction)
                .await?;
            let batch: i64 = sqlx::query_scalar(FIRST_BATCH)
                .fetch_one(&mut *transaction)
                .await?;
            Ok((transaction, events, batch))
        };
        let (transaction, events, batch) = begun.await.map_err(failed)?;
        if events > 0 {
            return Err(ImportError::NotEmpty { events });
        }
        Ok(Self {
            transaction,
            growth: Growth::default(),
            batch,
            events: Vec::new(),
            bytes: 0,
            commits: Vec::new(),
        })
    }

    /// Returns how many events were taken.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.growth.size()
    }

    /// Returns the root of the tree over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.growth.root()
    }

    /// Takes the next commit.
    ///
    /// # Errors
    /// [`ImportError::Miscounted`], [`Error::NotDense`], or when the database refuses an event.
    pub async fn take(&mut self, commit: Commit) -> Result<(), ImportError> {
        let Commit {
            base,
            noted,
            committed_at,
            events,
        } = commit;
        let found = events.len();
        if found == 0 || u64::try_from(found) != Ok(noted) {
            return Err(ImportError::Miscounted { base, noted, found });
        }
        self.follows(base)?;
        let batch = self.batch;
        for event in events {
            self.follows(event.position)?;
            self.growth.push(event.leaf_hash());
            self.bytes += event.payload.len() + event.metadata.len();
            self.events.push((batch, event));
        }
        self.batch += 1;
        let placed = Placed {
            base,
            events: noted,
            at: committed_at,
        };
        self.commits.push((batch, placed));
        if self.events.len() >= PAGE || self.bytes >= PAGE_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    fn follows(&self, found: u64) -> Result<(), Error> {
        let expected = self.growth.size() + 1;
        if found == expected {
            Ok(())
        } else {
            Err(Error::NotDense { expected, found })
        }
    }

    /// Checks what was taken as every log is checked, and lets others see it.
    ///
    /// # Errors
    /// [`ImportError::Unsound`], or when the database fails.
    pub async fn finish(mut self) -> Result<(), ImportError> {
        self.write().await?;
        let checked = async {
            sqlx::query(LAST_BATCH)
                .bind(self.batch)
                .execute(&mut *self.transaction)
                .await?;
            self.transaction.execute(COUNT).await?;
            check::whole(&mut self.transaction).await
        };
        let report = checked.await.map_err(failed)?;
        if let Some(finding) = report.findings.into_iter().next() {
            return Err(ImportError::Unsound(finding));
        }
        self.transaction.commit().await.map_err(failed)?;
        Ok(())
    }

    async fn write(&mut self) -> Result<(), ImportError> {
        let (events, commits) = (
            std::mem::take(&mut self.events),
            std::mem::take(&mut self.commits),
        );
        self.bytes = 0;
        let connection: &mut PgConnection = &mut self.transaction;
        let written = async {
            write_events(connection, &events).await?;
            write_commits(connection, &commits).await
        };
        written.await.map_err(failed)?;
        let changed = self.growth.take_changed();
        tiles::write(&mut self.transaction, self.growth.size(), &changed).await?;
        Ok(())
    }
}

fn failed(source: sqlx::Error) -> ImportError {
    Error::database("take the log in")(source).into()
}

/// The rows are numbered in their order, which is the one that events of a batch count in.
const WRITE_EVENTS: &str = "
INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata,
                    recorded_at)
SELECT batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::json, metadata::json, recorded_at
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
            $9::timestamptz[]) WITH ORDINALITY
     AS n (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, recorded_at, place)
ORDER BY place";

async fn write_events(
    connection: &mut PgConnection,
    events: &[(i64, Event)],
) -> Result<(), sqlx::Error> {
    let texts = |field: fn(&Event) -> &str| -> Vec<&str> {
        events.iter().map(|(_, event)| field(event)).collect()
    };
    let batches: Vec<i64> = events.iter().map(|(batch, _)| *batch).collect();
    let sequences = events.iter().map(|(_, event)| number(event.sequence));
    let moments = events.iter().map(|(_, event)| event.recorded_at);
    sqlx::query(WRITE_EVENTS)
        .bind(batches)
        .bind(texts(|event| &event.aggregate_type))
        .bind(texts(|event| &event.aggregate_id))
        .bind(sequences.collect::<Vec<i64>>())
        .bind(texts(|event| &event.event_type))
        .bind(texts(|event| &event.event_version))
        .bind(texts(|event| &event.payload))
        .bind(texts(|event| &event.metadata))
        .bind(moments.collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

const WRITE_COMMITS: &str = "
INSERT INTO event_log (base, events, batch, aggregate_types, committed_at)
SELECT base, events, batch,
       (SELECT array_agg(DISTINCT e.aggregate_type) FROM events e WHERE e.batch = n.batch), committed_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[]) AS n (batch, base, events, committed_at)";

async fn write_commits(
    connection: &mut PgConnection,
    commits: &[(i64, Placed)],
) -> Result<(), sqlx::Error> {
    let placed = || commits.iter().map(|(_, commit)| commit);
    let batches: Vec<i64> = commits.iter().map(|(batch, _)| *batch).collect();
    sqlx::query(WRITE_COMMITS)
        .bind(batches)
        .bind(
            placed()
                .map(|commit| number(commit.base))
                .collect::<Vec<_>>(),
        )
        .bind(
            placed()
                .map(|commit| number(commit.events))
                .collect::<Vec<_>>(),
        )
        .bind(placed().map(|commit| commit.at).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Numbers that no log will reach saturate, and are refused by the database.
fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
