//! Personas: how the engines ask over DNS and fetch over HTTP, as somebody configured it.
//!
//! Commands come from the API. A configuration that an engine cannot honour is refused here, by field, when it is
//! saved; what is stored can be run. Runs pin a copy, so changing or deleting a persona changes no run under way. The
//! configurations keep the wire's camelCase names, so that they are stored and answered as they are. They are kept in
//! the log and must hold no credentials.

mod change;
mod config;
mod create;
mod delete;
mod dns;
mod error;
mod event;
mod http;
mod http_checks;
mod resolver;
mod robots;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    change::Change,
    config::{Config, Kind},
    create::Create,
    delete::Delete,
    dns::{DnsConfig, Strategy},
    error::Error,
    event::Event,
    http::{
        CookieHandling, CookieMode, DEFAULT_USER_AGENT, Http2Settings, HttpConfig, TlsClientHello,
        TlsVersion,
    },
    resolver::{Resolver, Server},
    robots::Robots,
};
use crate::ids::UserId;

/// What can be asked of a persona.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes the persona.
    Create(Create),
    /// Changes it, or switches it on or off.
    Change(Change),
    /// Deletes it.
    Delete(Delete),
}

/// The state of a persona.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Persona {
    version: u64,
    owner: Option<UserId>,
    name: String,
    description: Option<String>,
    config: Option<Config>,
    enabled: bool,
    deleted: bool,
}

impl Persona {
    /// Counts the events of the stream; what `If-Match` is compared with.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns whose persona it is, or nothing where there is none.
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

    /// Returns its configuration, or nothing where there is no persona.
    #[must_use]
    pub fn config(&self) -> Option<&Config> {
        self.config.as_ref().filter(|_| !self.deleted)
    }

    /// Says whether phases may use it.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled && !self.deleted
    }
}

impl Aggregate for Persona {
    const TYPE: &'static str = "persona";
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
                config,
                enabled,
            } => {
                self.owner = Some(owner);
                self.name = name;
                self.description = description;
                self.config = Some(config);
                self.enabled = enabled;
            }
            Event::Changed {
                name,
                description,
                config,
                ..
            } => {
                if let Some(name) = name {
                    self.name = name;
                }
                self.description = description.or_else(|| self.description.take());
                self.config = config.or_else(|| self.config.take());
            }
            Event::Enabled { .. } => self.enabled = true,
            Event::Disabled { .. } => self.enabled = false,
            Event::Deleted { .. } => self.deleted = true,
        }
    }
}

#[cfg(test)]
mod tests;
