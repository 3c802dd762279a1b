//! What a campaign's numbers suggest to do.

use projections::domains::{self, counts_and_momentum_of, recommend};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access;
use crate::http::{Answer, Caller, Error, Path, State};

/// What a campaign's numbers suggest to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct CampaignRecommendationsResponse {
    /// Every rule that applies; `R_ALL_CLEAR` where none does.
    recommendations: Vec<CampaignRecommendation>,
}

/// One suggestion.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignRecommendation {
    /// The same for the same rule of the same campaign.
    id: String,
    /// What was found and what to do.
    message: String,
    /// Which rule applied.
    rationale_code: RationaleCode,
    /// How much it matters.
    severity: RecommendationSeverity,
}

/// Which rule applied.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[allow(clippy::enum_variant_names, reason = "the wire's words begin alike")]
pub(super) enum RationaleCode {
    #[serde(rename = "R_DNS_LOW")]
    DnsLow,
    #[serde(rename = "R_HTTP_LOW")]
    HttpLow,
    #[serde(rename = "R_FEW_HIGH_POTENTIAL")]
    FewHighPotential,
    #[serde(rename = "R_WARNING_RATE_HIGH")]
    WarningRateHigh,
    #[serde(rename = "R_NO_LEADS")]
    NoLeads,
    #[serde(rename = "R_MOMENTUM_LOSS")]
    MomentumLoss,
    #[serde(rename = "R_MOMENTUM_SURGE")]
    MomentumSurge,
    #[serde(rename = "R_ALL_CLEAR")]
    AllClear,
}

/// How much a suggestion matters.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RecommendationSeverity {
    /// Good to know.
    Info,
    /// Look at it.
    Warn,
    /// Do something.
    Action,
}

impl From<domains::Code> for RationaleCode {
    fn from(code: domains::Code) -> Self {
        match code {
            domains::Code::DnsLow => Self::DnsLow,
            domains::Code::HttpLow => Self::HttpLow,
            domains::Code::FewHighPotential => Self::FewHighPotential,
            domains::Code::WarningRateHigh => Self::WarningRateHigh,
            domains::Code::NoLeads => Self::NoLeads,
            domains::Code::MomentumLoss => Self::MomentumLoss,
            domains::Code::MomentumSurge => Self::MomentumSurge,
            domains::Code::AllClear => Self::AllClear,
        }
    }
}

impl From<domains::Severity> for RecommendationSeverity {
    fn from(severity: domains::Severity) -> Self {
        match severity {
            domains::Severity::Info => Self::Info,
            domains::Severity::Warn => Self::Warn,
            domains::Severity::Action => Self::Action,
        }
    }
}

impl CampaignRecommendation {
    fn of(campaign_id: Uuid, found: domains::Recommendation) -> Self {
        let id = Uuid::new_v5(&campaign_id, format!("{:?}", found.code).as_bytes());
        Self {
            id: id.to_string(),
            message: found.message,
            rationale_code: found.code.into(),
            severity: found.severity.into(),
        }
    }
}

/// Answers what a campaign's numbers suggest to do.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/insights/recommendations", tag = "campaigns",
    params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = CampaignRecommendationsResponse), (status = 404))
)]
pub(super) async fn recommendations(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<CampaignRecommendationsResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    let pool = state.app.database.pool();
    let (counts, momentum) = counts_and_momentum_of(pool, campaign_id).await?;
    let found = recommend(&counts, &momentum);
    Ok(Answer::ok(CampaignRecommendationsResponse {
        recommendations: found
            .into_iter()
            .map(|found| CampaignRecommendation::of(id, found))
            .collect(),
    }))
}
