//! Pools of proxies: which proxies a phase goes through, and how it chooses among them.
//!
//! Commands come from the API. Members are kept in the order in which they were added, which is the order of
//! `failover`. A proxy that was deleted stays in the streams of its pools and is none of theirs any more: whoever reads
//! a pool asks for its proxies. Runs pin a copy, so changing or deleting a pool changes no run under way.

mod change;
mod create;
mod delete;
mod error;
mod event;
mod members;
mod settings;
mod strategy;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    change::{Change, SettingsChange},
    create::Create,
    delete::Delete,
    error::Error,
    event::Event,
    members::{AddProxy, MAX_MEMBERS, MAX_WEIGHT, Member, RemoveProxy},
    settings::Settings,
    strategy::{Strategy, UnknownStrategy},
};
use crate::ids::{ProxyId, UserId};

/// What can be asked of a pool.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes the pool.
    Create(Create),
    /// Changes it.
    Change(Change),
    /// Adds a proxy, or gives it another weight.
    AddProxy(AddProxy),
    /// Takes a proxy out.
    RemoveProxy(RemoveProxy),
    /// Deletes it.
    Delete(Delete),
}

/// The state of a pool.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProxyPool {
    owner: Option<UserId>,
    name: String,
    description: Option<String>,
    settings: Settings,
    members: Vec<Member>,
    deleted: bool,
}

impl ProxyPool {
    /// Returns whose pool it is, or nothing where there is none.
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

    /// Returns how it works.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the proxies in the order in which they were added, those included that were deleted since.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns the weight of a proxy; nothing where it is none of the pool's.
    #[must_use]
    pub fn weight_of(&self, proxy_id: ProxyId) -> Option<u32> {
        let found = self.members.iter().find(|one| one.proxy_id == proxy_id);
        found.map(|member| member.weight)
    }

    fn add(&mut self, added: Member) {
        let known = self
            .members
            .iter_mut()
            .find(|known| known.proxy_id == added.proxy_id);
        match known {
            Some(known) => known.weight = added.weight,
            None => self.members.push(added),
        }
    }
}

impl Aggregate for ProxyPool {
    const TYPE: &'static str = "proxy_pool";
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
            Command::AddProxy(command) => command.decide(self)?,
            Command::RemoveProxy(command) => command.decide(self)?,
            Command::Delete(command) => command.decide(self)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Created {
                owner,
                name,
                description,
                settings,
            } => {
                self.owner = Some(owner);
                self.name = name;
                self.description = description;
                self.settings = settings;
            }
            Event::Changed {
                name,
                description,
                settings,
                ..
            } => {
                if let Some(name) = name {
                    self.name = name;
                }
                self.description = description.or_else(|| self.description.take());
                if let Some(settings) = settings {
                    self.settings = settings;
                }
            }
            Event::ProxyAdded {
                proxy_id, weight, ..
            } => self.add(Member { proxy_id, weight }),
            Event::ProxyRemoved { proxy_id, .. } => {
                self.members.retain(|member| member.proxy_id != proxy_id);
            }
            Event::Deleted { .. } => self.deleted = true,
        }
    }
}

#[cfg(test)]
mod tests;
