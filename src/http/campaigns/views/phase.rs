//! One phase of a campaign.

use aggregates::campaign::{Action, FailureCause, Phase, PhaseState, Transition, transition};
use chrono::{DateTime, Utc};
use projections::campaigns::{Overview, PhaseRow, Progress};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::wire_config;
use crate::http::vocabulary;

/// Where a phase stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseStatusResponse {
    /// Which phase.
    #[schema(value_type = vocabulary::CampaignPhaseEnum)]
    pub phase: &'static str,
    /// `not_started`, `configured`, `running`, `paused`, `completed` or `failed`.
    #[schema(value_type = vocabulary::PhaseStatus)]
    pub status: &'static str,
    /// The settings of the next run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    pub configuration: Option<Value>,
    /// What can be done with it now.
    pub runtime_controls: PhaseRuntimeControls,
    /// When the last run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When the last run completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<DateTime<Utc>>,
    /// How far it has come.
    pub progress: PhaseProgress,
    /// Why the last run ended early, or why the next one cannot start by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<PhaseError>,
}

/// What can be done with a phase now; exactly what the campaign's rules allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseRuntimeControls {
    /// Its run can be paused.
    pub can_pause: bool,
    /// Its run can be resumed.
    pub can_resume: bool,
    /// Its run can be stopped.
    pub can_stop: bool,
    /// Its last run is over and another one can begin.
    pub can_restart: bool,
}

/// How far a phase has come.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhaseProgress {
    /// Items that it works on.
    pub total_items: u64,
    /// Items that it is done with.
    pub processed_items: u64,
    /// Items that came out well.
    pub successful_items: u64,
    /// Items that did not.
    pub failed_items: u64,
    /// 0 to 100.
    pub percent_complete: f64,
}

/// Why a run ended early, or could not start by itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PhaseError {
    /// In words.
    pub message: String,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// For machines: `stopped` or `error` of a run that ended early, `start_refused` of one that could not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
}

impl PhaseRuntimeControls {
    fn of(overview: &Overview, row: &PhaseRow) -> Self {
        let may = |action| matches!(transition(row.phase, row.state, action), Transition::To(_));
        let over = matches!(row.state, PhaseState::Completed | PhaseState::Failed);
        Self {
            can_pause: may(Action::Pause),
            can_resume: may(Action::Resume),
            can_stop: may(Action::Stop),
            can_restart: over && overview.campaign.aggregate().can_start(row.phase).is_ok(),
        }
    }
}

impl From<Progress> for PhaseProgress {
    fn from(progress: Progress) -> Self {
        Self {
            total_items: progress.total,
            processed_items: progress.processed,
            successful_items: progress.successful,
            failed_items: progress.failed,
            percent_complete: progress.percent,
        }
    }
}

/// Names what kind of trouble a phase has.
fn error_code(row: &PhaseRow) -> Option<&'static str> {
    match row.state {
        PhaseState::Failed => row.failure_cause.map(FailureCause::name),
        _ => row.error.is_some().then_some("start_refused"),
    }
}

impl PhaseStatusResponse {
    /// Makes the view of one phase.
    #[must_use]
    pub fn of(overview: &Overview, phase: Phase) -> Self {
        let row = overview.campaign.phase(phase);
        let timestamp = row.error_at();
        let code = error_code(&row);
        Self {
            phase: phase.name(),
            status: row.state.name(),
            configuration: row.config.as_ref().and_then(wire_config),
            runtime_controls: PhaseRuntimeControls::of(overview, &row),
            started_at: row.started_at,
            completed_at: row.completed_at,
            progress: Progress::of(&overview.campaign, phase, &overview.counts).into(),
            errors: row
                .error
                .into_iter()
                .map(|message| PhaseError {
                    message,
                    timestamp,
                    code,
                })
                .collect(),
        }
    }
}
