//! The five phases and the one transition table that every command on a phase passes through.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A phase of a campaign, in the order of execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Names are generated or imported.
    Discovery,
    /// Names are checked over DNS.
    Validation,
    /// Live names are fetched over HTTP and matched against keywords.
    Extraction,
    /// Fetched names are scored.
    Analysis,
    /// Every name gets its lead decision.
    Enrichment,
}

impl Phase {
    /// All phases in the order of execution.
    pub const ALL: [Self; 5] = [
        Self::Discovery,
        Self::Validation,
        Self::Extraction,
        Self::Analysis,
        Self::Enrichment,
    ];

    /// Returns the phase's name on the wire and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Validation => "validation",
            Self::Extraction => "extraction",
            Self::Analysis => "analysis",
            Self::Enrichment => "enrichment",
        }
    }

    /// Returns the phase that runs after this one.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Discovery => Some(Self::Validation),
            Self::Validation => Some(Self::Extraction),
            Self::Extraction => Some(Self::Analysis),
            Self::Analysis => Some(Self::Enrichment),
            Self::Enrichment => None,
        }
    }

    /// Tells whether the phase can start without having been configured.
    #[must_use]
    pub const fn defaults_suffice(self) -> bool {
        matches!(self, Self::Analysis | Self::Enrichment)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no phase.
#[derive(Debug, thiserror::Error)]
#[error("unknown phase, expected discovery, validation, extraction, analysis or enrichment")]
pub struct UnknownPhase;

impl FromStr for Phase {
    type Err = UnknownPhase;

    /// Reads a phase name; the engine names of the older interface are synonyms.
    fn from_str(text: &str) -> Result<Self, UnknownPhase> {
        Ok(match text {
            "discovery" | "domain_generation" => Self::Discovery,
            "validation" | "dns_validation" => Self::Validation,
            "extraction" | "http_keyword_validation" => Self::Extraction,
            "analysis" => Self::Analysis,
            "enrichment" => Self::Enrichment,
            _ => return Err(UnknownPhase),
        })
    }
}

/// Where a phase stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseState {
    /// Nothing was configured.
    #[default]
    NotStarted,
    /// Configured, waiting for a start.
    Configured,
    /// A run is under way.
    Running,
    /// A run is under way and no new work is handed out.
    Paused,
    /// The last run did all its work.
    Completed,
    /// The last run was stopped or could not go on.
    Failed,
}

impl PhaseState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::NotStarted,
        Self::Configured,
        Self::Running,
        Self::Paused,
        Self::Completed,
        Self::Failed,
    ];

    /// Returns the state's name on the wire and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Configured => "configured",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Tells whether a run is under way, paused or not.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

impl FromStr for PhaseState {
    type Err = UnknownState;

    /// Reads a state name; `in_progress` and `ready` are the execution view's words for running and configured.
    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Ok(match text {
            "not_started" => Self::NotStarted,
            "configured" | "ready" => Self::Configured,
            "running" | "in_progress" => Self::Running,
            "paused" => Self::Paused,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            _ => return Err(UnknownState),
        })
    }
}

/// A text that names no phase state.
#[derive(Debug, thiserror::Error)]
#[error("unknown state, expected not_started, configured, running, paused, completed or failed")]
pub struct UnknownState;

/// What somebody wants a phase to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Set or replace the configuration.
    Configure,
    /// Begin a run.
    Start,
    /// Hand out no more work.
    Pause,
    /// Hand out work again.
    Resume,
    /// End the run by command.
    Stop,
    /// End the run because all its work is done.
    Complete,
    /// End the run because it cannot go on.
    Fail,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 7] = [
        Self::Configure,
        Self::Start,
        Self::Pause,
        Self::Resume,
        Self::Stop,
        Self::Complete,
        Self::Fail,
    ];

    /// Returns the action's name, as control conflicts give it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configure => "configure",
            Self::Start => "start",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Complete => "complete",
            Self::Fail => "fail",
        }
    }
}

/// What the transition table answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The phase moves to this state.
    To(PhaseState),
    /// The phase is already there: the same answer again, and no event.
    Already,
    /// The table has no such transition.
    Refused,
}

/// Looks a wish up in the transition table, the only gate between the states of a phase.
#[must_use]
pub const fn transition(phase: Phase, from: PhaseState, action: Action) -> Transition {
    use PhaseState as S;
    use Transition::{Already, Refused, To};
    match (action, from) {
        // A finished phase may be configured anew for its next run; the state tells of the last run until then.
        (Action::Configure, S::NotStarted | S::Configured) => To(S::Configured),
        (Action::Configure, S::Completed) => To(S::Completed),
        (Action::Configure, S::Failed) => To(S::Failed),
        (Action::Start, S::NotStarted) if phase.defaults_suffice() => To(S::Running),
        (Action::Start, S::Configured | S::Completed | S::Failed) => To(S::Running),
        (Action::Start | Action::Resume, S::Running) => Already,
        (Action::Pause, S::Running) => To(S::Paused),
        (Action::Pause, S::Paused) => Already,
        (Action::Resume, S::Paused) => To(S::Running),
        (Action::Stop | Action::Fail, S::Running | S::Paused) => To(S::Failed),
        (Action::Stop | Action::Fail, S::Failed) => Already,
        // A paused run whose last batch finished waits for its resume, or the next phase would start under the pause.
        (Action::Complete, S::Running) => To(S::Completed),
        (Action::Complete, S::Completed) => Already,
        _ => Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transition_table_holds_exactly_the_designed_transitions() {
        use PhaseState as S;
        let legal = [
            (S::NotStarted, Action::Configure, S::Configured),
            (S::Configured, Action::Configure, S::Configured),
            (S::Completed, Action::Configure, S::Completed),
            (S::Failed, Action::Configure, S::Failed),
            (S::Configured, Action::Start, S::Running),
            (S::Completed, Action::Start, S::Running),
            (S::Failed, Action::Start, S::Running),
            (S::Running, Action::Pause, S::Paused),
            (S::Running, Action::Complete, S::Completed),
            (S::Running, Action::Fail, S::Failed),
            (S::Running, Action::Stop, S::Failed),
            (S::Paused, Action::Resume, S::Running),
            (S::Paused, Action::Stop, S::Failed),
            (S::Paused, Action::Fail, S::Failed),
        ];
        let already = [
            (S::Running, Action::Start),
            (S::Running, Action::Resume),
            (S::Paused, Action::Pause),
            (S::Failed, Action::Stop),
            (S::Failed, Action::Fail),
            (S::Completed, Action::Complete),
        ];
        for phase in Phase::ALL {
            for from in S::ALL {
                for action in Action::ALL {
                    let expected = legal
                        .iter()
                        .find(|(f, a, _)| (*f, *a) == (from, action))
                        .map(|(_, _, to)| Transition::To(*to))
                        .or_else(|| {
                            already
                                .contains(&(from, action))
                                .then_some(Transition::Already)
                        })
                        .or_else(|| {
                            (phase.defaults_suffice()
                                && (from, action) == (S::NotStarted, Action::Start))
                                .then_some(Transition::To(S::Running))
                        })
                        .unwrap_or(Transition::Refused);
                    assert_eq!(
                        transition(phase, from, action),
                        expected,
                        "{phase} {from:?} {action:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn names_of_phases_and_states_read_back() {
        for phase in Phase::ALL {
            assert_eq!(phase.name().parse::<Phase>().unwrap(), phase);
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.name());
        }
        for state in PhaseState::ALL {
            assert_eq!(state.name().parse::<PhaseState>().unwrap(), state);
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        assert_eq!(
            "http_keyword_validation".parse::<Phase>().unwrap(),
            Phase::Extraction
        );
    }
}
