//! Whether every run that completed did what it was to do, once: its tallies, its results in the log, and its plan.

use std::fmt;

use aggregates::ids::{CampaignId, RunId};
use sqlx::PgConnection;
use uuid::Uuid;

/// The most runs that a report lists.
const MAX_FINDINGS: i64 = 100;

/// A completed run whose three counts are not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unbalanced {
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The phase.
    pub phase: String,
    /// The run.
    pub run_id: RunId,
    /// How many domains its completion says that it processed; in discovery, how many names it says that it found.
    pub tallied: i64,
    /// How many of its results, or names, the log has.
    pub recorded: i64,
    /// How many domains its plan was made for; absent in discovery, which makes them, and where there was no plan.
    pub due: Option<i64>,
}

impl fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            campaign_id,
            phase,
            run_id,
            tallied,
            recorded,
            due,
        } = self;
        write!(
            f,
            "run {run_id} ({phase} of campaign {campaign_id}) says that it came to {tallied}, the log has {recorded}"
        )?;
        match due {
            Some(due) => write!(f, ", {due} were due"),
            None => Ok(()),
        }
    }
}

/// Reads the log once and keeps a count a run. A result counts for the run and the kind that it names; the names of a
/// list are those of the campaign that took them in.
const UNBALANCED: &str = "
WITH results AS (
    SELECT e.event_type, e.payload -> e.event_type ->> 'run_id' AS run_id, count(*) AS n
    FROM events e WHERE e.aggregate_type = 'domain' GROUP BY 1, 2
), generated AS (
    SELECT e.payload -> e.event_type ->> 'run_id' AS run_id, sum((e.payload -> e.event_type ->> 'names')::bigint) AS n
    FROM events e WHERE e.aggregate_type = 'campaign' AND e.event_type = 'DomainsGenerated' GROUP BY 1
), named AS (
    SELECT e.aggregate_id AS campaign_id, sum(CASE e.event_type
        WHEN 'DomainsGenerated' THEN (e.payload -> e.event_type ->> 'names')::bigint
        ELSE json_array_length(e.payload -> e.event_type -> 'names') END) AS n
    FROM events e WHERE e.aggregate_type = 'campaign'
        AND e.event_type IN ('DomainsImported', 'DomainsTaken', 'DomainsGenerated')
    GROUP BY 1
), completed AS (
    SELECT e.aggregate_id AS campaign_id, e.id, e.payload -> e.event_type ->> 'run_id' AS run_id,
           e.payload -> e.event_type ->> 'phase' AS phase, e.payload -> e.event_type -> 'tallies' AS tallies
    FROM events e WHERE e.aggregate_type = 'campaign' AND e.event_type = 'PhaseCompleted'
), counted AS (
    SELECT c.campaign_id, c.phase, c.run_id, c.id,
           coalesce(c.tallies ->> CASE WHEN c.phase <> 'discovery' THEN 'processed'
                                       WHEN c.tallies ->> 'imported' IS NULL THEN 'generated'
                                       ELSE 'imported' END, '0')::bigint AS tallied,
           coalesce(CASE WHEN c.phase <> 'discovery' THEN r.n
                         WHEN c.tallies ->> 'imported' IS NULL THEN g.n
                         ELSE n.n END, 0)::bigint AS recorded,
           CASE WHEN c.phase <> 'discovery' THEN p.items END AS due
    FROM completed c
    LEFT JOIN results r ON r.run_id = c.run_id AND r.event_type = CASE c.phase
        WHEN 'validation' THEN 'DnsChecked' WHEN 'extraction' THEN 'HttpChecked'
        WHEN 'analysis' THEN 'Scored' WHEN 'enrichment' THEN 'LeadDecided' END
    LEFT JOIN generated g ON g.run_id = c.run_id
    LEFT JOIN named n ON n.campaign_id = c.campaign_id
    LEFT JOIN run_plans p ON p.run_id = c.run_id::uuid
)
SELECT campaign_id::uuid, phase, run_id::uuid, tallied, recorded, due
FROM counted WHERE tallied <> recorded OR due <> recorded
ORDER BY id LIMIT $1";

type Row = (Uuid, String, Uuid, i64, i64, Option<i64>);

/// Lists the completed runs whose counts differ, the first hundred in the order of their completion.
pub(super) async fn unbalanced(
    snapshot: &mut PgConnection,
) -> Result<Vec<Unbalanced>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(UNBALANCED)
        .bind(MAX_FINDINGS)
        .fetch_all(snapshot)
        .await?;
    let found =
        rows.into_iter().map(
            |(campaign_id, phase, run_id, tallied, recorded, due)| Unbalanced {
                campaign_id: CampaignId(campaign_id),
                phase,
                run_id: RunId(run_id),
                tallied,
                recorded,
                due,
            },
        );
    Ok(found.collect())
}
