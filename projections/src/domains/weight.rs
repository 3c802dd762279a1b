//! How many rows a campaign's event makes or changes, read from its payload without decoding all of it.

use aggregates::campaign::Phase;
use event_store::Recorded;
use serde::{Deserialize, de::IgnoredAny};

/// Of an event that changes every row of its campaign, however many: a page ends with it.
const WHOLE_CAMPAIGN: u32 = u32::MAX;

/// What the events that touch many rows say of their number.
#[derive(Deserialize)]
enum Sized {
    DomainsGenerated { names: u64 },
    DomainsImported { names: Vec<IgnoredAny> },
    DomainsTaken { names: Vec<IgnoredAny> },
    PhaseStarted { phase: Phase, run_number: u32 },
    Deleted {},
}

/// Returns how many rows an event is. One that does not decode counts as one: applying it says what is wrong.
pub(super) fn weight(event: &Recorded) -> u32 {
    if event.aggregate_type != "campaign" || !super::rows::concerns(&event.event_type) {
        return 1;
    }
    let rows = match serde_json::from_str(&event.payload) {
        Ok(Sized::DomainsGenerated { names }) => u32::try_from(names),
        Ok(Sized::DomainsImported { names } | Sized::DomainsTaken { names }) => {
            u32::try_from(names.len())
        }
        Ok(Sized::PhaseStarted { phase, run_number })
            if run_number > 1 && phase != Phase::Discovery =>
        {
            return WHOLE_CAMPAIGN;
        }
        Ok(Sized::Deleted {}) => return WHOLE_CAMPAIGN,
        Ok(Sized::PhaseStarted { .. }) | Err(_) => return 1,
    };
    rows.unwrap_or(WHOLE_CAMPAIGN).max(1)
}
