//! Sets how often sites are asked.

use super::{Error, Event, Politeness, Settings};

/// Sets how often sites are asked: all of it at once, so that what is absent is taken back.
#[derive(Clone, Copy, Debug)]
pub struct ChangePoliteness {
    /// What is to be set.
    pub politeness: Politeness,
}

impl ChangePoliteness {
    pub(super) fn decide(self, settings: &Settings) -> Result<Option<Event>, Error> {
        let politeness = self.politeness;
        politeness.check()?;
        let is_new = settings.politeness != politeness;
        Ok(is_new.then_some(Event::PolitenessChanged { politeness }))
    }
}
