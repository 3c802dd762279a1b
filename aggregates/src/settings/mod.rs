//! What administrators set for the whole installation while it runs.
//!
//! There is one stream of them ([`STREAM`]), so that one version tells whether anybody changed anything. A setting that
//! was never made is as each node was started with, and so is one that was taken back.

mod change_politeness;
mod change_reconciliation;
mod change_request_limits;
mod change_stealth;
mod error;
mod event;
mod politeness;
mod reconciliation;
mod request_limits;
#[cfg(test)]
mod tests;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    change_politeness::ChangePoliteness, change_reconciliation::ChangeReconciliation,
    change_request_limits::ChangeRequestLimits, change_stealth::ChangeStealth, error::Error,
    event::Event, politeness::Politeness, reconciliation::Reconciliation,
    request_limits::RequestLimits,
};

/// The aggregate id of the one stream.
pub const STREAM: &str = "installation";

/// What can be asked of the settings.
#[derive(Clone, Debug)]
pub enum Command {
    /// Sets how counters are held against their rows.
    ChangeReconciliation(ChangeReconciliation),
    /// Sets how often sites are asked.
    ChangePoliteness(ChangePoliteness),
    /// Sets how much one may ask for.
    ChangeRequestLimits(ChangeRequestLimits),
    /// Sets whether names are asked for in no order and at no rhythm.
    ChangeStealth(ChangeStealth),
}

/// What is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    version: u64,
    politeness: Politeness,
    reconciliation: Reconciliation,
    request_limits: RequestLimits,
    stealth: bool,
}

impl Settings {
    /// Counts the events of the stream; what `If-Match` is compared with.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns how counters are held against their rows, as far as that was set.
    #[must_use]
    pub const fn reconciliation(&self) -> Reconciliation {
        self.reconciliation
    }

    /// Returns how often sites are asked, as far as that was set.
    #[must_use]
    pub const fn politeness(&self) -> Politeness {
        self.politeness
    }

    /// Returns how much one may ask for, as far as that was set.
    #[must_use]
    pub const fn request_limits(&self) -> RequestLimits {
        self.request_limits
    }

    /// Tells whether names are asked for in no order and at no rhythm.
    #[must_use]
    pub const fn stealth(&self) -> bool {
        self.stealth
    }
}

impl Aggregate for Settings {
    const TYPE: &'static str = "settings";
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
            Command::ChangeReconciliation(command) => command.decide(self)?,
            Command::ChangePoliteness(command) => command.decide(self)?,
            Command::ChangeRequestLimits(command) => command.decide(self)?,
            Command::ChangeStealth(command) => command.decide(self),
        };
        if let Some(event) = event {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.version = self.version.saturating_add(1);
        match event {
            Event::ReconciliationChanged { reconciliation } => self.reconciliation = reconciliation,
            Event::PolitenessChanged { politeness } => self.politeness = politeness,
            Event::RequestLimitsChanged { limits } => self.request_limits = limits,
            Event::StealthChanged { enabled } => self.stealth = enabled,
        }
    }
}
