//! Makes a pool.

use super::{Error, Event, ProxyPool, Settings};
use crate::ids::UserId;

/// Makes a pool without proxies.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it works.
    pub settings: Settings,
}

impl Create {
    pub(super) fn decide(self, pool: &ProxyPool) -> Result<Vec<Event>, Error> {
        if pool.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        self.settings.validate()?;
        Ok(vec![Event::Created {
            owner: self.owner,
            name: self.name,
            description: self.description,
            settings: self.settings,
        }])
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Error::invalid("name", "must have 1 to 255 characters"));
    }
    Ok(())
}
