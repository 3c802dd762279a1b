//! Keyword sets: the rules that pages are searched with.
//!
//! Commands come from the API. A rule that cannot be searched with is refused by its place in the request, so that no run
//! finds out later: here for what it says (an empty pattern, a regular expression that cannot be read), and before the
//! command for what only compiling tells, which takes too long to decide by. Runs pin a copy of the rules.
//! A rule that a change leaves as it was keeps its id, so that finds of different runs can be compared by rule.

mod change;
mod create;
mod delete;
mod error;
mod event;
mod rule;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    change::Change,
    create::Create,
    delete::Delete,
    error::Error,
    event::Event,
    rule::{
        DEFAULT_CONTEXT_CHARS, MAX_CONTEXT_CHARS, MAX_PATTERN_CHARS, MAX_RULES, Rule, RuleType,
        check_rules,
    },
};
use crate::ids::UserId;

/// What can be asked of a keyword set.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes the set.
    Create(Create),
    /// Changes it, or switches it on or off.
    Change(Change),
    /// Deletes it.
    Delete(Delete),
}

/// The state of a keyword set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeywordSet {
    version: u64,
    owner: Option<UserId>,
    name: String,
    description: Option<String>,
    rules: Vec<Rule>,
    enabled: bool,
    deleted: bool,
}

impl KeywordSet {
    /// Counts the events of the stream; what `If-Match` is compared with.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns whose set it is, or nothing where there is none.
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

    /// Returns its rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Says whether phases may use it.
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled && !self.deleted
    }
}

impl Aggregate for KeywordSet {
    const TYPE: &'static str = "keyword_set";
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
                rules,
                enabled,
            } => {
                self.owner = Some(owner);
                self.name = name;
                self.description = description;
                self.rules = rules;
                self.enabled = enabled;
            }
            Event::Changed {
                name, description, ..
            } => {
                if let Some(name) = name {
                    self.name = name;
                }
                self.description = description.or_else(|| self.description.take());
            }
            Event::RulesReplaced { rules, .. } => self.rules = rules,
            Event::Enabled { .. } => self.enabled = true,
            Event::Disabled { .. } => self.enabled = false,
            Event::Deleted { .. } => self.deleted = true,
        }
    }
}

#[cfg(test)]
mod tests;
