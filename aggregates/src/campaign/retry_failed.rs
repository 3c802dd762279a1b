//! Runs a phase again for the domains whose check failed.

use super::{Action, Campaign, Error, Event, Phase, PhaseState, Pinned, RunKind, StartPhase};
use crate::ids::RunId;

/// Begins a run of a phase for the domains whose check failed and for those that its last run did not come to. The
/// phases after it that have run before follow, for the domains that this leaves without a result; all others keep what
/// they have.
#[derive(Clone, Debug)]
pub struct RetryFailed {
    /// The new run's id.
    pub run_id: RunId,
    /// What the run works with; also says which phase is retried.
    pub pinned: Pinned,
}

impl RetryFailed {
    /// Decides the retry; where one of the phase is running already nothing is recorded.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.can_retry(self.pinned.phase())?;
        let start = StartPhase {
            run_id: self.run_id,
            pinned: self.pinned,
            auto: false,
        };
        start.begin(campaign, RunKind::Retry, campaign.last_that_ran())
    }
}

impl Campaign {
    /// Checks whether a phase may be retried now; a retry of it that is running passes, another one changes nothing.
    ///
    /// # Errors
    /// A phase that never ran, a phase before that has not completed, or another run.
    pub fn can_retry(&self, phase: Phase) -> Result<(), Error> {
        self.must_exist()?;
        self.must_have(phase)?;
        let record = self.phase(phase);
        let current = record.state;
        if record.run.is_none() || phase == Phase::Discovery {
            return Err(Error::RerunRefused {
                phase,
                current,
                message: "only checks that were made can be retried",
            });
        }
        if current == PhaseState::Running && record.kind.is_retry() {
            return Ok(());
        }
        if current.is_active() {
            return Err(Error::InvalidTransition {
                phase,
                current,
                action: Action::Start,
            });
        }
        let before: Vec<Phase> = Phase::ALL
            .into_iter()
            .filter(|before| *before < phase)
            .collect();
        self.must_have_completed(phase, &before)?;
        self.can_start(phase)
    }
}
