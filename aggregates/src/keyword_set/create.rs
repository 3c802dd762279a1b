//! Makes a keyword set.

use super::{Error, Event, KeywordSet, Rule, check_rules};
use crate::ids::UserId;

/// Makes a keyword set.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its rules, with new ids.
    pub rules: Vec<Rule>,
    /// Whether phases may use it.
    pub enabled: bool,
}

impl Create {
    pub(super) fn decide(self, set: &KeywordSet) -> Result<Vec<Event>, Error> {
        if set.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        check_rules(&self.rules)?;
        Ok(vec![Event::Created {
            owner: self.owner,
            name: self.name,
            description: self.description,
            rules: self.rules,
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
