//! Starts a run of a phase.

use super::{
    Action, Campaign, Error, Event, Mode, Phase, PhaseState, Pinned, RunKind, Transition,
    transition,
};
use crate::ids::RunId;

/// Starts a run with everything that it will work with.
#[derive(Clone, Debug)]
pub struct StartPhase {
    /// The new run's id.
    pub run_id: RunId,
    /// What the run works with; also says which phase starts.
    pub pinned: Pinned,
    /// Whether the end of the phase before starts it.
    pub auto: bool,
}

impl StartPhase {
    /// Decides the start. Two starts at the same moment see the same version of the campaign, so one of them is
    /// recorded and the other, after its reload, finds the phase running and records nothing.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        let phase = self.pinned.phase();
        let record = campaign.phase(phase);
        // A start by the end of a phase is meant for a phase that waits; a user who was faster, or who stopped or
        // changed the mode in between, has the last word.
        if self.auto && campaign.auto_start_due() != Some(phase) {
            return Ok(Vec::new());
        }
        // What follows a run that left most results as they were does so too, unless it would not be alike.
        let (kind, through) = match self.auto {
            true if campaign.partial && !record.reconfigured => (RunKind::Rest, campaign.through),
            true => (RunKind::Full, campaign.through),
            false => (RunKind::Full, None),
        };
        self.begin(campaign, kind, through)
    }

    /// Passes the start through the rules and begins a run of the kind, which phases up to `through` follow; nothing
    /// where one is under way.
    pub(super) fn begin(
        self,
        campaign: &Campaign,
        kind: RunKind,
        through: Option<Phase>,
    ) -> Result<Vec<Event>, Error> {
        let phase = self.pinned.phase();
        let record = campaign.phase(phase);
        campaign.can_start(phase)?;
        match transition(phase, record.state, Action::Start) {
            Transition::Already => Ok(Vec::new()),
            Transition::Refused => Err(Error::InvalidTransition {
                phase,
                current: record.state,
                action: Action::Start,
            }),
            Transition::To(_) => Ok(vec![Event::PhaseStarted {
                phase,
                run_id: self.run_id,
                run_number: record.run_number.saturating_add(1),
                pinned: self.pinned,
                auto: self.auto,
                kind,
                through: through.filter(|last| *last > phase),
            }]),
        }
    }
}

impl Campaign {
    /// Checks whether a run of `phase` may begin now; a phase that is running passes, its start changes nothing.
    ///
    /// # Errors
    /// What is in the way: a missing configuration, another run, a phase before that has not completed.
    pub fn can_start(&self, phase: Phase) -> Result<(), Error> {
        self.must_exist()?;
        self.must_have(phase)?;
        let current = self.phase(phase).state;
        if current == PhaseState::Running {
            return Ok(());
        }
        if let Some(blocking) = self.active_phase().filter(|active| *active != phase) {
            return Err(Error::Blocked {
                phase,
                current,
                blocking,
            });
        }
        if self.mode == Mode::FullSequence {
            let missing: Vec<Phase> = [Phase::Discovery, Phase::Validation, Phase::Extraction]
                .into_iter()
                .filter(|needed| self.campaign_type.phases().contains(needed))
                .filter(|needed| self.phase(*needed).config.is_none())
                .collect();
            if !missing.is_empty() {
                return Err(Error::MissingPhases {
                    phase,
                    current,
                    missing,
                });
            }
        }
        if transition(phase, current, Action::Start) == Transition::Refused {
            return Err(Error::InvalidTransition {
                phase,
                current,
                action: Action::Start,
            });
        }
        if phase == Phase::Discovery && current == PhaseState::Completed {
            return Err(Error::RerunRefused {
                phase,
                current,
                message: Error::NAMES_STAY,
            });
        }
        if let Some(blocking) = Phase::ALL
            .into_iter()
            .take_while(|before| *before < phase)
            .find(|before| self.phase(*before).state != PhaseState::Completed)
        {
            return Err(Error::TooEarly {
                phase,
                current,
                blocking,
            });
        }
        Ok(())
    }
}
