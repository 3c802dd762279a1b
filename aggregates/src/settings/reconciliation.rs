//! How counters are held against their rows.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::Error;

/// How counters are held against their rows, as far as it is set; what is absent is as each node was started with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Whether they are at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Minutes from the end of one look at all counters to the beginning of the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_minutes: Option<u32>,
    /// Percent of a campaign's domains; what is counted wrongly beyond it is a drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_threshold_pct: Option<f64>,
    /// Whether a drift is put right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_correct: Option<bool>,
    /// How many counters one look puts right at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_corrections_per_run: Option<u32>,
}

impl Reconciliation {
    /// Minutes between two looks: up to a year.
    pub const INTERVAL_MINUTES: RangeInclusive<u32> = 1..=525_600;
    /// Percent of a campaign's domains.
    pub const THRESHOLD_PCT: RangeInclusive<f64> = 0.0..=100.0;
    /// Counters that one look puts right.
    pub const CORRECTIONS: RangeInclusive<u32> = 1..=1_000_000;

    /// Checks what is set.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the field.
    pub fn check(&self) -> Result<(), Error> {
        let whole = |field, value: Option<u32>, range: RangeInclusive<u32>| match value {
            Some(value) if !range.contains(&value) => Err(outside(field, &range)),
            _ => Ok(()),
        };
        whole(
            "intervalMinutes",
            self.interval_minutes,
            Self::INTERVAL_MINUTES,
        )?;
        whole(
            "maxCorrectionsPerRun",
            self.max_corrections_per_run,
            Self::CORRECTIONS,
        )?;
        match self.drift_threshold_pct {
            Some(percent) if !Self::THRESHOLD_PCT.contains(&percent) => {
                Err(outside("driftThresholdPct", &Self::THRESHOLD_PCT))
            }
            _ => Ok(()),
        }
    }
}

pub(super) fn outside<T: std::fmt::Display>(
    field: &'static str,
    range: &RangeInclusive<T>,
) -> Error {
    let (least, most) = (range.start(), range.end());
    Error::invalid(field, format!("must be from {least} to {most}"))
}
