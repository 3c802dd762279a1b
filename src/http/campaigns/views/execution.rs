//! Phases as executions, the view of older clients: one for each phase, begun or not.

use std::collections::BTreeMap;

use aggregates::campaign::{Phase, PhaseState};
use chrono::{DateTime, Utc};
use projections::campaigns::{Overview, Progress};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CampaignResponse, CampaignState, wire_config};
use crate::http::vocabulary;

/// The last run of a phase, or the phase before its first one.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseExecution {
    /// The run's id; before the first run an id made of campaign and phase.
    pub id: Uuid,
    /// The campaign.
    pub campaign_id: Uuid,
    /// Which phase.
    #[schema(value_type = vocabulary::CampaignPhaseEnum)]
    pub phase_type: &'static str,
    /// `not_started`, `configured`, `in_progress`, `paused`, `completed` or `failed`.
    #[schema(value_type = vocabulary::ExecutionStatusEnum)]
    pub status: &'static str,
    /// When the run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
    /// Since when it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_at: Option<DateTime<Utc>>,
    /// When it failed or was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<DateTime<Utc>>,
    /// 0 to 100.
    pub progress_percentage: f64,
    /// Items that it works on.
    pub total_items: u64,
    /// Items that it is done with.
    pub processed_items: u64,
    /// Items that came out well.
    pub successful_items: u64,
    /// Items that did not.
    pub failed_items: u64,
    /// The settings of the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub configuration: Option<Value>,
    /// Why the run ended early, or why the next one cannot start by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_details: Option<BTreeMap<&'static str, String>>,
    /// What came of the run's items, once it completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<BTreeMap<String, u64>>,
    /// When the phase was first configured or started.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Spells a phase's state as executions do.
#[must_use]
pub const fn execution_status(state: PhaseState) -> &'static str {
    match state {
        PhaseState::Running => "in_progress",
        other => other.name(),
    }
}

impl PhaseExecution {
    /// Makes the view of one phase.
    #[must_use]
    pub fn of(overview: &Overview, phase: Phase) -> Self {
        let campaign = &overview.campaign;
        let row = campaign.phase(phase);
        let progress = Progress::of(campaign, phase, &overview.counts);
        let before_any_run = || Uuid::new_v5(&campaign.campaign_id.0, phase.name().as_bytes());
        Self {
            id: row.run_id.map_or_else(before_any_run, |run| run.0),
            campaign_id: campaign.campaign_id.0,
            phase_type: phase.name(),
            status: execution_status(row.state),
            started_at: row.started_at,
            completed_at: row.completed_at,
            paused_at: row.paused_at,
            failed_at: row.failed_at,
            progress_percentage: progress.percent,
            total_items: progress.total,
            processed_items: progress.processed,
            successful_items: progress.successful,
            failed_items: progress.failed,
            configuration: row.config.as_ref().and_then(wire_config),
            error_details: row
                .error
                .map(|message| BTreeMap::from([("message", message)])),
            metrics: row.tallies,
            created_at: row.created_at.unwrap_or(campaign.created_at),
            updated_at: row.updated_at.unwrap_or(campaign.created_at),
        }
    }

    /// Makes the views of all phases that the campaign has, in the order of execution.
    #[must_use]
    pub fn all(overview: &Overview) -> Vec<Self> {
        let phases = overview.campaign.phases.iter();
        phases.map(|row| Self::of(overview, row.phase)).collect()
    }
}

/// A campaign's state with the executions of its phases.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignStateWithExecutions {
    /// The state.
    pub campaign_state: CampaignState,
    /// The executions, in the order of the phases.
    pub phase_executions: Vec<PhaseExecution>,
}

impl From<&Overview> for CampaignStateWithExecutions {
    fn from(overview: &Overview) -> Self {
        Self {
            campaign_state: CampaignState::from(&overview.campaign),
            phase_executions: PhaseExecution::all(overview),
        }
    }
}

/// A campaign with its state and its executions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrichedCampaignResponse {
    /// The campaign.
    pub campaign: CampaignResponse,
    /// Its state.
    pub state: CampaignState,
    /// The executions of its phases.
    pub phase_executions: Vec<PhaseExecution>,
}

impl From<&Overview> for EnrichedCampaignResponse {
    fn from(overview: &Overview) -> Self {
        Self {
            campaign: CampaignResponse::of(&overview.campaign, &overview.counts),
            state: CampaignState::from(&overview.campaign),
            phase_executions: PhaseExecution::all(overview),
        }
    }
}
