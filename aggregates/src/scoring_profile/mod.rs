//! Scoring profiles: named weights for the components of a score.
//!
//! Commands come from the API. Weights that mean nothing (an unknown component, a negative number, all 0) are refused by
//! name. The weights are kept as they were given and normalised when a run pins them. Two people who edit one profile
//! meet in its version: a change that names the version it saw never overwrites another's.

mod change;
mod create;
mod delete;
mod error;
mod event;

use std::collections::BTreeMap;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{change::Change, create::Create, delete::Delete, error::Error, event::Event};
use crate::ids::UserId;

/// What can be asked of a scoring profile.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes the profile.
    Create(Create),
    /// Changes it.
    Change(Change),
    /// Deletes it.
    Delete(Delete),
}

/// The state of a scoring profile.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScoringProfile {
    version: u64,
    owner: Option<UserId>,
    name: String,
    description: Option<String>,
    weights: BTreeMap<String, f64>,
    deleted: bool,
}

impl ScoringProfile {
    /// Counts the events of the stream: 1 for a new profile, one more with each change.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns whose profile it is, or nothing where there is none.
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

    /// Returns its weights as they were given.
    #[must_use]
    pub const fn weights(&self) -> &BTreeMap<String, f64> {
        &self.weights
    }

    /// Refuses commands on what is not there, or is not as the caller saw it; returns the owner.
    fn must_be_at(&self, expected: Option<u64>) -> Result<UserId, Error> {
        let owner = self.owner().ok_or(Error::NotFound)?;
        match expected {
            Some(expected) if expected != self.version => Err(Error::VersionMismatch {
                expected,
                current: self.version,
            }),
            _ => Ok(owner),
        }
    }
}

impl Aggregate for ScoringProfile {
    const TYPE: &'static str = "scoring_profile";
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
                weights,
            } => {
                self.owner = Some(owner);
                self.name = name;
                self.description = description;
                self.weights = weights;
            }
            Event::Changed {
                name,
                description,
                weights,
                ..
            } => {
                if let Some(name) = name {
                    self.name = name;
                }
                self.description = description.or_else(|| self.description.take());
                if let Some(weights) = weights {
                    self.weights = weights;
                }
            }
            Event::Deleted { .. } => self.deleted = true,
        }
    }
}

#[cfg(test)]
mod tests;
