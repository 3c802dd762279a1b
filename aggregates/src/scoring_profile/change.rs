//! Changes a scoring profile.

use std::collections::BTreeMap;

use super::{Error, Event, ScoringProfile, create::check_name};
use crate::scoring::Weights;

/// Changes a scoring profile; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The version that the caller saw.
    pub expected_version: Option<u64>,
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// All weights that the profile shall have.
    pub weights: Option<BTreeMap<String, f64>>,
}

impl Change {
    pub(super) fn decide(self, profile: &ScoringProfile) -> Result<Vec<Event>, Error> {
        let owner = profile.must_be_at(self.expected_version)?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        if let Some(weights) = &self.weights {
            Weights::parse(weights)?;
        }
        let name = self.name.filter(|name| *name != profile.name);
        let description = self
            .description
            .filter(|text| profile.description() != Some(text));
        let weights = self.weights.filter(|weights| *weights != profile.weights);
        if name.is_none() && description.is_none() && weights.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![Event::Changed {
            owner,
            name,
            description,
            weights,
        }])
    }
}
