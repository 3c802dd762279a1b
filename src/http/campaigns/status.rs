//! Where the phases of a campaign stand.

use std::collections::BTreeMap;

use aggregates::campaign::Phase;
use chrono::{DateTime, Utc};
use projections::campaigns::{Overall, Overview, Progress};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    access,
    as_of::{self, AsOfQuery},
    views::{PhaseStatusResponse, execution_status},
};
use crate::http::{Answer, Caller, Error, Path, Query, State, vocabulary};

/// Where the phases of a campaign stand, all from one moment.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignPhasesStatusResponse {
    /// The campaign.
    campaign_id: Uuid,
    /// The mean of the phases, 0 to 100.
    overall_progress_percentage: f64,
    /// The phase that can be paused, resumed or stopped now; absent where none is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<vocabulary::ControlPhase>)]
    control_phase: Option<&'static str>,
    /// The sequence of the campaign's last event that this answer knows of.
    last_sequence: i64,
    /// Why the last run that failed did, or why the next phase cannot start by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// The phases in the order of execution.
    phases: Vec<PhaseSummary>,
}

/// Where one phase stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhaseSummary {
    /// `generation`, `dns`, `http`, `analysis` or `leads`.
    #[schema(value_type = vocabulary::ControlPhase)]
    phase: &'static str,
    /// `not_started`, `configured`, `in_progress`, `paused`, `completed` or `failed`.
    #[schema(value_type = vocabulary::ExecutionStatusEnum)]
    status: &'static str,
    /// 0 to 100.
    progress_percentage: f64,
    /// When the last run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<DateTime<Utc>>,
    /// When it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<DateTime<Utc>>,
    /// When it failed or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_at: Option<DateTime<Utc>>,
    /// Why; of a phase that waits, why it cannot start by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
    /// The same for machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_details: Option<BTreeMap<&'static str, String>>,
}

const fn control_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Discovery => "generation",
        Phase::Validation => "dns",
        Phase::Extraction => "http",
        Phase::Analysis => "analysis",
        Phase::Enrichment => "leads",
    }
}

impl From<&Overview> for CampaignPhasesStatusResponse {
    fn from(overview: &Overview) -> Self {
        let campaign = &overview.campaign;
        Self {
            campaign_id: campaign.campaign_id.0,
            overall_progress_percentage: Overall::of(campaign, &overview.counts).percent,
            control_phase: campaign.aggregate().active_phase().map(control_name),
            last_sequence: campaign.version,
            error_message: campaign.error().map(str::to_owned),
            phases: campaign
                .phases
                .iter()
                .map(|row| PhaseSummary {
                    phase: control_name(row.phase),
                    status: execution_status(row.state),
                    progress_percentage: Progress::of(campaign, row.phase, &overview.counts)
                        .percent,
                    started_at: row.started_at,
                    completed_at: row.completed_at,
                    failed_at: row.failed_at,
                    error_message: row.error.clone(),
                    error_details: row
                        .error
                        .clone()
                        .map(|message| BTreeMap::from([("message", message)])),
                })
                .collect(),
        }
    }
}

/// Answers where all phases of a campaign stand, or stood.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/status", tag = "campaigns", params(("campaignId" = Uuid, Path), AsOfQuery),
    responses((status = 200, body = CampaignPhasesStatusResponse), (status = 404),
        (status = 422, description = "it was too large to be computed as it was"))
)]
pub(super) async fn status(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(asked): Query<AsOfQuery>,
) -> Result<Answer<CampaignPhasesStatusResponse>, Error> {
    let overview = as_of::overview(&state, &caller, id, asked.as_of.as_deref()).await?;
    Ok(Answer::ok((&overview).into()).row_version(overview.campaign.version))
}

/// Answers where one phase stands.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/phases/{phase}/status", tag = "campaigns",
    params(("campaignId" = Uuid, Path), ("phase" = inline(vocabulary::PhaseInPath), Path)),
    responses((status = 200, body = PhaseStatusResponse), (status = 404))
)]
pub(super) async fn phase_status(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((id, phase)): Path<(Uuid, String)>,
) -> Result<Answer<PhaseStatusResponse>, Error> {
    let overview = access::overview(&state, &caller, id).await?;
    let body = PhaseStatusResponse::of(&overview, access::phase(&phase)?);
    Ok(Answer::ok(body).row_version(overview.campaign.version))
}
