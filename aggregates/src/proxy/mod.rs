//! Proxies: ways to pages that somebody configured, and how they fare.
//!
//! Commands come from the API, and the outcome of checks from whoever made them. What a proxy is told of who asks is
//! never here: an event says that it was changed, the table of credentials what it is. Only a change of health is an
//! event; how often a proxy was checked is counted elsewhere. Runs pin a copy, so changing or deleting a proxy changes
//! no run under way.

mod address;
mod change;
mod create;
mod delete;
mod details;
mod endpoint;
mod error;
mod event;
mod login;
mod protocol;
mod record_check;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    address::Address,
    change::{Change, Credentials},
    create::Create,
    delete::Delete,
    endpoint::Endpoint,
    error::Error,
    event::Event,
    login::{Login, MAX_LOGIN},
    protocol::{Protocol, UnknownProtocol},
    record_check::RecordCheck,
};
use crate::ids::UserId;

/// What can be asked of a proxy.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes it known.
    Create(Create),
    /// Changes it, or switches it on or off.
    Change(Change),
    /// Records a check.
    RecordCheck(RecordCheck),
    /// Deletes it.
    Delete(Delete),
}

/// How a proxy fares, as far as it was checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// It was not checked since it was set up as it is.
    #[default]
    Unknown,
    /// The last check brought a page.
    Healthy,
    /// The last check brought none.
    Unhealthy,
}

impl Health {
    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// The state of a proxy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Proxy {
    version: u64,
    /// The version at which it was last set up otherwise.
    setup: u64,
    owner: Option<UserId>,
    name: String,
    description: Option<String>,
    protocol: Protocol,
    endpoint: Option<Endpoint>,
    country_code: Option<String>,
    notes: Option<String>,
    enabled: bool,
    has_credentials: bool,
    health: Health,
    deleted: bool,
}

impl Proxy {
    /// Returns whose proxy it is, or nothing where there is none.
    #[must_use]
    pub fn owner(&self) -> Option<UserId> {
        self.owner.filter(|_| !self.deleted)
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Returns how it is spoken to.
    #[must_use]
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns where it listens, or nothing where there is no proxy.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref().filter(|_| !self.deleted)
    }

    /// Returns the country that it stands in, two capital letters.
    #[must_use]
    pub fn country_code(&self) -> Option<&str> {
        self.country_code.as_deref()
    }

    /// Returns what the owner wants to remember.
    #[must_use]
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// Says whether pools use it.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled && !self.deleted
    }

    /// Says whether it is told who asks.
    #[must_use]
    pub const fn has_credentials(&self) -> bool {
        self.has_credentials
    }

    /// Returns how it fares.
    #[must_use]
    pub const fn health(&self) -> Health {
        self.health
    }

    /// Names what a check is a check of: it is another after a change of place, protocol or credentials.
    #[must_use]
    pub const fn setup(&self) -> u64 {
        self.setup
    }

    /// Notes that earlier checks were of something else.
    const fn is_set_up_otherwise(&mut self) {
        self.setup = self.version;
        self.health = Health::Unknown;
    }
}

impl Aggregate for Proxy {
    const TYPE: &'static str = "proxy";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        let events = match command {
            Command::Create(command) => command.decide(self)?,
            Command::Change(command) => command.decide(self)?,
            Command::RecordCheck(command) => command.decide(self)?,
            Command::Delete(command) => command.decide(self)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.version = self.version.saturating_add(1);
        match event {
            Event::Created {
                owner,
                name,
                description,
                protocol,
                endpoint,
                country_code,
                notes,
                enabled,
            } => {
                self.owner = Some(owner);
                self.name = name;
                self.description = description;
                self.protocol = protocol;
                self.endpoint = Some(endpoint);
                self.country_code = country_code;
                self.notes = notes;
                self.enabled = enabled;
                self.is_set_up_otherwise();
            }
            Event::Changed {
                name,
                description,
                protocol,
                endpoint,
                country_code,
                notes,
                ..
            } => {
                if protocol.is_some() || endpoint.is_some() {
                    self.is_set_up_otherwise();
                }
                if let Some(name) = name {
                    self.name = name;
                }
                self.description = description.or_else(|| self.description.take());
                self.protocol = protocol.unwrap_or(self.protocol);
                self.endpoint = endpoint.or_else(|| self.endpoint.take());
                self.country_code = country_code.or_else(|| self.country_code.take());
                self.notes = notes.or_else(|| self.notes.take());
            }
            Event::CredentialsChanged { present, .. } => {
                self.has_credentials = present;
                self.is_set_up_otherwise();
            }
            Event::Enabled { .. } => self.enabled = true,
            Event::Disabled { .. } => self.enabled = false,
            Event::HealthChanged { healthy, .. } => {
                self.health = match healthy {
                    true => Health::Healthy,
                    false => Health::Unhealthy,
                };
            }
            Event::Deleted { .. } => self.deleted = true,
        }
    }
}

#[cfg(test)]
mod tests;
