//! Closed lists of names on the wire.

use aggregates::campaign::{Phase, PhaseState};
use serde::Serialize;
use utoipa::ToSchema;

/// A phase that can run anew: all but discovery, because names do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CampaignRestartPhaseEnum {
    /// DNS.
    Validation,
    /// HTTP and keywords.
    Extraction,
    /// Scores.
    Analysis,
    /// Leads.
    Enrichment,
}

impl CampaignRestartPhaseEnum {
    /// Names a phase; nothing for discovery.
    #[must_use]
    pub const fn of(phase: Phase) -> Option<Self> {
        match phase {
            Phase::Discovery => None,
            Phase::Validation => Some(Self::Validation),
            Phase::Extraction => Some(Self::Extraction),
            Phase::Analysis => Some(Self::Analysis),
            Phase::Enrichment => Some(Self::Enrichment),
        }
    }
}

/// Where a phase stands that no run of is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdleState {
    /// Nothing was configured.
    NotStarted,
    /// Configured, waiting for a start.
    Configured,
    /// The last run did all its work.
    Completed,
    /// The last run was stopped or could not go on.
    Failed,
    /// The run was paused.
    Paused,
}

impl IdleState {
    /// Names a state; nothing for one in which a run is at work.
    #[must_use]
    pub const fn of(state: PhaseState) -> Option<Self> {
        match state {
            PhaseState::Running => None,
            PhaseState::NotStarted => Some(Self::NotStarted),
            PhaseState::Configured => Some(Self::Configured),
            PhaseState::Completed => Some(Self::Completed),
            PhaseState::Failed => Some(Self::Failed),
            PhaseState::Paused => Some(Self::Paused),
        }
    }
}
