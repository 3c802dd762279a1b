//! Sets whether names are asked for in no order and at no rhythm.

use super::{Event, Settings};

/// Sets whether names are asked for in no order and at no rhythm.
#[derive(Clone, Copy, Debug)]
pub struct ChangeStealth {
    /// Whether they are to be.
    pub enabled: bool,
}

impl ChangeStealth {
    pub(super) fn decide(self, settings: &Settings) -> Option<Event> {
        let enabled = self.enabled;
        (settings.stealth != enabled).then_some(Event::StealthChanged { enabled })
    }
}
