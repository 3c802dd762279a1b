//! The counters of a campaign, from `domain_totals`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aggregates::ids::CampaignId;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::sql::{categories, members_of, stretch_of};
use crate::{runtime::ApplyError, tables::Tables};

/// What a campaign's domains came to, all from one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Names.
    pub generated: u64,
    /// Domains by DNS status: pending, ok, error, timeout.
    pub dns: BTreeMap<String, u64>,
    /// Domains by reason of a failed DNS check.
    pub dns_reasons: BTreeMap<String, u64>,
    /// Domains by HTTP status: pending, ok, error, timeout.
    pub http: BTreeMap<String, u64>,
    /// Domains by reason of a failed HTTP check.
    pub http_reasons: BTreeMap<String, u64>,
    /// Domains by lead status: pending, match, `no_match`, error, timeout.
    pub lead: BTreeMap<String, u64>,
    /// Domains by the one reason of the lead decision, `pending` before it.
    pub reasons: BTreeMap<String, u64>,
    /// Domains whose page has a keyword.
    pub keyword_hits: u64,
    /// Domains that were scored.
    pub scored: u64,
    /// Domains that have a keyword and were scored.
    pub analyzed: u64,
    /// Analyzed domains with a score of at least 0.80.
    pub high_potential: u64,
    /// Analyzed domains with a warning.
    pub warned: u64,
}

impl Counts {
    /// Returns how many domains have the DNS status.
    #[must_use]
    pub fn dns(&self, status: &str) -> u64 {
        self.dns.get(status).copied().unwrap_or(0)
    }

    /// Returns how many domains have the HTTP status.
    #[must_use]
    pub fn http(&self, status: &str) -> u64 {
        self.http.get(status).copied().unwrap_or(0)
    }

    /// Returns how many domains have the lead status.
    #[must_use]
    pub fn lead(&self, status: &str) -> u64 {
        self.lead.get(status).copied().unwrap_or(0)
    }

    /// Returns how many domains have the decision's reason.
    #[must_use]
    pub fn reason(&self, reason: &str) -> u64 {
        self.reasons.get(reason).copied().unwrap_or(0)
    }

    fn add(&mut self, row: &Row, n: u64) {
        let count = |map: &mut BTreeMap<String, u64>, key: &str| {
            if !key.is_empty() {
                *map.entry(key.to_owned()).or_default() += n;
            }
        };
        self.generated += n;
        count(&mut self.dns, &row.dns_status);
        count(&mut self.dns_reasons, &row.dns_reason);
        count(&mut self.http, &row.http_status);
        count(&mut self.http_reasons, &row.http_reason);
        count(&mut self.lead, &row.lead_status);
        count(&mut self.reasons, &row.rejection_reason);
        let when = |condition: bool| if condition { n } else { 0 };
        self.keyword_hits += when(row.keyword_hit);
        self.scored += when(row.scored);
        self.analyzed += when(row.keyword_hit && row.scored);
        self.high_potential += when(row.keyword_hit && row.high_potential);
        self.warned += when(row.keyword_hit && row.scored && row.warned);
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    dns_status: String,
    dns_reason: String,
    http_status: String,
    http_reason: String,
    lead_status: String,
    rejection_reason: String,
    keyword_hit: bool,
    scored: bool,
    high_potential: bool,
    warned: bool,
    n: i64,
}

const SELECT: &str = "SELECT dns_status, dns_reason, http_status, http_reason, lead_status, rejection_reason, \
    keyword_hit, scored, high_potential, warned, n FROM read.domain_totals WHERE campaign_id = $1";

/// Reads a campaign's counters.
///
/// # Errors
/// When the database does not answer.
pub async fn counts_of(
    executor: impl PgExecutor<'_>,
    campaign_id: CampaignId,
) -> Result<Counts, sqlx::Error> {
    counts_in(executor, Tables::Live, campaign_id).await
}

/// Reads a campaign's counters from some tables.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn counts_in(
    executor: impl PgExecutor<'_>,
    tables: Tables,
    campaign_id: CampaignId,
) -> Result<Counts, sqlx::Error> {
    let rows: Vec<Row> = sqlx::query_as(&tables.of(SELECT))
        .bind(campaign_id.0)
        .fetch_all(executor)
        .await?;
    let mut counts = Counts::default();
    for row in &rows {
        counts.add(row, u64::try_from(row.n).unwrap_or(0));
    }
    Ok(counts)
}

#[derive(sqlx::FromRow)]
struct RowOfMany {
    campaign_id: Uuid,
    #[sqlx(flatten)]
    row: Row,
}

const SELECT_MANY: &str = "SELECT campaign_id, dns_status, dns_reason, http_status, http_reason, lead_status, \
    rejection_reason, keyword_hit, scored, high_potential, warned, n FROM read.domain_totals \
    WHERE campaign_id = ANY($1)";

/// Reads the counters of several campaigns; one that has no domain has no entry.
///
/// # Errors
/// When the database does not answer.
pub async fn counts_of_many(
    executor: impl PgExecutor<'_>,
    campaigns: &[CampaignId],
) -> Result<HashMap<CampaignId, Counts>, sqlx::Error> {
    let ids: Vec<Uuid> = campaigns.iter().map(|id| id.0).collect();
    let rows: Vec<RowOfMany> = sqlx::query_as(SELECT_MANY)
        .bind(ids)
        .fetch_all(executor)
        .await?;
    let mut all: HashMap<CampaignId, Counts> = HashMap::new();
    for of_one in &rows {
        let counts = all.entry(CampaignId(of_one.campaign_id)).or_default();
        counts.add(&of_one.row, u64::try_from(of_one.row.n).unwrap_or(0));
    }
    Ok(all)
}

/// How many rows of a campaign's stretch an update wrote.
#[derive(sqlx::FromRow)]
pub(super) struct Updated {
    campaign_id: Uuid,
    stretch: i64,
    /// Rows.
    pub(super) rows: i64,
}

/// Combinations that no domain of these stretches has any more; other counters are not looked at.
const DELETE_EMPTY: &str = "DELETE FROM domain_counts c USING unnest($1::uuid[], $2::bigint[]) AS t(campaign_id, stretch) \
    WHERE c.campaign_id = t.campaign_id AND c.stretch = t.stretch AND c.n = 0";
const DELETE_EMPTY_TOTALS: &str = "DELETE FROM domain_totals WHERE campaign_id = ANY($1) AND n = 0";

/// Deletes the counters that these updates have brought to nothing.
pub(super) async fn delete_empty(
    connection: &mut PgConnection,
    updates: &[Updated],
) -> Result<(), ApplyError> {
    let touched: BTreeSet<(Uuid, i64)> = updates
        .iter()
        .map(|updated| (updated.campaign_id, updated.stretch))
        .collect();
    let (mut campaigns, stretches): (Vec<Uuid>, Vec<i64>) = touched.into_iter().unzip();
    sqlx::query(DELETE_EMPTY)
        .bind(&campaigns)
        .bind(stretches)
        .execute(&mut *connection)
        .await?;
    campaigns.dedup();
    sqlx::query(DELETE_EMPTY_TOTALS)
        .bind(campaigns)
        .execute(connection)
        .await?;
    Ok(())
}

/// Each stretch by number and members, then each campaign as a whole.
const RECOUNT: &str = concat!(
    "WITH recounted AS MATERIALIZED (SELECT ",
    categories!(""),
    ", ",
    stretch_of!(""),
    " AS stretch, count(*) AS n, ",
    members_of!("bit_or"),
    " AS members FROM read.domains GROUP BY ",
    categories!(""),
    ", stretch) ",
    "SELECT coalesce(counted.campaign_id, recounted.campaign_id), coalesce(counted.n, 0), coalesce(recounted.n, 0) \
     FROM read.domain_counts counted FULL JOIN recounted USING (",
    categories!(""),
    ", stretch) WHERE counted.n IS DISTINCT FROM recounted.n \
        OR counted.members IS DISTINCT FROM recounted.members ",
    "UNION ALL SELECT coalesce(counted.campaign_id, recounted.campaign_id), coalesce(counted.n, 0), \
     coalesce(recounted.n, 0) FROM read.domain_totals counted FULL JOIN (SELECT ",
    categories!(""),
    ", sum(n)::bigint AS n FROM recounted GROUP BY ",
    categories!(""),
    ") recounted USING (",
    categories!(""),
    ") WHERE counted.n IS DISTINCT FROM recounted.n"
);

/// Recounts every domain, stretch by stretch and in all, and answers where a counter differs: campaign, counted, recounted.
/// The two numbers are the same where it counts other domains than it should.
///
/// # Errors
/// When the database does not answer.
pub async fn recount(
    connection: &mut PgConnection,
) -> Result<Vec<(CampaignId, i64, i64)>, sqlx::Error> {
    let rows: Vec<(uuid::Uuid, i64, i64)> = sqlx::query_as(RECOUNT).fetch_all(connection).await?;
    Ok(rows
        .into_iter()
        .map(|(campaign, counted, found)| (CampaignId(campaign), counted, found))
        .collect())
}
