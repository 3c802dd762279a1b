//! The checker: whether a log is what it promises to be.
//!
//! Called by `replay check`, by the metric that runs it on a schedule, and by the last step of tests. All queries see one
//! snapshot, so it can run beside any traffic. It reads the whole log: minutes for tens of millions of events.

use std::{fmt, time::Duration};

use sqlx::{Connection as _, PgConnection};

use crate::{Database, Error, Position};

/// How long a committed event may wait for its position before the checker says so.
const INBOX_AGE: Duration = Duration::from_secs(30);
/// The most findings of one kind that a report lists.
const MAX_FINDINGS: i64 = 100;

/// One way in which a log is not what it promises to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There are more or fewer events with a position than positions.
    CountDiffers {
        /// The events that have a position.
        events: u64,
        /// The last position.
        head: Position,
    },
    /// A batch does not begin where the one before it ended.
    Gap {
        /// Where it begins.
        base: u64,
        /// Where it should begin.
        expected: u64,
    },
    /// A batch has not the number of events, or not the aggregate types, that the log says.
    BatchDiffers {
        /// The batch.
        batch: i64,
        /// What the log or the inbox says.
        noted: String,
        /// What the events say.
        found: String,
    },
    /// Events were committed and never noted: no reader will see them.
    Unnoted {
        /// The batch.
        batch: i64,
        /// How many events it has.
        events: u64,
    },
    /// A batch is noted twice: it has a position and waits for one.
    NotedTwice {
        /// The batch.
        batch: i64,
    },
    /// A stream's sequences are not contiguous from 1.
    StreamBroken {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// The event after the hole.
        sequence: u64,
        /// The sequence that should be there.
        expected: u64,
    },
    /// An event of a stream has a lower position than the one before it.
    StreamReordered {
        /// The aggregate's type.
        aggregate_type: String,
        /// The aggregate's id.
        aggregate_id: String,
        /// The event.
        sequence: u64,
    },
    /// A batch has waited too long for its position.
    InboxOld {
        /// The batch.
        batch: i64,
        /// For how long.
        age_ms: u64,
    },
}

/// What the checker found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The events that have a position.
    pub events: u64,
    /// The last position.
    pub head: Position,
    /// The streams.
    pub streams: u64,
    /// The events that wait for a position.
    pub waiting: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Says whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Checks a whole log.
///
/// # Errors
/// [`Error::Database`] when it cannot be read.
pub async fn check(database: &Database) -> Result<Report, Error> {
    let run = async {
        let mut connection = database.pool().acquire().await?;
        let mut snapshot = connection
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        let report = whole(&mut snapshot).await?;
        snapshot.rollback().await?;
        Ok(report)
    };
    run.await.map_err(Error::database("check the log"))
}

/// Checks the log as the caller's transaction sees it; where others write meanwhile, it must be of one snapshot.
pub(crate) async fn whole(connection: &mut PgConnection) -> Result<Report, sqlx::Error> {
    let mut report = totals(&mut *connection).await?;
    if report.events != report.head.get() {
        report.findings.push(Finding::CountDiffers {
            events: report.events,
            head: report.head,
        });
    }
    report.findings.extend(log(&mut *connection).await?);
    report.findings.extend(batches(&mut *connection).await?);
    report.findings.extend(streams(&mut *connection).await?);
    report.findings.extend(inbox(&mut *connection).await?);
    Ok(report)
}

const READ_TOTALS: &str = "
SELECT (SELECT count(*) FROM events e WHERE EXISTS (SELECT FROM event_log l WHERE l.batch = e.batch)),
       coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0),
       (SELECT count(*) FROM (SELECT DISTINCT aggregate_type, aggregate_id FROM events) streams),
       coalesce((SELECT sum(events) FROM event_inbox), 0)::bigint";

async fn totals(snapshot: &mut PgConnection) -> Result<Report, sqlx::Error> {
    let (events, head, streams, waiting): (i64, i64, i64, i64) =
        sqlx::query_as(READ_TOTALS).fetch_one(snapshot).await?;
    Ok(Report {
        events: number(events),
        head: Position::from_i64(head),
        streams: number(streams),
        waiting: number(waiting),
        findings: Vec::new(),
    })
}

const FIND_GAPS: &str = "
SELECT base, expected
FROM (SELECT base, coalesce(lag(base + events) OVER (ORDER BY base), 1) AS expected FROM event_log) log
WHERE base <> expected
ORDER BY base LIMIT $1";

async fn log(snapshot: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(FIND_GAPS)
        .bind(MAX_FINDINGS)
        .fetch_all(snapshot)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(base, expected)| Finding::Gap {
            base: number(base),
            expected: number(expected),
        })
        .collect())
}

/// Every batch that events, log or inbox name, with what each says of it.
const FIND_BATCHES: &str = "
WITH written AS (
    SELECT batch, count(*) AS events, array_agg(DISTINCT aggregate_type ORDER BY aggregate_type) AS types
    FROM events GROUP BY batch
), noted AS (
    SELECT batch, sum(events) AS events, sum(notes) AS notes,
           (SELECT array_agg(DISTINCT type ORDER BY type) FROM unnest(min(types)) AS type) AS types
    FROM (SELECT batch, events, 1 AS notes, aggregate_types AS types FROM event_log
          UNION ALL SELECT batch, events, 1, aggregate_types FROM event_inbox) note
    GROUP BY batch
)
SELECT batch, written.events, written.types, noted.events::bigint, noted.types, coalesce(noted.notes, 0)::bigint
FROM written FULL JOIN noted USING (batch)
WHERE noted.batch IS NULL OR written.batch IS NULL OR noted.notes <> 1
   OR written.events <> noted.events OR written.types <> noted.types
ORDER BY batch LIMIT $1";

type BatchRow = (
    i64,
    Option<i64>,
    Option<Vec<String>>,
    Option<i64>,
    Option<Vec<String>>,
    i64,
);

async fn batches(snapshot: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let rows: Vec<BatchRow> = sqlx::query_as(FIND_BATCHES)
        .bind(MAX_FINDINGS)
        .fetch_all(snapshot)
        .await?;
    let told = |events: Option<i64>, types: Option<Vec<String>>| {
        format!(
            "{} events of {}",
            events.unwrap_or(0),
            types.unwrap_or_default().join(", ")
        )
    };
    Ok(rows
        .into_iter()
        .map(
            |(batch, events, types, noted_events, noted_types, notes)| match notes {
                0 => Finding::Unnoted {
                    batch,
                    events: number(events.unwrap_or(0)),
                },
                1 => Finding::BatchDiffers {
                    batch,
                    noted: told(noted_events, noted_types),
                    found: told(events, types),
                },
                _ => Finding::NotedTwice { batch },
            },
        )
        .collect())
}

/// Within a batch the id is the order, between batches the base; an event that waits comes after all that have one.
const FIND_STREAMS: &str = "
SELECT aggregate_type, aggregate_id, sequence, expected, reordered
FROM (
    SELECT e.aggregate_type, e.aggregate_id, e.sequence,
           coalesce(lag(e.sequence) OVER stream, 0) + 1 AS expected,
           coalesce((lag(l.base) OVER stream, lag(e.id) OVER stream) > (l.base, e.id), false)
               OR (l.base IS NOT NULL AND lag(l.base) OVER stream IS NULL AND lag(e.id) OVER stream IS NOT NULL)
               AS reordered
    FROM events e LEFT JOIN event_log l ON l.batch = e.batch
    WINDOW stream AS (PARTITION BY e.aggregate_type, e.aggregate_id ORDER BY e.sequence)
) walked
WHERE sequence <> expected OR reordered
ORDER BY aggregate_type, aggregate_id, sequence LIMIT $1";

async fn streams(snapshot: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let rows: Vec<(String, String, i64, i64, bool)> = sqlx::query_as(FIND_STREAMS)
        .bind(MAX_FINDINGS)
        .fetch_all(snapshot)
        .await?;
    let mut findings = Vec::new();
    for (aggregate_type, aggregate_id, sequence, expected, reordered) in rows {
        if sequence != expected {
            findings.push(Finding::StreamBroken {
                aggregate_type: aggregate_type.clone(),
                aggregate_id: aggregate_id.clone(),
                sequence: number(sequence),
                expected: number(expected),
            });
        }
        if reordered {
            findings.push(Finding::StreamReordered {
                aggregate_type,
                aggregate_id,
                sequence: number(sequence),
            });
        }
    }
    Ok(findings)
}

const FIND_OLD: &str = "
SELECT batch, (extract(epoch FROM clock_timestamp() - noted_at) * 1000)::bigint
FROM event_inbox
WHERE noted_at < clock_timestamp() - make_interval(secs => $2)
ORDER BY batch LIMIT $1";

async fn inbox(snapshot: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(FIND_OLD)
        .bind(MAX_FINDINGS)
        .bind(INBOX_AGE.as_secs_f64())
        .fetch_all(snapshot)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(batch, age)| Finding::InboxOld {
            batch,
            age_ms: number(age),
        })
        .collect())
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CountDiffers { events, head } => {
                write!(f, "{events} events have a position, the last is {head}")
            }
            Self::Gap { base, expected } => {
                write!(f, "a batch begins at {base} instead of {expected}")
            }
            Self::BatchDiffers {
                batch,
                noted,
                found,
            } => write!(f, "batch {batch} has {found}, noted are {noted}"),
            Self::Unnoted { batch, events } => {
                write!(f, "batch {batch} with {events} events was never noted")
            }
            Self::NotedTwice { batch } => {
                write!(f, "batch {batch} has a position and waits for one")
            }
            Self::StreamBroken {
                aggregate_type,
                aggregate_id,
                sequence,
                expected,
            } => {
                write!(
                    f,
                    "{aggregate_type} {aggregate_id} has event {sequence} where {expected} should be"
                )
            }
            Self::StreamReordered {
                aggregate_type,
                aggregate_id,
                sequence,
            } => {
                write!(
                    f,
                    "event {sequence} of {aggregate_type} {aggregate_id} has a lower position than the one before"
                )
            }
            Self::InboxOld { batch, age_ms } => {
                write!(f, "batch {batch} has waited {age_ms} ms for its position")
            }
        }
    }
}

fn number(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
