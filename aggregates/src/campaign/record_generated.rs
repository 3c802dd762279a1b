//! Records a chunk of generated names by the arguments that make them.

use super::{Campaign, Error, Event, Phase, PhaseState, finish_run::must_be_under_way};
use crate::{ids::RunId, names};

/// How many offsets one `DomainsGenerated` covers at most.
pub const GENERATED_CHUNK: u64 = 10_000;

/// Records the names of a range of offsets. A command of the discovery worker.
#[derive(Clone, Debug)]
pub struct RecordGenerated {
    /// The discovery run.
    pub run_id: RunId,
    /// What is enumerated.
    pub pattern: names::Pattern,
    /// Which version of the generator counted the names.
    pub generator_version: u32,
    /// The first offset; where the run went on from before.
    pub start: u64,
    /// How many offsets.
    pub count: u64,
    /// How many of them are legal names.
    pub names: u64,
}

impl RecordGenerated {
    /// Decides the chunk. Nothing is recorded while the run is paused, nor for offsets that were recorded before.
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        must_be_under_way(campaign, Phase::Discovery, self.run_id)?;
        let state = campaign.phase(Phase::Discovery).state;
        if state != PhaseState::Running {
            return Err(Error::InvalidTransition {
                phase: Phase::Discovery,
                current: state,
                action: super::Action::Complete,
            });
        }
        if campaign.generated_to.is_some_and(|to| self.start < to) {
            return Ok(Vec::new());
        }
        let total = campaign.names.saturating_add(self.names);
        if let Some(limit) = campaign.max_domains.filter(|limit| total > *limit) {
            return Err(Error::Invalid {
                field: "maxDomains",
                message: format!(
                    "the campaign takes {limit} names, with these it would have {total}"
                ),
            });
        }
        Ok(vec![Event::DomainsGenerated {
            run_id: self.run_id,
            pattern: self.pattern,
            generator_version: self.generator_version,
            start: self.start,
            count: self.count,
            first_ordinal: campaign.names,
            names: self.names,
        }])
    }
}
