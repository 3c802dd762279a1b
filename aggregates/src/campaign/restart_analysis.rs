//! Runs the analysis anew.

use super::{
    Campaign, Error, Event, Phase, PhaseState, Pinned, RunKind, StartPhase, control::stopped,
};
use crate::ids::RunId;

/// Begins a new run of the analysis on what validation and extraction found; a paused run of it ends for that. The
/// decision about leads follows where it was made before.
#[derive(Clone, Debug)]
pub struct RestartAnalysis {
    /// The new run's id.
    pub run_id: RunId,
    /// What it works with.
    pub pinned: Pinned,
}

impl RestartAnalysis {
    /// Decides the restart; where the analysis is running already nothing is recorded.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.can_restart_analysis()?;
        let start = StartPhase {
            run_id: self.run_id,
            pinned: self.pinned,
            auto: false,
        };
        let mut ended = campaign.clone();
        let record = campaign.phase(Phase::Analysis);
        let mut events = Vec::new();
        if let (PhaseState::Paused, Some(run_id)) = (record.state, record.run) {
            let end = stopped(Phase::Analysis, run_id);
            cqrs_es::Aggregate::apply(&mut ended, end.clone());
            events.push(end);
        }
        let through = campaign.last_that_ran();
        events.extend(start.begin(&ended, RunKind::Full, through)?);
        Ok(events)
    }
}

impl Campaign {
    /// Checks whether the analysis may begin anew now; one that is running passes, its restart changes nothing.
    ///
    /// # Errors
    /// A phase before that has not completed, or another run.
    pub fn can_restart_analysis(&self) -> Result<(), Error> {
        self.must_exist()?;
        self.must_have(Phase::Analysis)?;
        let before = [Phase::Discovery, Phase::Validation, Phase::Extraction];
        self.must_have_completed(Phase::Analysis, &before)?;
        match self.phase(Phase::Analysis).state {
            PhaseState::Paused => Ok(()),
            _ => self.can_start(Phase::Analysis),
        }
    }

    /// Returns the last phase that has ever run.
    pub(super) fn last_that_ran(&self) -> Option<Phase> {
        Phase::ALL
            .into_iter()
            .rfind(|phase| self.phase(*phase).run.is_some())
    }
}
