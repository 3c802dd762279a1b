//! How counters are held against their rows.

use std::time::Duration;

use aggregates::settings::Reconciliation;

/// How counters are held against their rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reconciling {
    /// Whether they are at all.
    pub enabled: bool,
    /// Minutes from the end of one look at all counters to the beginning of the next.
    pub interval_minutes: u32,
    /// Percent of a campaign's domains; what is counted wrongly beyond it is a drift.
    pub drift_threshold_pct: f64,
    /// Whether a drift is put right.
    pub auto_correct: bool,
    /// How many counters one look puts right at most.
    pub max_corrections_per_run: u32,
}

impl Default for Reconciling {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_minutes: 1_440,
            drift_threshold_pct: 0.0001,
            auto_correct: false,
            max_corrections_per_run: 5_000,
        }
    }
}

impl Reconciling {
    /// Returns the interval.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_secs(60 * self.interval_minutes as u64)
    }

    /// Puts what is set over what is not.
    #[must_use]
    pub(super) fn with(self, set: Reconciliation) -> Self {
        Self {
            enabled: set.enabled.unwrap_or(self.enabled),
            interval_minutes: set.interval_minutes.unwrap_or(self.interval_minutes),
            drift_threshold_pct: set.drift_threshold_pct.unwrap_or(self.drift_threshold_pct),
            auto_correct: set.auto_correct.unwrap_or(self.auto_correct),
            max_corrections_per_run: set
                .max_corrections_per_run
                .unwrap_or(self.max_corrections_per_run),
        }
    }
}
