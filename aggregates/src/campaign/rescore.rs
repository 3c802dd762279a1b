//! Scores anew with other weights.

use super::{Action, Campaign, Error, Event, Phase, Pinned, RunKind, StartPhase};
use crate::ids::RunId;

/// Begins a run of the analysis that scores what was fetched with other weights. The decision about leads follows where
/// it was made before.
#[derive(Clone, Debug)]
pub struct Rescore {
    /// The new run's id.
    pub run_id: RunId,
    /// The weights.
    pub pinned: Pinned,
}

impl Rescore {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.can_rescore()?;
        let start = StartPhase {
            run_id: self.run_id,
            pinned: self.pinned,
            auto: false,
        };
        start.begin(campaign, RunKind::Rescore, campaign.last_that_ran())
    }
}

impl Campaign {
    /// Checks whether a campaign may be scored anew now. Other than a start, a run of the analysis that is under way
    /// refuses it: it may have other weights.
    ///
    /// # Errors
    /// A phase before that has not completed, an analysis that never ran, or a run under way.
    pub fn can_rescore(&self) -> Result<(), Error> {
        let phase = Phase::Analysis;
        let record = self.phase(phase);
        let current = record.state;
        if current.is_active() {
            return Err(Error::InvalidTransition {
                phase,
                current,
                action: Action::Start,
            });
        }
        self.can_restart_analysis()?;
        match record.run {
            Some(_) => Ok(()),
            None => Err(Error::RerunRefused {
                phase,
                current,
                message: "nothing is scored yet",
            }),
        }
    }
}
