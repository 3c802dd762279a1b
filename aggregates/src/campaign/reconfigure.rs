//! Changes a campaign's details together with the configurations of phases that the new configuration object stands for.

use super::{Campaign, ChangeDetails, ConfigurePhase, Error, Event, PhaseConfig, Status};

/// Changes details and phases, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Reconfigure {
    /// Name, description and configuration object.
    pub details: ChangeDetails,
    /// What the configuration object says about phases.
    pub phases: Vec<PhaseConfig>,
    /// Whether a campaign that was ever started refuses new configurations of phases.
    pub only_pending: bool,
}

impl Reconfigure {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        let started = campaign.status() != Status::Draft;
        if self.only_pending && started && !self.phases.is_empty() {
            campaign.must_exist()?;
            return Err(Error::NotPending);
        }
        let mut events = self.details.decide(campaign)?;
        for config in self.phases {
            events.extend(ConfigurePhase { config }.decide(campaign)?);
        }
        Ok(events)
    }
}
