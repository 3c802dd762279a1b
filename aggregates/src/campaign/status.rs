//! The campaign's status, computed from its phases.

use serde::{Deserialize, Serialize};

use super::{Campaign, PhaseState};

/// How a campaign as a whole stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No run was ever started.
    Draft,
    /// A run is under way, or phases are still to come.
    Running,
    /// The run under way is paused.
    Paused,
    /// Every phase completed.
    Completed,
    /// The last run could not go on, or was stopped.
    Failed,
    /// The campaign was stopped by command.
    Cancelled,
}

impl Status {
    /// Returns the status' name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Computes the status from the states of the phases in order, whether the campaign was stopped, and whether any
    /// run was ever started.
    #[must_use]
    pub fn of(states: &[PhaseState], stopped: bool, ever_started: bool) -> Self {
        let any = |wanted| states.contains(&wanted);
        if any(PhaseState::Paused) {
            Self::Paused
        } else if any(PhaseState::Running) {
            Self::Running
        } else if stopped {
            Self::Cancelled
        } else if any(PhaseState::Failed) {
            Self::Failed
        } else if !states.is_empty() && states.iter().all(|state| *state == PhaseState::Completed) {
            Self::Completed
        } else if ever_started {
            Self::Running
        } else {
            Self::Draft
        }
    }
}

impl Campaign {
    /// Computes how the campaign as a whole stands.
    #[must_use]
    pub fn status(&self) -> Status {
        let states: Vec<PhaseState> = self.phases().map(|phase| self.phase(phase).state).collect();
        let ever_started = self.phases.iter().any(|phase| phase.run.is_some());
        Status::of(&states, self.stopped, ever_started)
    }
}
