//! Sets how much one may ask for.

use super::{Error, Event, RequestLimits, Settings};

/// Sets how much one may ask for: all of it at once, so that what is absent is taken back.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRequestLimits {
    /// What is to be set.
    pub limits: RequestLimits,
}

impl ChangeRequestLimits {
    pub(super) fn decide(self, settings: &Settings) -> Result<Option<Event>, Error> {
        let limits = self.limits;
        limits.check()?;
        let is_new = settings.request_limits != limits;
        Ok(is_new.then_some(Event::RequestLimitsChanged { limits }))
    }
}
