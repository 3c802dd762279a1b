//! Configures a phase for its next run.

use super::{Action, Campaign, Error, Event, Phase, PhaseConfig, Transition, transition};

/// Configures a phase; a run under way keeps what it started with and refuses a new configuration until it is over.
#[derive(Clone, Debug)]
pub struct ConfigurePhase {
    /// What to set.
    pub config: PhaseConfig,
}

impl ConfigurePhase {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        let phase = self.config.phase();
        campaign.must_have(phase)?;
        let record = campaign.phase(phase);
        if phase == Phase::Discovery
            && campaign.names > 0
            && record.config.as_ref() != Some(&self.config)
        {
            return Err(Error::NamesStay {
                current: record.state,
            });
        }
        if transition(phase, record.state, Action::Configure) == Transition::Refused {
            return Err(Error::InvalidTransition {
                phase,
                current: record.state,
                action: Action::Configure,
            });
        }
        if record.config.as_ref() == Some(&self.config) {
            return Ok(Vec::new());
        }
        Ok(vec![Event::PhaseConfigured {
            config: self.config,
        }])
    }
}
