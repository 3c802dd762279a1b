//! A domain in a list.

use std::collections::BTreeMap;

use aggregates::{ids::CampaignId, scoring::Richness};
use chrono::{DateTime, Utc};
use projections::domains::{Listed, PageEvidence};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::on_the_wire;
use crate::http::vocabulary;

/// How many keywords are named as the most frequent.
const TOP: usize = 3;

/// A domain of a campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainListItem {
    /// An id made of campaign and name.
    pub id: Uuid,
    /// Its name.
    pub domain: String,
    /// The offset of the pattern that it was generated from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// When it was generated or imported.
    pub created_at: DateTime<Utc>,
    /// `pending`, `ok`, `error` or `timeout`.
    #[schema(value_type = vocabulary::CheckStatus)]
    pub dns_status: String,
    /// `pending`, `ok`, `error` or `timeout`.
    #[schema(value_type = vocabulary::CheckStatus)]
    pub http_status: String,
    /// `pending`, `match`, `no_match`, `error` or `timeout`.
    pub lead_status: String,
    /// The one reason of the lead decision.
    #[schema(value_type = vocabulary::DomainRejectionReasonEnum)]
    pub rejection_reason: String,
    /// Why DNS failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_reason: Option<String>,
    /// Why HTTP failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_reason: Option<String>,
    /// The score, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_score: Option<f64>,
    /// The score that the lead decision rests on, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_score: Option<f64>,
    /// What the page showed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<DomainAnalysisFeatures>,
}

/// What the page of a domain showed.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct DomainAnalysisFeatures {
    /// The keywords that were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keywords: Option<KeywordFeatures>,
    /// The richness and its parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub richness: Option<RichnessFeatures>,
    /// What further pages of the site added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub microcrawl: Option<MicrocrawlFeatures>,
}

/// The keywords that were found on a page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KeywordFeatures {
    /// Different keywords.
    pub unique_count: usize,
    /// All finds.
    pub hits_total: u64,
    /// The weights of the different keywords together.
    pub weight_sum: f64,
    /// The keywords found most often.
    pub top3: Vec<String>,
    /// The share of finds by place, 0 to 1.
    pub signal_distribution: BTreeMap<&'static str, f64>,
}

/// The richness of a page, every value 0 to 1.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RichnessFeatures {
    /// The richness.
    pub score: f64,
    /// The version of the formula.
    pub version: u32,
    /// Finds by the worth of their place.
    pub prominence_norm: f64,
    /// Keywords found twice or in two places, a number.
    #[schema(value_type = f64)]
    pub diversity_effective_unique: u64,
    /// What that is worth.
    pub diversity_norm: f64,
    /// The gain of further pages.
    pub enrichment_norm: f64,
    /// What the gain added.
    pub applied_bonus: f64,
    /// All deductions together.
    pub applied_deductions_total: f64,
    /// The deduction for stuffing.
    pub stuffing_penalty: f64,
    /// The largest share of one keyword.
    pub repetition_index: f64,
    /// The share of finds in link texts.
    pub anchor_share: f64,
}

/// What further pages of a site added.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct MicrocrawlFeatures {
    /// The share of keywords that only they have, 0 to 1.
    pub gain_ratio: f64,
}

fn unless_empty(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl DomainListItem {
    /// Makes the view of a domain.
    #[must_use]
    pub fn of(campaign_id: CampaignId, row: &Listed) -> Self {
        let decided = row.rejection_reason != "pending";
        Self {
            id: Uuid::new_v5(&campaign_id.0, row.name.as_bytes()),
            domain: row.name.clone(),
            offset: row.pattern_offset,
            created_at: row.created_at,
            dns_status: row.dns_status.clone(),
            http_status: row.http_status.clone(),
            lead_status: row.lead_status.clone(),
            rejection_reason: row.rejection_reason.clone(),
            dns_reason: unless_empty(&row.dns_reason),
            http_reason: unless_empty(&row.http_reason),
            domain_score: row.score.map(on_the_wire),
            lead_score: row.score.filter(|_| decided).map(on_the_wire),
            features: DomainAnalysisFeatures::of(row),
        }
    }
}

impl DomainAnalysisFeatures {
    fn of(row: &Listed) -> Option<Self> {
        let evidence: Option<PageEvidence> = row
            .evidence
            .clone()
            .and_then(|json| serde_json::from_value(json).ok());
        let richness: Option<Richness> = row
            .features
            .clone()
            .and_then(|json| serde_json::from_value(json).ok());
        let features = Self {
            keywords: evidence.as_ref().and_then(KeywordFeatures::of),
            microcrawl: richness.as_ref().map(|richness| MicrocrawlFeatures {
                gain_ratio: richness.gain,
            }),
            richness: richness.as_ref().map(RichnessFeatures::from),
        };
        (features.keywords.is_some() || features.richness.is_some()).then_some(features)
    }
}

impl KeywordFeatures {
    fn of(evidence: &PageEvidence) -> Option<Self> {
        let found = evidence.keywords.as_deref()?;
        let mut places: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut hits: Vec<(u64, &str)> = Vec::with_capacity(found.len());
        for keyword in found {
            let p = &keyword.places;
            let by_place = [
                ("title", p.title),
                ("h1", p.h1),
                ("meta", p.meta),
                ("anchor", p.anchor),
                ("body", p.body),
                ("microcrawl", p.microcrawl),
            ];
            let mut sum = 0;
            for (place, count) in by_place {
                *places.entry(place).or_default() += u64::from(count);
                sum += u64::from(count);
            }
            hits.push((sum, &keyword.pattern));
        }
        let hits_total: u64 = hits.iter().map(|(sum, _)| sum).sum();
        hits.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
        let share = |part: u64| {
            if hits_total == 0 {
                0.0
            } else {
                part as f64 / hits_total as f64
            }
        };
        Some(Self {
            unique_count: found.len(),
            hits_total,
            weight_sum: found.iter().map(|keyword| keyword.weight).sum(),
            top3: hits
                .iter()
                .take(TOP)
                .map(|(_, pattern)| (*pattern).to_owned())
                .collect(),
            signal_distribution: places
                .into_iter()
                .map(|(place, part)| (place, share(part)))
                .collect(),
        })
    }
}

impl From<&Richness> for RichnessFeatures {
    fn from(richness: &Richness) -> Self {
        Self {
            score: richness.score,
            version: richness.version,
            prominence_norm: richness.prominence,
            diversity_effective_unique: richness.effective_unique,
            diversity_norm: richness.diversity,
            enrichment_norm: richness.gain,
            applied_bonus: richness.bonus,
            applied_deductions_total: richness.deductions,
            stuffing_penalty: richness.stuffing_penalty,
            repetition_index: richness.repetition,
            anchor_share: richness.anchor_share,
        }
    }
}
