//! Makes a persona.

use super::{Config, Error, Event, Persona};
use crate::ids::UserId;

/// Makes a persona.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it works.
    pub config: Config,
    /// Whether phases may use it.
    pub enabled: bool,
}

impl Create {
    pub(super) fn decide(self, persona: &Persona) -> Result<Vec<Event>, Error> {
        if persona.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        self.config.validate()?;
        Ok(vec![Event::Created {
            owner: self.owner,
            name: self.name,
            description: self.description,
            config: self.config,
            enabled: self.enabled,
        }])
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid("name", "must have 1 to 255 characters"));
    }
    Ok(())
}
