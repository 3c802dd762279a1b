//! Why a command on a campaign was refused.

use super::{Action, CampaignType, Phase, PhaseState};

/// Why a command on a campaign was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such campaign, or it was deleted.
    #[error("no such campaign")]
    NotFound,
    /// The id is taken.
    #[error("the campaign exists already")]
    Exists,
    /// A field of the command is not acceptable.
    #[error("{field}: {message}")]
    Invalid {
        /// The field, as the command names it.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The transition table has no such transition.
    #[error("{}", refused_transition(*phase, *current, *action))]
    InvalidTransition {
        /// The phase.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// What was wanted.
        action: Action,
    },
    /// Such a campaign has no such phase.
    #[error("a {} campaign has no {phase}", campaign_type.name())]
    NoSuchPhase {
        /// The phase.
        phase: Phase,
        /// What the campaign is for.
        campaign_type: CampaignType,
    },
    /// The campaign takes its names from lists, and has none yet.
    #[error("the campaign has no names yet")]
    NoNames,
    /// The campaign was started, and what it works with is settled.
    #[error("the campaign was started, its configuration does not change any more")]
    NotPending,
    /// Another phase of the campaign has a run under way.
    #[error("cannot start {phase} while {blocking} is {}", current.name())]
    Blocked {
        /// The phase that should have started.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// The phase that is in the way.
        blocking: Phase,
    },
    /// A phase before has not completed.
    #[error("cannot start {phase} before {blocking} has completed")]
    TooEarly {
        /// The phase that should have started.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// The phase that must complete first.
        blocking: Phase,
    },
    /// The mode needs phases configured that are not.
    #[error("these phases must be configured first: {}", missing.iter().map(|p| p.name()).collect::<Vec<_>>().join(", "))]
    MissingPhases {
        /// The phase that should have started.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// The phases that lack a configuration.
        missing: Vec<Phase>,
    },
    /// A new run is not possible.
    #[error("cannot run {phase} again: {message}")]
    RerunRefused {
        /// The phase.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// Why.
        message: &'static str,
    },
    /// The campaign has its names: neither where they come from nor what they are can change.
    #[error("cannot configure discovery: {}", Self::NAMES_STAY)]
    NamesStay {
        /// Where discovery stands.
        current: PhaseState,
    },
    /// A rerun rests on a phase that has not completed.
    #[error("cannot run {phase} again before {blocking} has completed")]
    RerunTooEarly {
        /// The phase that should have run again.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// The phase that must complete first.
        blocking: Phase,
    },
    /// The caller expected another state.
    #[error("{phase} is {}, expected {}", current.name(), expected.name())]
    ExpectedStateMismatch {
        /// The phase.
        phase: Phase,
        /// Where it stands.
        current: PhaseState,
        /// What the caller expected.
        expected: PhaseState,
        /// What was wanted.
        action: Action,
    },
    /// There is nothing under way that could be controlled.
    #[error("no phase of the campaign is under way")]
    NothingUnderWay,
    /// The command names a run that is over.
    #[error("the run is over")]
    RunIsOver,
}

impl Error {
    /// What is said of names that would have to change.
    pub const NAMES_STAY: &str = "the campaign has its names, and they do not change";
}

/// Says why a phase does not take an action. One that has not started refuses its start only for want of a
/// configuration.
fn refused_transition(phase: Phase, current: PhaseState, action: Action) -> String {
    let (action, state) = (action.name(), current.name());
    if current == PhaseState::NotStarted && action == Action::Start.name() {
        return format!("cannot start {phase}: it must be configured first");
    }
    format!("cannot {action} {phase} while it is {state}")
}
