//! A score taken apart.

use std::collections::BTreeMap;

use aggregates::{
    ids::CampaignId,
    scoring::{Breakdown, Completeness, Component, PARKED_PENALTY, State, Unavailable},
};
use projections::domains::Listed;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::on_the_wire;
use crate::http::vocabulary;

/// A score with its components, their weights and what they rest on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DomainScoreBreakdownResponse {
    /// The campaign.
    pub campaign_id: Uuid,
    /// The domain.
    pub domain: String,
    /// `complete`, `partial` or `degraded`.
    #[schema(value_type = vocabulary::ScoreState)]
    pub state: &'static str,
    /// Why there is no score.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<vocabulary::NoScore>)]
    pub reason: Option<&'static str>,
    /// The score, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall_score: Option<f64>,
    /// The components, each 0 to 1.
    pub components: ScoreComponents,
    /// What they rest on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<ScoreEvidence>,
    /// The weights that were used, by component.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<BTreeMap<&'static str, f64>>,
}

/// The components of a score.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreComponents {
    /// Keyword finds per KB.
    pub density: ScoreComponent,
    /// Different keywords.
    pub coverage: ScoreComponent,
    /// Not a parking page.
    pub non_parked: ScoreComponent,
    /// Length of the page.
    pub content_length: ScoreComponent,
    /// A keyword in the title.
    pub title_keyword: ScoreComponent,
    /// Age of the fetch.
    pub freshness: ScoreComponent,
    /// Density and diversity together.
    pub tf_lite: ScoreComponent,
}

/// One component of a score.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct ScoreComponent {
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// `ok` or `unavailable`.
    #[schema(value_type = vocabulary::ComponentState)]
    pub state: &'static str,
    /// Why it is unavailable: `field_missing`, `computation_failed` or `data_pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<vocabulary::ComponentReason>)]
    pub reason: Option<&'static str>,
}

/// What a score rests on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScoreEvidence {
    /// The patterns of the keywords that were found.
    pub keyword_hits: Vec<String>,
    /// Whether the score was reduced because the domain looks parked.
    pub parked_penalty_applied: bool,
    /// What it is multiplied by then.
    pub parked_penalty_factor: f64,
    /// Size of the page, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_length_bytes: Option<u64>,
    /// Age of the fetch when it was scored, whole days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freshness_days_old: Option<u64>,
}

impl ScoreComponent {
    const PENDING: Self = Self {
        value: None,
        state: "unavailable",
        reason: Some("data_pending"),
    };

    fn of(breakdown: &Breakdown, component: Component) -> Self {
        breakdown
            .components
            .get(&component)
            .map_or(Self::PENDING, |found| Self {
                value: found.value,
                state: match found.state {
                    State::Ok => "ok",
                    State::Unavailable => "unavailable",
                },
                reason: found.reason.map(|reason| match reason {
                    Unavailable::FieldMissing => "field_missing",
                    Unavailable::ComputationFailed => "computation_failed",
                    Unavailable::DataPending => "data_pending",
                }),
            })
    }
}

impl ScoreComponents {
    fn of(breakdown: Option<&Breakdown>) -> Self {
        let of = |component| {
            breakdown.map_or(ScoreComponent::PENDING, |found| {
                ScoreComponent::of(found, component)
            })
        };
        Self {
            density: of(Component::KeywordDensity),
            coverage: of(Component::UniqueKeywordCoverage),
            non_parked: of(Component::NonParked),
            content_length: of(Component::ContentLengthQuality),
            title_keyword: of(Component::TitleKeyword),
            freshness: of(Component::Freshness),
            tf_lite: of(Component::TfLite),
        }
    }
}

impl DomainScoreBreakdownResponse {
    /// Makes the view of a domain's score, or of why it has none.
    #[must_use]
    pub fn of(campaign_id: CampaignId, row: &Listed) -> Self {
        let breakdown: Option<Breakdown> = row
            .score_breakdown
            .clone()
            .and_then(|json| serde_json::from_value(json).ok());
        let found = breakdown.as_ref();
        Self {
            campaign_id: campaign_id.0,
            domain: row.name.clone(),
            state: found.map_or("degraded", |found| match found.completeness() {
                Completeness::Complete => "complete",
                Completeness::Partial => "partial",
                Completeness::Degraded => "degraded",
            }),
            reason: found.is_none().then(|| {
                if will_be_scored(row) {
                    "analysis_pending"
                } else {
                    "feature_vector_missing"
                }
            }),
            overall_score: found.map(|found| on_the_wire(found.score)),
            components: ScoreComponents::of(found),
            evidence: found.map(|found| ScoreEvidence::of(found, row)),
            weights: found.map(|found| {
                let weights = found.weights.iter();
                weights
                    .map(|(component, weight)| (component.name(), *weight))
                    .collect()
            }),
        }
    }
}

/// Tells whether a domain without a score may get one: it has a page, or may still get one, and its lead, which is
/// decided after the scores, is not decided. A domain whose check failed never has a page to score.
fn will_be_scored(row: &Listed) -> bool {
    let may_come = |status: &str| matches!(status, "pending" | "ok");
    row.rejection_reason == "pending" && may_come(&row.dns_status) && may_come(&row.http_status)
}

impl ScoreEvidence {
    fn of(breakdown: &Breakdown, row: &Listed) -> Self {
        Self {
            keyword_hits: row.keywords.clone().unwrap_or_default(),
            parked_penalty_applied: breakdown.parked_penalty.is_some(),
            parked_penalty_factor: breakdown.parked_penalty.unwrap_or(PARKED_PENALTY),
            content_length_bytes: breakdown.evidence.bytes,
            freshness_days_old: breakdown.evidence.age_days.map(whole_days),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an age in days is small and not negative; the cast saturates"
)]
fn whole_days(age: f64) -> u64 {
    age.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A domain without a score.
    fn unscored(dns_status: &str, http_status: &str, rejection_reason: &str) -> Listed {
        Listed {
            ordinal: 0,
            name: "shop.test".to_owned(),
            pattern_offset: None,
            created_at: chrono::DateTime::UNIX_EPOCH,
            dns_status: dns_status.to_owned(),
            dns_reason: String::new(),
            addresses: None,
            http_status: http_status.to_owned(),
            http_reason: String::new(),
            fetched_at: None,
            evidence: None,
            keywords: None,
            keywords_unique: None,
            parked_confidence: None,
            has_contact: false,
            score: None,
            score_breakdown: None,
            richness_score: None,
            microcrawl_gain: None,
            features: None,
            lead_status: "pending".to_owned(),
            rejection_reason: rejection_reason.to_owned(),
            version: 1,
        }
    }

    #[test]
    fn a_score_is_awaited_only_where_one_can_still_come() {
        let told = |(dns, http, decided): (&str, &str, &str)| {
            let id = CampaignId(Uuid::nil());
            DomainScoreBreakdownResponse::of(id, &unscored(dns, http, decided)).reason
        };
        let awaited = [
            ("pending", "pending", "pending"),
            ("ok", "pending", "pending"),
            ("ok", "ok", "pending"),
        ];
        for standing in awaited {
            assert_eq!(told(standing), Some("analysis_pending"), "{standing:?}");
        }
        let never = [
            ("error", "pending", "pending"),
            ("timeout", "pending", "pending"),
            ("ok", "error", "pending"),
            ("ok", "timeout", "pending"),
            ("timeout", "pending", "dns_timeout"),
            ("ok", "ok", "no_keywords"),
        ];
        for standing in never {
            assert_eq!(
                told(standing),
                Some("feature_vector_missing"),
                "{standing:?}"
            );
        }
    }
}
