//! Makes, resets and removes rows: what campaign events do to the table.

use aggregates::{campaign::Phase, ids::CampaignId, names};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::sql::categories;
use crate::runtime::ApplyError;

/// Names with the offsets that they were generated from.
pub(super) struct Names {
    pub(super) names: Vec<String>,
    pub(super) offsets: Vec<Option<i64>>,
}

/// Tells whether a campaign event changes rows of domains.
pub(super) fn concerns(event_type: &str) -> bool {
    matches!(
        event_type,
        "DomainsGenerated" | "DomainsImported" | "PhaseStarted" | "Deleted"
    )
}

/// Computes the names of a range again.
pub(super) fn generate(
    pattern: &names::Pattern,
    generator_version: u32,
    start: u64,
    count: u64,
) -> Result<Names, &'static str> {
    if generator_version != names::GENERATOR_VERSION {
        return Err("the names were made by a generator of another version");
    }
    let mut generated = Names {
        names: Vec::new(),
        offsets: Vec::new(),
    };
    let mut steps = pattern.names(start, count);
    while let Some(step) = steps.step() {
        if let Some(name) = step.name {
            generated.names.push(name.to_owned());
            generated.offsets.push(i64::try_from(step.offset).ok());
        }
    }
    Ok(generated)
}

const INSERT: &str = "INSERT INTO domains (campaign_id, name, ordinal, pattern_offset, created_at) \
    SELECT $1, n.name, $2 + n.i - 1, n.pattern_offset, $3 \
    FROM unnest($4::text[], $5::bigint[]) WITH ORDINALITY AS n(name, pattern_offset, i)";

const COUNT_NEW: &str = concat!(
    "INSERT INTO domain_counts AS c (",
    categories!(""),
    ", n) VALUES ($1, 'pending', '', 'pending', '', 'pending', 'pending', false, false, false, false, $2) \
     ON CONFLICT (",
    categories!(""),
    ") DO UPDATE SET n = c.n + EXCLUDED.n"
);

/// Adds new names to a campaign, from `first_ordinal` on.
pub(super) async fn insert(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    first_ordinal: u64,
    names: &Names,
    created_at: DateTime<Utc>,
) -> Result<(), ApplyError> {
    if names.names.is_empty() {
        return Ok(());
    }
    sqlx::query(INSERT)
        .bind(campaign_id.0)
        .bind(i64::try_from(first_ordinal).unwrap_or(i64::MAX))
        .bind(created_at)
        .bind(&names.names)
        .bind(&names.offsets)
        .execute(&mut *connection)
        .await?;
    sqlx::query(COUNT_NEW)
        .bind(campaign_id.0)
        .bind(i64::try_from(names.names.len()).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
    Ok(())
}

const RESET_DNS: &str = "UPDATE domains SET dns_run = NULL, dns_status = 'pending', dns_reason = '', \
    addresses = NULL WHERE campaign_id = $1 AND dns_status <> 'pending'";
const RESET_HTTP: &str = "UPDATE domains SET http_run = NULL, http_status = 'pending', http_reason = '', \
    fetched_at = NULL, evidence = NULL, keywords = NULL, keywords_unique = NULL, keyword_hit = false, \
    parked_confidence = NULL, has_contact = false WHERE campaign_id = $1 AND http_status <> 'pending'";
const RESET_SCORE: &str = "UPDATE domains SET score_run = NULL, score = NULL, score_breakdown = NULL, \
    richness_score = NULL, microcrawl_gain = NULL, features = NULL, high_potential = false, warned = false, \
    scored = false WHERE campaign_id = $1 AND scored";
const RESET_LEAD: &str = "UPDATE domains SET lead_run = NULL, lead_status = 'pending', \
    rejection_reason = 'pending' WHERE campaign_id = $1 AND rejection_reason <> 'pending'";

const FORGET_COUNTS: &str = "DELETE FROM domain_counts WHERE campaign_id = $1";
const COUNT_AGAIN: &str = concat!(
    "INSERT INTO domain_counts (",
    categories!(""),
    ", n) SELECT ",
    categories!(""),
    ", count(*) FROM domains WHERE campaign_id = $1 GROUP BY ",
    categories!("")
);

/// Puts the findings of a phase, and of those after it, back to pending: a new run of the phase replaces them. What
/// earlier runs found stays in the log.
pub(super) async fn reset(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
    from: Phase,
) -> Result<(), ApplyError> {
    let statements = [
        (Phase::Validation, RESET_DNS),
        (Phase::Extraction, RESET_HTTP),
        (Phase::Analysis, RESET_SCORE),
        (Phase::Enrichment, RESET_LEAD),
    ];
    for (_, statement) in statements.into_iter().filter(|(phase, _)| *phase >= from) {
        sqlx::query(statement)
            .bind(campaign_id.0)
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query(FORGET_COUNTS)
        .bind(campaign_id.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query(COUNT_AGAIN)
        .bind(campaign_id.0)
        .execute(connection)
        .await?;
    Ok(())
}

const REMOVE: &str = "DELETE FROM domains WHERE campaign_id = $1";

/// Removes the rows of a deleted campaign.
pub(super) async fn remove(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
) -> Result<(), ApplyError> {
    for statement in [REMOVE, FORGET_COUNTS] {
        sqlx::query(statement)
            .bind(campaign_id.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
