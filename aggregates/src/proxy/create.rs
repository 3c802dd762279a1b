//! Makes a proxy known.

use super::{
    Endpoint, Error, Event, Protocol, Proxy,
    details::{check_name, check_notes, country},
};
use crate::ids::UserId;

/// Makes a proxy known.
#[derive(Clone, Debug)]
pub struct Create {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name, 1 to 255 characters.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// The country that it stands in, two letters.
    pub country_code: Option<String>,
    /// Whatever the owner wants to remember, at most 10,000 characters.
    pub notes: Option<String>,
    /// Whether pools use it.
    pub enabled: bool,
    /// Whether it is told who asks.
    pub with_credentials: bool,
}

impl Create {
    pub(super) fn decide(self, proxy: &Proxy) -> Result<Vec<Event>, Error> {
        if proxy.owner.is_some() {
            return Err(Error::Exists);
        }
        check_name(&self.name)?;
        check_notes(self.notes.as_deref())?;
        let owner = self.owner;
        let created = Event::Created {
            owner,
            name: self.name,
            description: self.description,
            protocol: self.protocol,
            endpoint: self.endpoint,
            country_code: country(self.country_code)?,
            notes: self.notes,
            enabled: self.enabled,
        };
        let with_credentials = self.with_credentials.then_some(Event::CredentialsChanged {
            owner,
            present: true,
        });
        Ok([created].into_iter().chain(with_credentials).collect())
    }
}
