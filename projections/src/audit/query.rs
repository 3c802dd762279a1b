//! What other answers show of the audit trail: the newest entries of things, and where domains and runs came from.

use aggregates::ids::{CampaignId, RunId};
use sqlx::PgExecutor;

use super::entry::{Entry, columns, named};

const LATEST: &str = concat!(
    "SELECT ",
    columns!(),
    ", NULL::text AS actor_name FROM read.audit_entries e \
     WHERE resource_type = $1 AND resource_id = $2 AND action = ANY($3) ORDER BY position DESC LIMIT $4"
);

/// Reads the newest entries of one thing that have one of the actions, the newest first, without the names of actors.
///
/// # Errors
/// When the database does not answer.
pub async fn latest_of_resource(
    executor: impl PgExecutor<'_>,
    resource_type: &str,
    resource_id: &str,
    actions: &[&str],
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(LATEST)
        .bind(resource_type)
        .bind(resource_id)
        .bind(actions)
        .bind(limit)
        .fetch_all(executor)
        .await
}

const LATEST_OF_MANY: &str = concat!(
    "SELECT last.* FROM unnest($2::text[]) AS wanted (id) CROSS JOIN LATERAL (SELECT ",
    columns!(),
    ", NULL::text AS actor_name FROM read.audit_entries e WHERE resource_type = $1 AND resource_id = wanted.id \
     ORDER BY position DESC LIMIT $3) last"
);

/// Reads the newest entries of each of several things, those of each the newest first, without the names of actors.
///
/// # Errors
/// When the database does not answer.
pub async fn latest_of_resources(
    executor: impl PgExecutor<'_>,
    resource_type: &str,
    resource_ids: &[String],
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    sqlx::query_as(LATEST_OF_MANY)
        .bind(resource_type)
        .bind(resource_ids)
        .bind(limit)
        .fetch_all(executor)
        .await
}

/// How a domain came to its campaign.
#[derive(Clone, Debug)]
pub struct Birth {
    /// The entry of the event that brought it: `DomainsGenerated`, `DomainsImported` or `DomainsTaken`.
    pub entry: Entry,
    /// For an import, how many names of the same list the campaign has before it.
    pub before_in_list: i64,
}

const BIRTH: &str = concat!(
    "SELECT ",
    columns!(),
    ", named.actor_name FROM (SELECT * FROM read.audit_entries \
     WHERE resource_type = 'campaign' AND resource_id = $1 \
     AND action IN ('DomainsGenerated', 'DomainsImported', 'DomainsTaken') \
     AND (details ->> 'first_ordinal')::bigint <= $2 ORDER BY position DESC LIMIT 1) e",
    named!()
);
const LIST_BEGINS: &str = "SELECT min((details ->> 'first_ordinal')::bigint) FROM read.audit_entries \
    WHERE resource_type = 'campaign' AND resource_id = $1 AND action = 'DomainsImported' AND details ->> 'file_id' = $2";

/// Finds out which event brought the domain with this ordinal; ordinals rise with positions. Costs the entries of one
/// campaign, of which there is one for some thousand names.
///
/// # Errors
/// When the database does not answer.
pub async fn birth_of(
    connection: &mut sqlx::PgConnection,
    campaign_id: CampaignId,
    ordinal: i64,
) -> Result<Option<Birth>, sqlx::Error> {
    let stream = campaign_id.to_string();
    let entry: Option<Entry> = sqlx::query_as(BIRTH)
        .bind(&stream)
        .bind(ordinal)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(entry) = entry else {
        return Ok(None);
    };
    let file = entry
        .details
        .get("file_id")
        .and_then(serde_json::Value::as_str);
    let begins: Option<i64> = match file {
        Some(file) => {
            sqlx::query_scalar(LIST_BEGINS)
                .bind(&stream)
                .bind(file)
                .fetch_one(connection)
                .await?
        }
        None => None,
    };
    Ok(Some(Birth {
        before_in_list: begins.map_or(0, |begins| ordinal.saturating_sub(begins)),
        entry,
    }))
}

/// How a run began.
#[derive(Clone, Debug)]
pub struct Start {
    /// The entry of its `PhaseStarted`.
    pub entry: Entry,
    /// The start that a user or the operator commanded and that led to it: itself, or the last one before it where the end
    /// of another phase started it.
    pub commanded: Option<Entry>,
}

/// Without what the runs worked with, which is long.
const STARTS: &str = concat!(
    "SELECT ",
    columns!("e.details - 'pinned' AS details"),
    ", named.actor_name FROM read.audit_entries e",
    named!(),
    "WHERE e.resource_type = 'campaign' AND e.resource_id = $1 AND e.action = 'PhaseStarted' ORDER BY e.position"
);

/// Reads how these runs of a campaign began, in their order. Costs the starts of one campaign.
///
/// # Errors
/// When the database does not answer.
pub async fn starts_of(
    executor: impl PgExecutor<'_>,
    campaign_id: CampaignId,
    runs: &[RunId],
) -> Result<Vec<(RunId, Start)>, sqlx::Error> {
    let entries: Vec<Entry> = sqlx::query_as(STARTS)
        .bind(campaign_id.to_string())
        .fetch_all(executor)
        .await?;
    let said = |entry: &Entry, field: &str| entry.details.get(field).cloned();
    let (mut starts, mut commanded) = (Vec::new(), None);
    for entry in entries {
        if said(&entry, "auto") != Some(true.into()) {
            commanded = Some(entry.clone());
        }
        let run = said(&entry, "run_id").and_then(|run| run.as_str()?.parse().ok());
        if let Some(run) = run.filter(|run| runs.contains(run)) {
            let commanded = commanded.clone();
            starts.push((run, Start { entry, commanded }));
        }
    }
    Ok(starts)
}
