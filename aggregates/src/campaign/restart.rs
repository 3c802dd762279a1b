//! Runs everything after the names anew.

use super::{Campaign, Error, Event, Mode, Phase, PhaseState, Pinned, RunKind, StartPhase};
use crate::ids::RunId;

/// Begins a new run of validation, which the phases after it follow: in full sequence all of them, otherwise those that
/// have run before. The names stay.
#[derive(Clone, Debug)]
pub struct Restart {
    /// The new run's id.
    pub run_id: RunId,
    /// What the run of validation works with.
    pub pinned: Pinned,
}

impl Restart {
    /// Decides the restart; where validation is running already nothing is recorded.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let phases = campaign.restarts()?;
        let start = StartPhase {
            run_id: self.run_id,
            pinned: self.pinned,
            auto: false,
        };
        let started = start.begin(campaign, RunKind::Full, phases.last().copied())?;
        if started.is_empty() {
            return Ok(started);
        }
        let mut events = vec![Event::Restarted { phases }];
        events.extend(started);
        Ok(events)
    }
}

impl Campaign {
    /// Lists the phases that a restart runs anew, in the order of execution.
    ///
    /// # Errors
    /// When the campaign has no names yet, or what a start of validation is refused for.
    pub fn restarts(&self) -> Result<Vec<Phase>, Error> {
        self.must_exist()?;
        self.must_have(Phase::Validation)?;
        self.must_have_completed(Phase::Validation, &[Phase::Discovery])?;
        self.can_start(Phase::Validation)?;
        let runs = |phase: &Phase| {
            self.mode == Mode::FullSequence
                || *phase == Phase::Validation
                || self.phase(*phase).run.is_some()
        };
        Ok(self
            .phases()
            .skip_while(|phase| *phase < Phase::Validation)
            .take_while(runs)
            .collect())
    }

    /// Checks that the phases that a rerun of `phase` rests on have completed.
    pub(super) fn must_have_completed(&self, phase: Phase, before: &[Phase]) -> Result<(), Error> {
        let missing = before
            .iter()
            .find(|before| self.phase(**before).state != PhaseState::Completed);
        match missing {
            Some(blocking) => Err(Error::RerunTooEarly {
                phase,
                current: self.phase(phase).state,
                blocking: *blocking,
            }),
            None => Ok(()),
        }
    }
}
