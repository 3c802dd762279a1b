//! Names the scoring profile that the next run of the analysis works with.

use super::{Action, Campaign, Error, Event, Phase, PhaseConfig, Transition, transition};
use crate::ids::ScoringProfileId;

/// Names the scoring profile of the analysis; a run under way keeps the one that it began with and refuses another one
/// until it is over.
#[derive(Clone, Copy, Debug)]
pub struct AssignScoringProfile {
    /// The profile; the caller has checked that the campaign's owner may use it.
    pub scoring_profile: ScoringProfileId,
}

impl AssignScoringProfile {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        let phase = Phase::Analysis;
        campaign.must_have(phase)?;
        let record = campaign.phase(phase);
        if transition(phase, record.state, Action::Configure) == Transition::Refused {
            return Err(Error::InvalidTransition {
                phase,
                current: record.state,
                action: Action::Configure,
            });
        }
        let Self { scoring_profile } = self;
        if record.config == Some(analysis_with(scoring_profile)) {
            return Ok(Vec::new());
        }
        Ok(vec![Event::ScoringProfileAssigned { scoring_profile }])
    }
}

/// Returns the configuration of an analysis with a profile.
pub(super) const fn analysis_with(scoring_profile: ScoringProfileId) -> PhaseConfig {
    PhaseConfig::Analysis {
        scoring_profile: Some(scoring_profile),
    }
}
