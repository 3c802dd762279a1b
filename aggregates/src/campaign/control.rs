//! Pauses, resumes and stops a run. All of them are decided by the log alone: no worker is asked or waited for.

use super::{
    Action, Campaign, Error, Event, FailureCause, Phase, PhaseState, Transition, transition,
};
use crate::ids::RunId;

/// Pauses the run of a phase.
#[derive(Clone, Copy, Debug)]
pub struct PausePhase {
    /// The phase.
    pub phase: Phase,
    /// The state that the caller believes the phase to be in.
    pub expected: Option<PhaseState>,
}

/// Resumes the run of a phase.
#[derive(Clone, Copy, Debug)]
pub struct ResumePhase {
    /// The phase.
    pub phase: Phase,
    /// The state that the caller believes the phase to be in.
    pub expected: Option<PhaseState>,
}

/// Stops the run of a phase; what was recorded stays, results that come late are refused.
#[derive(Clone, Copy, Debug)]
pub struct StopPhase {
    /// The phase.
    pub phase: Phase,
}

/// Stops the campaign: the run under way, and whatever would have followed.
#[derive(Clone, Copy, Debug)]
pub struct Stop {}

impl PausePhase {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let run_id = gate(campaign, self.phase, Action::Pause, self.expected)?;
        let phase = self.phase;
        Ok(run_id
            .map(|run_id| Event::PhasePaused { phase, run_id })
            .into_iter()
            .collect())
    }
}

impl ResumePhase {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let run_id = gate(campaign, self.phase, Action::Resume, self.expected)?;
        let phase = self.phase;
        Ok(run_id
            .map(|run_id| Event::PhaseResumed { phase, run_id })
            .into_iter()
            .collect())
    }
}

impl StopPhase {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let run_id = gate(campaign, self.phase, Action::Stop, None)?;
        Ok(run_id
            .map(|run_id| stopped(self.phase, run_id))
            .into_iter()
            .collect())
    }
}

impl Stop {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        if campaign.stopped {
            return Ok(Vec::new());
        }
        let Some(phase) = campaign.active_phase() else {
            // Between two phases there is no run to end, and the next one must not begin.
            return match campaign.auto_start_due() {
                Some(_) => Ok(vec![Event::Stopped {}]),
                None => Err(Error::NothingUnderWay),
            };
        };
        let run_id = gate(campaign, phase, Action::Stop, None)?.ok_or(Error::NothingUnderWay)?;
        Ok(vec![stopped(phase, run_id), Event::Stopped {}])
    }
}

/// Ends a run by command.
pub(super) fn stopped(phase: Phase, run_id: RunId) -> Event {
    Event::PhaseFailed {
        phase,
        run_id,
        cause: FailureCause::Stopped,
        message: "stopped by command".to_owned(),
    }
}

/// Passes a wish through the transition table; answers the run to act on, or nothing when the phase is there already.
fn gate(
    campaign: &Campaign,
    phase: Phase,
    action: Action,
    expected: Option<PhaseState>,
) -> Result<Option<RunId>, Error> {
    campaign.must_exist()?;
    let record = campaign.phase(phase);
    if let Some(expected) = expected.filter(|expected| *expected != record.state) {
        return Err(Error::ExpectedStateMismatch {
            phase,
            current: record.state,
            expected,
            action,
        });
    }
    match transition(phase, record.state, action) {
        Transition::To(_) => Ok(record.run),
        Transition::Already => Ok(None),
        Transition::Refused => Err(Error::InvalidTransition {
            phase,
            current: record.state,
            action,
        }),
    }
}
