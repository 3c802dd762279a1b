//! Records what a check of a proxy came to, or a run found out about it, where that is news.

use super::{Error, Event, Health, Proxy};

/// Records a check, or what a run found out by the pages that it fetched.
#[derive(Clone, Debug)]
pub struct RecordCheck {
    /// What was checked, as [`Proxy::setup`] said when the check began: one of another setup says nothing any more.
    pub setup: u64,
    /// Whether a page came through.
    pub healthy: bool,
    /// The kind of fault, where there was one.
    pub reason: Option<String>,
    /// The fault in words.
    pub detail: Option<String>,
    /// How long a check took, milliseconds.
    pub latency_ms: Option<u32>,
}

impl RecordCheck {
    pub(super) fn decide(self, proxy: &Proxy) -> Result<Vec<Event>, Error> {
        let owner = proxy.owner().ok_or(Error::NotFound)?;
        let found = match self.healthy {
            true => Health::Healthy,
            false => Health::Unhealthy,
        };
        if self.setup != proxy.setup || proxy.health == found {
            return Ok(Vec::new());
        }
        Ok(vec![Event::HealthChanged {
            owner,
            healthy: self.healthy,
            reason: self.reason,
            detail: self.detail,
            latency_ms: self.latency_ms,
        }])
    }
}
