//! What the coordinator and the workers read: where to cut work orders, and the domains of one.

use std::{collections::HashSet, net::IpAddr};

use aggregates::{
    campaign::Phase,
    domain::Domain,
    ids::{CampaignId, RunId},
};
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use super::PageEvidence;

/// A domain that a work order has something to do for, with the state that its stream is at.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The state of its stream.
    pub state: Domain,
    /// DNS status: pending, ok, error, timeout.
    pub dns_status: String,
    /// The addresses that the DNS check found.
    pub addresses: Vec<IpAddr>,
    /// Its name servers, where one of them belongs to a service that parks domains.
    pub parking_servers: Vec<String>,
    /// All of its name servers, where whoever asked for candidates has read them from the log; no row has them.
    pub name_servers: Vec<String>,
    /// HTTP status: pending, ok, error, timeout.
    pub http_status: String,
    /// When the page was fetched.
    pub fetched_at: Option<DateTime<Utc>>,
    /// What scoring needs of the page.
    pub evidence: Option<PageEvidence>,
    /// The score, 0 to 1.
    pub score: Option<f64>,
}

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    version: i64,
    dns_run: Option<Uuid>,
    http_run: Option<Uuid>,
    score_run: Option<Uuid>,
    lead_run: Option<Uuid>,
    dns_status: String,
    addresses: Option<String>,
    parking_servers: Option<String>,
    http_status: String,
    fetched_at: Option<DateTime<Utc>>,
    evidence: Option<serde_json::Value>,
    score: Option<f64>,
}

const CANDIDATES: &str = "SELECT name, version, dns_run, http_run, score_run, lead_run, dns_status, addresses, \
    parking_servers, http_status, fetched_at, evidence, score FROM read.domains \
    WHERE campaign_id = $1 AND ordinal BETWEEN $2 AND $3 \
    AND CASE $4 WHEN 'validation' THEN dns_run IS NULL \
                WHEN 'extraction' THEN dns_status = 'ok' AND http_run IS NULL \
                WHEN 'analysis' THEN http_status = 'ok' AND score_run IS NULL \
                ELSE lead_run IS NULL END \
    ORDER BY ordinal";

/// Reads the domains of a range of ordinals that the last run of a phase has still to work on, in the order of
/// ordinals: those without a result of it. The run's start took away what it is to find anew.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn candidates(
    pool: &PgPool,
    campaign_id: CampaignId,
    ordinals: (i64, i64),
    phase: Phase,
) -> Result<Vec<Candidate>, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(CANDIDATES)
        .bind(campaign_id.0)
        .bind(ordinals.0)
        .bind(ordinals.1)
        .bind(phase.name())
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(candidate).collect()
}

fn candidate(row: Row) -> Result<Candidate, sqlx::Error> {
    let decode = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    let addresses = row
        .addresses
        .as_deref()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| decode(Box::new(error)))?;
    let evidence = row
        .evidence
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| decode(Box::new(error)))?;
    Ok(Candidate {
        name: row.name,
        state: Domain {
            version: u64::try_from(row.version).unwrap_or(0),
            dns_run: row.dns_run.map(RunId),
            http_run: row.http_run.map(RunId),
            score_run: row.score_run.map(RunId),
            lead_run: row.lead_run.map(RunId),
        },
        dns_status: row.dns_status,
        addresses,
        parking_servers: row
            .parking_servers
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect(),
        name_servers: Vec::new(),
        http_status: row.http_status,
        fetched_at: row.fetched_at,
        evidence,
        score: row.score,
    })
}

const SCORED: &str = "SELECT name, version, dns_run, http_run, score_run, lead_run, dns_status, addresses, \
    parking_servers, http_status, fetched_at, evidence, score, ordinal, lead_status FROM read.domains \
    WHERE campaign_id = $1 AND ordinal > $2 AND http_status = 'ok' AND scored ORDER BY ordinal LIMIT $3";

/// A domain that has a score.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Its place in the campaign.
    pub ordinal: i64,
    /// Lead status: pending, match, `no_match`, error, timeout.
    pub lead_status: String,
    /// What scoring and decision work with.
    pub candidate: Candidate,
}

#[derive(sqlx::FromRow)]
struct ScoredRow {
    ordinal: i64,
    lead_status: String,
    #[sqlx(flatten)]
    row: Row,
}

/// Reads the domains of a campaign that have a score, after an ordinal and in their order.
///
/// # Errors
/// When the database does not answer, or a row does not decode.
pub async fn scored_after(
    pool: &PgPool,
    campaign_id: CampaignId,
    after: i64,
    limit: i64,
) -> Result<Vec<Scored>, sqlx::Error> {
    let rows: Vec<ScoredRow> = sqlx::query_as(SCORED)
        .bind(campaign_id.0)
        .bind(after)
        .bind(limit)
        .fetch_all(pool)
        .await?;
    let scored = rows.into_iter().map(|scored| {
        Ok(Scored {
            ordinal: scored.ordinal,
            lead_status: scored.lead_status,
            candidate: candidate(scored.row)?,
        })
    });
    scored.collect()
}

const BOUNDARIES: &str = "SELECT min(ordinal), max(ordinal), count(*) FROM \
    (SELECT ordinal, (row_number() OVER (ORDER BY ordinal) - 1) / $3 AS chunk FROM read.domains \
     WHERE campaign_id = $1 \
     AND CASE $2 WHEN 'validation' THEN dns_run IS NULL \
                 WHEN 'extraction' THEN dns_status = 'ok' AND http_run IS NULL \
                 WHEN 'analysis' THEN http_status = 'ok' AND score_run IS NULL \
                 ELSE lead_run IS NULL END) o \
    GROUP BY chunk ORDER BY 1";

/// Cuts a campaign's domains that the last run of a phase has to work on into ranges of ordinals of `size` domains each: first, last, how
/// many.
///
/// # Errors
/// When the database does not answer.
pub async fn next_boundaries(
    pool: &PgPool,
    campaign_id: CampaignId,
    phase: Phase,
    size: u32,
) -> Result<Vec<(i64, i64, i64)>, sqlx::Error> {
    sqlx::query_as(BOUNDARIES)
        .bind(campaign_id.0)
        .bind(phase.name())
        .bind(i64::from(size))
        .fetch_all(pool)
        .await
}

const EXISTING: &str = "SELECT name FROM read.domains WHERE campaign_id = $1 AND name = ANY($2)";

/// Answers which of the names the campaign has already.
///
/// # Errors
/// When the database does not answer.
pub async fn existing_names(
    pool: &PgPool,
    campaign_id: CampaignId,
    names: &[String],
) -> Result<HashSet<String>, sqlx::Error> {
    let found: Vec<String> = sqlx::query_scalar(EXISTING)
        .bind(campaign_id.0)
        .bind(names)
        .fetch_all(pool)
        .await?;
    Ok(found.into_iter().collect())
}
