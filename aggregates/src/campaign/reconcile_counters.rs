//! Notes that counters of the campaign's domains were put right.

use super::{Campaign, Error, Event};

/// Notes that counters which were not the recount of their rows were put right.
#[derive(Clone, Copy, Debug)]
pub struct ReconcileCounters {
    /// How many counters of the campaign were wrong.
    pub drift_count: u64,
    /// How many of them were put right.
    pub corrections: u64,
}

impl ReconcileCounters {
    pub(super) fn decide(self, campaign: &Campaign) -> Result<Vec<Event>, Error> {
        campaign.must_exist()?;
        if self.corrections == 0 {
            return Ok(Vec::new());
        }
        Ok(vec![Event::CountersReconciled {
            drift_count: self.drift_count,
            corrections: self.corrections,
        }])
    }
}
