//! Changes name, description or the configuration object.

use serde_json::Value;

use super::{Campaign, Error, Event, create::check_name};

/// Changes name, description or configuration object; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct ChangeDetails {
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new configuration object.
    pub configuration: Option<Value>,
}

impl ChangeDetails {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        let name = self.name.filter(|name| *name != campaign.name);
        let description = self
            .description
            .filter(|description| campaign.description.as_ref() != Some(description));
        if name.is_none() && description.is_none() && self.configuration.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![Event::DetailsChanged {
            name,
            description,
            configuration: self.configuration,
        }])
    }
}
