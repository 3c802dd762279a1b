//! Makes and removes rows: what campaign events do to the table.

use aggregates::{ids::CampaignId, names};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::sql::{categories, count_net, members_of, stretch_of};
use crate::runtime::ApplyError;

/// Names with the offsets that they were generated from.
pub(crate) struct Names {
    pub(crate) names: Vec<String>,
    pub(super) offsets: Vec<Option<i64>>,
}

/// Tells whether a campaign event changes rows of domains.
pub(super) fn concerns(event_type: &str) -> bool {
    matches!(
        event_type,
        "DomainsGenerated" | "DomainsImported" | "DomainsTaken" | "PhaseStarted" | "Deleted"
    )
}

/// Computes the names of a range again.
pub(crate) fn generate(
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

/// Names and their counters, which nothing is known of yet.
const INSERT: &str = concat!(
    "WITH made AS (INSERT INTO domains (campaign_id, name, ordinal, pattern_offset, created_at) \
     SELECT $1, n.name, $2 + n.i - 1, n.pattern_offset, $3 \
     FROM unnest($4::text[], $5::bigint[]) WITH ORDINALITY AS n(name, pattern_offset, i) RETURNING ",
    categories!(""),
    ", ",
    stretch_of!(""),
    " AS stretch, ordinal), net AS (SELECT ",
    categories!(""),
    ", stretch, count(*) AS n, ",
    members_of!("bit_or"),
    " AS members FROM made GROUP BY ",
    categories!(""),
    ", stretch), ",
    count_net!(),
    " SELECT count(*) FROM made"
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
        .execute(connection)
        .await?;
    Ok(())
}

const FORGET_COUNTS: &str = "DELETE FROM domain_counts WHERE campaign_id = $1";
const FORGET_TOTALS: &str = "DELETE FROM domain_totals WHERE campaign_id = $1";
const REMOVE: &str = "DELETE FROM domains WHERE campaign_id = $1";

/// Removes the rows of a deleted campaign.
pub(super) async fn remove(
    connection: &mut PgConnection,
    campaign_id: CampaignId,
) -> Result<(), ApplyError> {
    for statement in [REMOVE, FORGET_COUNTS, FORGET_TOTALS] {
        sqlx::query(statement)
            .bind(campaign_id.0)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
