//! Changes a persona, or switches it on or off.

use super::{Config, Error, Event, Persona, create::check_name};

/// Changes a persona; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new configuration, of the same kind.
    pub config: Option<Config>,
    /// Whether phases may use it.
    pub enabled: Option<bool>,
}

impl Change {
    pub(super) fn decide(self, persona: &Persona) -> Result<Vec<Event>, Error> {
        let owner = persona.owner().ok_or(Error::NotFound)?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        if let Some(config) = &self.config {
            if persona.config().map(Config::kind) != Some(config.kind()) {
                return Err(Error::invalid("personaType", "a persona keeps its type"));
            }
            config.validate()?;
        }
        let name = self.name.filter(|name| *name != persona.name);
        let description = self
            .description
            .filter(|text| persona.description() != Some(text));
        let config = self
            .config
            .filter(|config| persona.config() != Some(config));

        let mut events = Vec::new();
        if name.is_some() || description.is_some() || config.is_some() {
            events.push(Event::Changed {
                owner,
                name,
                description,
                config,
            });
        }
        match self.enabled {
            Some(true) if !persona.enabled => events.push(Event::Enabled { owner }),
            Some(false) if persona.enabled => events.push(Event::Disabled { owner }),
            _ => {}
        }
        Ok(events)
    }
}
