//! Makes a campaign, with the configurations of phases that came with the request.

use serde_json::Value;

use super::{Campaign, Error, Event, Mode, PhaseConfig};
use crate::ids::UserId;

/// The longest name of a campaign, in characters.
pub(super) const NAME_LIMIT: usize = 255;

/// Makes a campaign.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether phases follow each other by themselves.
    pub mode: Mode,
    /// The configuration object as the client sent it.
    pub configuration: Value,
    /// How many names the campaign may have.
    pub max_domains: Option<u64>,
    /// What the configuration object says about phases.
    pub phases: Vec<PhaseConfig>,
}

impl Create {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        if campaign.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        let mut events = vec![Event::Created {
            owner: self.owner,
            name: self.name,
            description: self.description,
            mode: self.mode,
            configuration: self.configuration,
            max_domains: self.max_domains,
        }];
        events.extend(
            self.phases
                .into_iter()
                .map(|config| Event::PhaseConfigured { config }),
        );
        Ok(events)
    }
}

/// Checks a campaign's name.
///
/// # Errors
/// [`Error::Invalid`] where it is blank or longer than 255 characters.
pub fn check_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if name.trim().is_empty() || length > NAME_LIMIT {
        return Err(Error::Invalid {
            field: "name",
            message: format!("must have 1 to {NAME_LIMIT} characters, has {length}"),
        });
    }
    Ok(())
}
