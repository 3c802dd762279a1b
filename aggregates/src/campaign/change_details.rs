//! Changes name, description, notes, tags or the configuration object.

use serde_json::Value;

use super::{
    Campaign, Error, Event,
    create::{check_name, check_notes, check_tags},
};

/// Changes details; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct ChangeDetails {
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new configuration object.
    pub configuration: Option<Value>,
    /// The new notes, at most 10,000 characters.
    pub notes: Option<String>,
    /// The new tags, all of them.
    pub tags: Option<Vec<String>>,
}

impl ChangeDetails {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        check_notes(self.notes.as_deref())?;
        check_tags(self.tags.as_deref().unwrap_or_default())?;
        let name = self.name.filter(|name| *name != campaign.name);
        let description = self
            .description
            .filter(|description| campaign.description.as_ref() != Some(description));
        let notes = self
            .notes
            .filter(|notes| campaign.notes.as_ref() != Some(notes));
        let tags = self.tags.filter(|tags| *tags != campaign.tags);
        let configuration = self.configuration;
        let texts = [&name, &description, &notes];
        if texts.iter().all(|text| text.is_none()) && configuration.is_none() && tags.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![Event::DetailsChanged {
            name,
            description,
            configuration,
            notes,
            tags,
        }])
    }
}
