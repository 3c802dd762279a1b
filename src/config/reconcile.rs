//! How counters are held against their rows, where no administrator says otherwise.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use aggregates::settings::Reconciliation;
use clap::{ArgAction, Args};

use crate::installation::Reconciling;

/// How counters are held against their rows, where no administrator says otherwise.
#[derive(Args, Clone, Copy, Debug)]
pub struct ReconcileArgs {
    /// Hold the counters of campaigns against their domains on a schedule
    #[arg(long = "reconciliation", env = "DOMAINFLOW_RECONCILIATION", value_name = "true|false", action = ArgAction::Set, default_value_t = Reconciling::default().enabled)]
    pub enabled: bool,
    /// Minutes from the end of one look to the next, 1 to 525600
    #[arg(long = "reconciliation-interval-minutes", env = "DOMAINFLOW_RECONCILIATION_INTERVAL_MINUTES", value_name = "NUMBER", default_value_t = Reconciling::default().interval_minutes, value_parser = interval)]
    pub interval_minutes: u32,
    /// Percent of a campaign's domains that may be counted wrongly before it is a drift, 0 to 100
    #[arg(long = "reconciliation-drift-threshold-pct", env = "DOMAINFLOW_RECONCILIATION_DRIFT_THRESHOLD_PCT", value_name = "NUMBER", default_value_t = Reconciling::default().drift_threshold_pct, value_parser = percent)]
    pub drift_threshold_pct: f64,
    /// Put drifted counters right
    #[arg(long = "reconciliation-auto-correct", env = "DOMAINFLOW_RECONCILIATION_AUTO_CORRECT", value_name = "true|false", action = ArgAction::Set, default_value_t = Reconciling::default().auto_correct)]
    pub auto_correct: bool,
    /// Counters that one look puts right at most, 1 to 1000000
    #[arg(long = "reconciliation-max-corrections", env = "DOMAINFLOW_RECONCILIATION_MAX_CORRECTIONS", value_name = "NUMBER", default_value_t = Reconciling::default().max_corrections_per_run, value_parser = corrections)]
    pub max_corrections_per_run: u32,
}

impl ReconcileArgs {
    /// Returns what the process is started with.
    #[must_use]
    pub const fn reconciling(&self) -> Reconciling {
        Reconciling {
            enabled: self.enabled,
            interval_minutes: self.interval_minutes,
            drift_threshold_pct: self.drift_threshold_pct,
            auto_correct: self.auto_correct,
            max_corrections_per_run: self.max_corrections_per_run,
        }
    }
}

fn interval(text: &str) -> Result<u32, String> {
    within(text, &Reconciliation::INTERVAL_MINUTES)
}

fn percent(text: &str) -> Result<f64, String> {
    within(text, &Reconciliation::THRESHOLD_PCT)
}

fn corrections(text: &str) -> Result<u32, String> {
    within(text, &Reconciliation::CORRECTIONS)
}

fn within<T>(text: &str, range: &RangeInclusive<T>) -> Result<T, String>
where
    T: FromStr + PartialOrd + Display,
{
    match text.trim().parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(format!(
            "must be a number from {} to {}",
            range.start(),
            range.end()
        )),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        reconcile: ReconcileArgs,
    }

    fn reconciling(arguments: &[&str]) -> Result<Reconciling, clap::Error> {
        let line = Line::try_parse_from([&["domainflow"][..], arguments].concat())?;
        Ok(line.reconcile.reconciling())
    }

    #[test]
    fn each_setting_is_an_option_and_what_is_not_said_stands() {
        assert_eq!(reconciling(&[]).unwrap(), Reconciling::default());
        let said = [
            "--reconciliation=false",
            "--reconciliation-interval-minutes=5",
            "--reconciliation-drift-threshold-pct=0.5",
            "--reconciliation-auto-correct=true",
            "--reconciliation-max-corrections=7",
        ];
        let expected = Reconciling {
            enabled: false,
            interval_minutes: 5,
            drift_threshold_pct: 0.5,
            auto_correct: true,
            max_corrections_per_run: 7,
        };
        assert_eq!(reconciling(&said).unwrap(), expected);
    }

    #[test]
    fn a_number_out_of_its_bounds_is_refused_by_its_name() {
        for wrong in [
            "--reconciliation-interval-minutes=0",
            "--reconciliation-interval-minutes=soon",
            "--reconciliation-drift-threshold-pct=101",
            "--reconciliation-drift-threshold-pct=NaN",
            "--reconciliation-max-corrections=0",
        ] {
            let refused = reconciling(&[wrong]).unwrap_err().to_string();
            let name = wrong.split('=').next().unwrap();
            assert!(refused.contains(name), "{refused}");
        }
    }
}
