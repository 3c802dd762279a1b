//! Ends a run: its work is done, or it cannot go on. Commands of the coordinator.

use super::{
    Action, Campaign, Error, Event, FailureCause, Phase, PhaseState, RunKind, Tallies, Transition,
    transition,
};
use crate::ids::RunId;

/// Ends a run whose work is done.
#[derive(Clone, Debug)]
pub struct CompletePhase {
    /// The phase.
    pub phase: Phase,
    /// The run that is done; a run that is not the present one is refused.
    pub run_id: RunId,
    /// What came of its items.
    pub tallies: Tallies,
}

/// Ends a run that cannot go on.
#[derive(Clone, Debug)]
pub struct FailPhase {
    /// The phase.
    pub phase: Phase,
    /// The run.
    pub run_id: RunId,
    /// Why, in words.
    pub message: String,
}

impl CompletePhase {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        must_be_under_way(campaign, self.phase, self.run_id)?;
        let phase = self.phase;
        let current = campaign.phase(phase).state;
        let action = Action::Complete;
        if transition(phase, current, action) == Transition::Refused {
            return Err(Error::InvalidTransition {
                phase,
                current,
                action,
            });
        }
        let last = campaign
            .phases()
            .all(|other| other == phase || campaign.phase(other).state == PhaseState::Completed);
        let mut events = vec![Event::PhaseCompleted {
            phase,
            run_id: self.run_id,
            tallies: self.tallies,
        }];
        if campaign.phase(phase).kind == RunKind::Rescore {
            let run_id = self.run_id;
            events.push(Event::Rescored { run_id });
        }
        if last {
            events.push(Event::Completed {});
        }
        Ok(events)
    }
}

impl FailPhase {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        must_be_under_way(campaign, self.phase, self.run_id)?;
        Ok(vec![Event::PhaseFailed {
            phase: self.phase,
            run_id: self.run_id,
            cause: FailureCause::Error,
            message: self.message,
        }])
    }
}

pub(super) fn must_be_under_way(
    campaign: &Campaign,
    phase: Phase,
    run_id: RunId,
) -> Result<(), Error> {
    campaign.must_exist()?;
    let record = campaign.phase(phase);
    if record.run == Some(run_id) && record.state.is_active() {
        Ok(())
    } else {
        Err(Error::RunIsOver)
    }
}
