//! Sets how counters are held against their rows.

use super::{Error, Event, Reconciliation, Settings};

/// Sets how counters are held against their rows: all of it at once, so that what is absent is taken back.
#[derive(Clone, Copy, Debug)]
pub struct ChangeReconciliation {
    /// What is to be set.
    pub reconciliation: Reconciliation,
}

impl ChangeReconciliation {
    pub(super) fn decide(self, settings: &Settings) -> Result<Option<Event>, Error> {
        let reconciliation = self.reconciliation;
        reconciliation.check()?;
        let is_new = settings.reconciliation != reconciliation;
        Ok(is_new.then_some(Event::ReconciliationChanged { reconciliation }))
    }
}
