//! Results of one page, sorted by kind and written kind by kind.

use std::collections::BTreeSet;

use aggregates::{domain::Event, ids::CampaignId};
use chrono::{DateTime, Utc};
use event_store::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use super::sql::counted_update;
use crate::{domains::PageEvidence, runtime::ApplyError};

/// From this score on (0 to 1) a domain counts as of high potential.
const HIGH_POTENTIAL: f64 = 0.80;

#[derive(Default)]
pub(super) struct Batch {
    dns: Dns,
    http: Http,
    scored: Scores,
    leads: Leads,
}

/// The columns that every result has.
#[derive(Default)]
struct Keys {
    campaigns: Vec<Uuid>,
    names: Vec<String>,
    versions: Vec<i64>,
    runs: Vec<Uuid>,
}

#[derive(Default)]
struct Dns {
    keys: Keys,
    statuses: Vec<&'static str>,
    reasons: Vec<&'static str>,
    addresses: Vec<Option<String>>,
}

#[derive(Default)]
struct Http {
    keys: Keys,
    statuses: Vec<&'static str>,
    reasons: Vec<&'static str>,
    fetched: Vec<DateTime<Utc>>,
    evidence: Vec<Option<serde_json::Value>>,
    keywords: Vec<Option<serde_json::Value>>,
    unique: Vec<Option<i32>>,
    parked: Vec<Option<f32>>,
    contacts: Vec<bool>,
}

#[derive(Default)]
struct Scores {
    keys: Keys,
    scores: Vec<f64>,
    breakdowns: Vec<serde_json::Value>,
    richness: Vec<f64>,
    features: Vec<serde_json::Value>,
    high: Vec<bool>,
    warned: Vec<bool>,
}

#[derive(Default)]
struct Leads {
    keys: Keys,
    statuses: Vec<&'static str>,
    reasons: Vec<&'static str>,
}

impl Keys {
    fn push(&mut self, campaign_id: CampaignId, name: &str, event: &Recorded, run: Uuid) {
        self.campaigns.push(campaign_id.0);
        self.names.push(name.to_owned());
        self.versions
            .push(i64::try_from(event.sequence).unwrap_or(i64::MAX));
        self.runs.push(run);
    }
}

impl Batch {
    pub(super) fn push(
        &mut self,
        campaign_id: CampaignId,
        name: &str,
        event: &Recorded,
        result: Event,
    ) -> Result<(), ApplyError> {
        let run = result.run_id().0;
        match result {
            Event::DnsChecked(checked) => {
                let dns = &mut self.dns;
                dns.keys.push(campaign_id, name, event, run);
                dns.statuses.push(checked.outcome.name());
                dns.reasons
                    .push(checked.reason.map_or("", |reason| reason.name()));
                let addresses: Vec<String> =
                    checked.addresses.iter().map(ToString::to_string).collect();
                dns.addresses
                    .push((!addresses.is_empty()).then(|| addresses.join(" ")));
            }
            Event::HttpChecked(checked) => {
                let http = &mut self.http;
                http.keys.push(campaign_id, name, event, run);
                http.statuses.push(checked.outcome.name());
                http.reasons
                    .push(checked.reason.map_or("", |reason| reason.name()));
                http.fetched.push(event.recorded_at);
                let page = checked.page.as_ref();
                http.evidence.push(match page {
                    Some(page) => Some(
                        serde_json::to_value(PageEvidence::of(page, checked.redirects.len()))
                            .map_err(|error| ApplyError::poison(event, error))?,
                    ),
                    None => None,
                });
                let found = page.and_then(|page| page.keywords.as_deref());
                http.unique
                    .push(found.map(|found| i32::try_from(found.len()).unwrap_or(i32::MAX)));
                http.keywords.push(found.map(|found| {
                    let patterns: Vec<&str> = found.iter().map(|k| k.pattern.as_str()).collect();
                    patterns.into()
                }));
                http.parked.push(page.map(|page| page.parked_confidence));
                http.contacts
                    .push(page.is_some_and(|page| !page.contacts.is_empty()));
            }
            Event::Scored(scored) => {
                let scores = &mut self.scored;
                scores.keys.push(campaign_id, name, event, run);
                scores.scores.push(scored.score.score);
                scores.high.push(scored.score.score >= HIGH_POTENTIAL);
                scores.warned.push(scored.richness.has_warnings());
                scores.richness.push(scored.richness.score);
                let json = |value| {
                    serde_json::to_value(value).map_err(|error| ApplyError::poison(event, error))
                };
                scores.breakdowns.push(
                    serde_json::to_value(&scored.score)
                        .map_err(|error| ApplyError::poison(event, error))?,
                );
                scores.features.push(json(&scored.richness)?);
            }
            Event::LeadDecided(decided) => {
                let leads = &mut self.leads;
                leads.keys.push(campaign_id, name, event, run);
                leads.statuses.push(decided.status.name());
                leads.reasons.push(decided.reason.name());
            }
        }
        Ok(())
    }

    /// Writes what was pushed; every row must be there, an update that misses one is an event out of order.
    pub(super) async fn flush(&mut self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let Self {
            dns,
            http,
            scored,
            leads,
        } = std::mem::take(self);
        let kinds = [&dns.keys, &http.keys, &scored.keys, &leads.keys];
        let touched: BTreeSet<Uuid> = kinds
            .iter()
            .flat_map(|keys| keys.campaigns.iter().copied())
            .collect();
        if touched.is_empty() {
            return Ok(());
        }
        dns.write(connection).await?;
        http.write(connection).await?;
        scored.write(connection).await?;
        leads.write(connection).await?;
        sqlx::query(DELETE_EMPTY_COUNTS)
            .bind(Vec::from_iter(touched))
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// Combinations that no domain of the batch's campaigns has any more; other campaigns' counters are not looked at.
const DELETE_EMPTY_COUNTS: &str = "DELETE FROM domain_counts WHERE campaign_id = ANY($1) AND n = 0";

fn all_written(expected: usize, written: i64) -> Result<(), ApplyError> {
    if usize::try_from(written).is_ok_and(|written| written == expected) {
        Ok(())
    } else {
        Err(ApplyError::Rows {
            expected,
            found: written,
        })
    }
}

const WRITE_DNS: &str = counted_update!(
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[]) \
     AS t(campaign_id, name, version, run, status, reason, addresses)",
    "version = i.version, dns_run = i.run, dns_status = i.status, dns_reason = i.reason, addresses = i.addresses"
);

impl Dns {
    async fn write(self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let expected = self.keys.names.len();
        if expected == 0 {
            return Ok(());
        }
        let written: i64 = sqlx::query_scalar(WRITE_DNS)
            .bind(self.keys.campaigns)
            .bind(self.keys.names)
            .bind(self.keys.versions)
            .bind(self.keys.runs)
            .bind(self.statuses)
            .bind(self.reasons)
            .bind(self.addresses)
            .fetch_one(connection)
            .await?;
        all_written(expected, written)
    }
}

const WRITE_HTTP: &str = counted_update!(
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], \
     $7::timestamptz[], $8::jsonb[], $9::jsonb[], $10::int[], $11::real[], $12::bool[]) \
     AS t(campaign_id, name, version, run, status, reason, fetched, evidence, keywords, uniq, parked, contact)",
    "version = i.version, http_run = i.run, http_status = i.status, http_reason = i.reason, \
     fetched_at = i.fetched, evidence = i.evidence, keywords = CASE WHEN i.keywords IS NOT NULL THEN \
     ARRAY(SELECT jsonb_array_elements_text(i.keywords)) END, keywords_unique = i.uniq, \
     keyword_hit = coalesce(i.uniq, 0) > 0, parked_confidence = i.parked, has_contact = i.contact"
);

impl Http {
    async fn write(self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let expected = self.keys.names.len();
        if expected == 0 {
            return Ok(());
        }
        let written: i64 = sqlx::query_scalar(WRITE_HTTP)
            .bind(self.keys.campaigns)
            .bind(self.keys.names)
            .bind(self.keys.versions)
            .bind(self.keys.runs)
            .bind(self.statuses)
            .bind(self.reasons)
            .bind(self.fetched)
            .bind(self.evidence)
            .bind(self.keywords)
            .bind(self.unique)
            .bind(self.parked)
            .bind(self.contacts)
            .fetch_one(connection)
            .await?;
        all_written(expected, written)
    }
}

const WRITE_SCORES: &str = counted_update!(
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::float8[], $6::jsonb[], \
     $7::float8[], $8::jsonb[], $9::bool[], $10::bool[]) \
     AS t(campaign_id, name, version, run, score, breakdown, richness, features, high, warned)",
    "version = i.version, score_run = i.run, score = i.score, score_breakdown = i.breakdown, \
     richness_score = i.richness, features = i.features, high_potential = i.high, warned = i.warned, scored = true"
);

impl Scores {
    async fn write(self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let expected = self.keys.names.len();
        if expected == 0 {
            return Ok(());
        }
        let written: i64 = sqlx::query_scalar(WRITE_SCORES)
            .bind(self.keys.campaigns)
            .bind(self.keys.names)
            .bind(self.keys.versions)
            .bind(self.keys.runs)
            .bind(self.scores)
            .bind(self.breakdowns)
            .bind(self.richness)
            .bind(self.features)
            .bind(self.high)
            .bind(self.warned)
            .fetch_one(connection)
            .await?;
        all_written(expected, written)
    }
}

const WRITE_LEADS: &str = counted_update!(
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[]) \
     AS t(campaign_id, name, version, run, status, reason)",
    "version = i.version, lead_run = i.run, lead_status = i.status, rejection_reason = i.reason"
);

impl Leads {
    async fn write(self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let expected = self.keys.names.len();
        if expected == 0 {
            return Ok(());
        }
        let written: i64 = sqlx::query_scalar(WRITE_LEADS)
            .bind(self.keys.campaigns)
            .bind(self.keys.names)
            .bind(self.keys.versions)
            .bind(self.keys.runs)
            .bind(self.statuses)
            .bind(self.reasons)
            .fetch_one(connection)
            .await?;
        all_written(expected, written)
    }
}
