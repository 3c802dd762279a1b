//! What other campaigns take of a campaign: its names, and what it found out about them.

use std::collections::HashMap;

use aggregates::{
    campaign::Phase,
    ids::{CampaignId, RunId},
};
use sqlx::PgPool;
use uuid::Uuid;

/// A name has passed when no check that was made of it failed, and every check that the campaign makes was made.
const PASSED: &str = "SELECT name, ordinal FROM read.domains WHERE campaign_id = $1 AND ordinal > $2 \
    AND CASE $3 WHEN 'discovery' THEN true WHEN 'validation' THEN dns_status = 'ok' ELSE http_status = 'ok' END \
    ORDER BY ordinal LIMIT $4";

/// Reads the names of a campaign that passed its checks up to a phase, after an ordinal and in their order, each with its
/// ordinal. Every name has passed discovery; from extraction on those with a page have.
///
/// # Errors
/// When the database does not answer.
pub async fn passed_after(
    pool: &PgPool,
    campaign_id: CampaignId,
    phase: Phase,
    after: i64,
    limit: i64,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(PASSED)
        .bind(campaign_id.0)
        .bind(after)
        .bind(phase.name())
        .bind(limit)
        .fetch_all(pool)
        .await
}

const FOUND_WELL: &str = "SELECT name, CASE $3 WHEN 'validation' THEN dns_run ELSE http_run END FROM read.domains \
    WHERE campaign_id = $1 AND name = ANY($2) \
    AND CASE $3 WHEN 'validation' THEN dns_status = 'ok' AND dns_run = ANY($4) \
                ELSE http_status = 'ok' AND http_run = ANY($4) END";

/// Finds those of the names that a campaign checked well in one of the runs of validation or extraction, each with
/// the run.
///
/// # Errors
/// When the database does not answer.
pub async fn found_well(
    pool: &PgPool,
    campaign_id: CampaignId,
    phase: Phase,
    runs: &[RunId],
    names: &[String],
) -> Result<HashMap<String, RunId>, sqlx::Error> {
    let runs: Vec<Uuid> = runs.iter().map(|run| run.0).collect();
    let rows: Vec<(String, Uuid)> = sqlx::query_as(FOUND_WELL)
        .bind(campaign_id.0)
        .bind(names)
        .bind(phase.name())
        .bind(runs)
        .fetch_all(pool)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(name, run)| (name, RunId(run)))
        .collect())
}
