//! Checking: whether the log, the checkpoints, the counters and the completed runs are what they promise to be.
//!
//! Reads whole tables: minutes for tens of millions of events. It applies nothing a second time; for that there is
//! [`crate::verify()`].

use std::fmt;

use aggregates::ids::CampaignId;
use event_store::{Database, Position};
use projections::{domains, snapshot};
use sqlx::PgConnection;

use crate::{
    Error,
    runs::{self, Unbalanced},
};

/// Where a projection stands, beside what the log has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The projection.
    pub projection: &'static str,
    /// The last position that it has taken in.
    pub position: Position,
    /// How many events of its types it says that was.
    pub applied: i64,
    /// How many events of its types the log has up to there.
    pub matching: i64,
    /// The log's last position.
    pub head: Position,
    /// The event that it cannot apply, when it stands still.
    pub halted: Option<String>,
}

impl Standing {
    /// Says whether nothing is wrong; being behind is not wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.halted.is_none() && self.applied == self.matching && self.position <= self.head
    }
}

/// A counter that is not the recount of its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// What the counter says of one combination of findings.
    pub counted: i64,
    /// How many rows there are.
    pub recounted: i64,
}

/// What the check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The log.
    pub log: event_store::Report,
    /// Every projection.
    pub standings: Vec<Standing>,
    /// Every counter that differs.
    pub counters: Vec<Counter>,
    /// Completed runs whose tallies, results and plan differ, the first hundred.
    pub runs: Vec<Unbalanced>,
}

impl Report {
    /// Says whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.log.is_clean()
            && self.standings.iter().all(Standing::is_clean)
            && self.counters.is_empty()
            && self.runs.is_empty()
    }

    /// Lists what is wrong, a line each.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let log = self.log.findings.iter().map(ToString::to_string);
        let standings = self
            .standings
            .iter()
            .filter(|standing| !standing.is_clean())
            .map(ToString::to_string);
        let counters = self.counters.iter().map(ToString::to_string);
        let runs = self.runs.iter().map(ToString::to_string);
        log.chain(standings).chain(counters).chain(runs).collect()
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            projection,
            position,
            applied,
            matching,
            head,
            halted,
        } = self;
        match halted {
            Some(reason) => write!(
                f,
                "projection {projection} stands still at {position}: {reason}"
            ),
            None if position > head => write!(
                f,
                "projection {projection} is at {position}, the log ends at {head}"
            ),
            None => write!(
                f,
                "projection {projection} applied {applied} events of {matching} up to {position}"
            ),
        }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            campaign_id,
            counted,
            recounted,
        } = self;
        if counted == recounted {
            return write!(
                f,
                "a counter of campaign {campaign_id} counts {counted} domains, but not those that its rows are"
            );
        }
        write!(
            f,
            "a counter of campaign {campaign_id} says {counted}, its rows are {recounted}"
        )
    }
}

/// Checks the log, each projection's checkpoint against the events that it should have applied, every counter against
/// its rows, and the tallies of every completed run against its results and its plan.
///
/// # Errors
/// When the database fails.
pub async fn check(database: &Database) -> Result<Report, Error> {
    let log = event_store::check(database).await?;
    // A checkpoint and the rows that it speaks of are from the same moment.
    let mut snapshot = snapshot(database.pool()).await?;
    let standings = standings(&mut snapshot).await?;
    let counters = domains::recount(&mut snapshot)
        .await?
        .into_iter()
        .map(|(campaign_id, counted, recounted)| Counter {
            campaign_id,
            counted,
            recounted,
        })
        .collect();
    let runs = runs::unbalanced(&mut snapshot).await?;
    snapshot.rollback().await?;
    Ok(Report {
        log,
        standings,
        counters,
        runs,
    })
}

/// A checkpoint is the end of a commit, so that commits count as a whole.
const STANDING: &str = "
WITH head AS (
    SELECT coalesce((SELECT base + events - 1 FROM event_log ORDER BY base DESC LIMIT 1), 0) AS position
), checkpoint AS (
    SELECT coalesce(max(position), 0) AS position, coalesce(max(applied), 0) AS applied, max(halted) AS halted
    FROM projection_checkpoints WHERE name = $1
)
SELECT checkpoint.position, checkpoint.applied, checkpoint.halted, head.position,
       (SELECT count(*) FROM event_log l JOIN events e ON e.batch = l.batch
        WHERE l.base <= checkpoint.position AND l.aggregate_types && $2 AND e.aggregate_type = ANY ($2))
FROM checkpoint, head";

async fn standings(snapshot: &mut PgConnection) -> Result<Vec<Standing>, sqlx::Error> {
    let mut standings = Vec::new();
    for projection in projections::all() {
        let (position, applied, halted, head, matching): (i64, i64, Option<String>, i64, i64) =
            sqlx::query_as(STANDING)
                .bind(projection.name())
                .bind(projection.reads())
                .fetch_one(&mut *snapshot)
                .await?;
        standings.push(Standing {
            projection: projection.name(),
            position: Position::from_i64(position),
            applied,
            matching,
            head: Position::from_i64(head),
            halted,
        });
    }
    Ok(standings)
}
