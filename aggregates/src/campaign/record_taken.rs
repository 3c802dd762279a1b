//! Records names that the discovery run took from another campaign.

use super::{Action, Campaign, Error, Event, Phase, PhaseState, finish_run::must_be_under_way};
use crate::ids::{CampaignId, RunId};

/// How many names one `DomainsTaken` holds at most.
pub const TAKEN_CHUNK: usize = 5_000;

/// Records names of another campaign that are new to this one, at the version that the command names. A command of the
/// discovery worker.
#[derive(Clone, Debug)]
pub struct RecordTaken {
    /// The discovery run.
    pub run_id: RunId,
    /// The other campaign.
    pub source: CampaignId,
    /// The ordinal there up to which names were looked at.
    pub to_ordinal: u64,
    /// The names.
    pub names: Vec<String>,
}

impl RecordTaken {
    /// Decides the chunk. Nothing is recorded while the run is paused, nor for ordinals that were recorded before.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        must_be_under_way(campaign, Phase::Discovery, self.run_id)?;
        let state = campaign.phase(Phase::Discovery).state;
        if state != PhaseState::Running {
            return Err(Error::InvalidTransition {
                phase: Phase::Discovery,
                current: state,
                action: Action::Complete,
            });
        }
        let known = campaign
            .taken_to
            .is_some_and(|(source, to)| source == self.source && self.to_ordinal <= to);
        if known {
            return Ok(Vec::new());
        }
        Ok(vec![Event::DomainsTaken {
            run_id: self.run_id,
            source: self.source,
            to_ordinal: self.to_ordinal,
            first_ordinal: campaign.names,
            names: self.names,
        }])
    }
}
