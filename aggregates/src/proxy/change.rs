//! Changes a proxy, or switches it on or off.

use super::{
    Endpoint, Error, Event, Protocol, Proxy,
    details::{check_name, check_notes, country},
};

/// What became of the credentials, which the aggregate never sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// They are what they were.
    #[default]
    Kept,
    /// There are others now.
    Replaced,
    /// There are none any more.
    Removed,
}

/// Changes a proxy; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The new name, 1 to 255 characters.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// How it is spoken to from now on.
    pub protocol: Option<Protocol>,
    /// Where it listens from now on.
    pub endpoint: Option<Endpoint>,
    /// The country that it stands in, two letters.
    pub country_code: Option<String>,
    /// The new notes, at most 10,000 characters.
    pub notes: Option<String>,
    /// Whether pools use it.
    pub enabled: Option<bool>,
    /// What became of the credentials.
    pub credentials: Credentials,
}

impl Change {
    pub(super) fn decide(self, proxy: &Proxy) -> Result<Vec<Event>, Error> {
        let owner = proxy.owner().ok_or(Error::NotFound)?;
        if let Some(name) = &self.name {
            check_name(name)?;
        }
        check_notes(self.notes.as_deref())?;
        let other = |new: Option<String>, old: Option<&str>| new.filter(|new| old != Some(new));
        let name = other(self.name, Some(&proxy.name));
        let description = other(self.description, proxy.description());
        let country_code = other(country(self.country_code)?, proxy.country_code());
        let notes = other(self.notes, proxy.notes());
        let protocol = self.protocol.filter(|new| *new != proxy.protocol);
        let endpoint = self.endpoint.filter(|new| proxy.endpoint() != Some(new));

        let mut events = Vec::new();
        let texts = [&name, &description, &country_code, &notes];
        if texts.iter().any(|text| text.is_some()) || protocol.is_some() || endpoint.is_some() {
            events.push(Event::Changed {
                owner,
                name,
                description,
                protocol,
                endpoint,
                country_code,
                notes,
            });
        }
        match self.credentials {
            Credentials::Kept => {}
            Credentials::Removed if !proxy.has_credentials => {}
            changed => events.push(Event::CredentialsChanged {
                owner,
                present: changed == Credentials::Replaced,
            }),
        }
        match self.enabled {
            Some(true) if !proxy.enabled => events.push(Event::Enabled { owner }),
            Some(false) if proxy.enabled => events.push(Event::Disabled { owner }),
            _ => {}
        }
        Ok(events)
    }
}
