//! Changes a campaign's details together with the configurations of phases that the new configuration object stands for.

use super::{
    Campaign, ChangeDetails, Command, ConfigurePhase, Error, Event, PhaseConfig, Several, Status,
};

/// Changes details and phases, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Reconfigure {
    /// Name, description and configuration object.
    pub details: ChangeDetails,
    /// What the configuration object says about phases; of two that configure the same one the later stays.
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
        let phases = self.phases.into_iter();
        let configure = phases.map(|config| Command::ConfigurePhase(ConfigurePhase { config }));
        let details = Command::ChangeDetails(self.details);
        let commands = std::iter::once(details).chain(configure).collect();
        Several { commands }.decide(campaign)
    }
}
