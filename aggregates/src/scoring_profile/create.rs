//! Makes a scoring profile.

use std::collections::BTreeMap;

use super::{Error, Event, ScoringProfile};
use crate::{ids::UserId, scoring::Weights};

/// Makes a scoring profile.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its weights by component; need not sum to 1.
    pub weights: BTreeMap<String, f64>,
}

impl Create {
    pub(super) fn decide(self, profile: &ScoringProfile) -> Result<Vec<Event>, Error> {
        if profile.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        Weights::parse(&self.weights)?;
        Ok(vec![Event::Created {
            owner: self.owner,
            name: self.name,
            description: self.description,
            weights: self.weights,
        }])
    }
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() || name.chars().count() > 255 {
        return Err(Error::Name);
    }
    Ok(())
}
