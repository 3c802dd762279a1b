//! The suppression list: whom no engine may send anything to.
//!
//! Each entry is a stream of its own, named by what it says ([`Target::id`]), so that the same entry cannot be there twice,
//! and one that was removed and added again keeps its history. Commands come from administrators; the list is the
//! installation's, whoever added to it.

mod add;
mod error;
mod event;
mod remove;
mod target;
#[cfg(test)]
mod tests;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    add::{Add, MAX_NOTE, MAX_REASON, check_texts},
    error::Error,
    event::Event,
    remove::Remove,
    target::{Kind, Target, UnknownKind},
};

/// What can be asked of an entry.
#[derive(Clone, Debug)]
pub enum Command {
    /// Puts it on the list.
    Add(Add),
    /// Takes it off the list.
    Remove(Remove),
}

/// The state of an entry.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Entry {
    version: u64,
    listed: Option<Listed>,
}

/// What an entry says while it is on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Who is left alone.
    pub target: Target,
    /// Why.
    pub reason: String,
    /// What else is to be known.
    pub note: Option<String>,
    /// Who added it.
    pub added_by: crate::ids::UserId,
}

impl Entry {
    /// Counts the events of the stream; what `If-Match` is compared with.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns what the entry says; nothing where it is not on the list.
    #[must_use]
    pub const fn listed(&self) -> Option<&Listed> {
        self.listed.as_ref()
    }
}

impl Aggregate for Entry {
    const TYPE: &'static str = "suppression_entry";
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
        let event = match command {
            Command::Add(command) => command.decide(self)?,
            Command::Remove(command) => command.decide(self)?,
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.version = self.version.saturating_add(1);
        self.listed = match event {
            Event::AddedToSuppressionList {
                target,
                reason,
                note,
                added_by,
            } => Some(Listed {
                target,
                reason,
                note,
                added_by,
            }),
            Event::RemovedFromSuppressionList { .. } => None,
        };
    }
}
