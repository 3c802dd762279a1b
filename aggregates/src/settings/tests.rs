//! Given events, when a command comes, then these events or this refusal.

use super::*;
use crate::testing::{after, given};

const SET: Reconciliation = Reconciliation {
    enabled: Some(true),
    interval_minutes: Some(60),
    drift_threshold_pct: Some(0.5),
    auto_correct: Some(true),
    max_corrections_per_run: Some(10),
};

fn change(reconciliation: Reconciliation) -> Command {
    Command::ChangeReconciliation(ChangeReconciliation { reconciliation })
}

fn stealth(enabled: bool) -> Command {
    Command::ChangeStealth(ChangeStealth { enabled })
}

#[test]
fn a_change_is_noted_once_and_can_be_taken_back() {
    let changed = |reconciliation| Event::ReconciliationChanged { reconciliation };
    given::<Settings>([])
        .when(change(SET))
        .then_expect_events(vec![changed(SET)]);
    given::<Settings>([changed(SET)])
        .when(change(SET))
        .then_expect_events(vec![]);
    let nothing = Reconciliation::default();
    given::<Settings>([changed(SET)])
        .when(change(nothing))
        .then_expect_events(vec![changed(nothing)]);
    let limits = RequestLimits {
        requests_per_second: Some(7),
        ..RequestLimits::default()
    };
    let limited = Event::RequestLimitsChanged { limits };
    let command = Command::ChangeRequestLimits(ChangeRequestLimits { limits });
    given::<Settings>([])
        .when(command.clone())
        .then_expect_events(vec![limited.clone()]);
    given::<Settings>([limited])
        .when(command)
        .then_expect_events(vec![]);
    given::<Settings>([])
        .when(stealth(false))
        .then_expect_events(vec![]);
    given::<Settings>([])
        .when(stealth(true))
        .then_expect_events(vec![Event::StealthChanged { enabled: true }]);
}

#[test]
fn every_event_counts_and_changes_its_own_setting_alone() {
    let settings: Settings = after([
        Event::ReconciliationChanged {
            reconciliation: SET,
        },
        Event::StealthChanged { enabled: true },
    ]);
    assert_eq!(settings.version(), 2);
    assert_eq!(settings.reconciliation(), SET);
    assert!(settings.stealth());
}

#[test]
fn a_value_out_of_its_bounds_is_refused_by_its_field() {
    for (wrong, field) in [
        (
            Reconciliation {
                interval_minutes: Some(0),
                ..SET
            },
            "intervalMinutes",
        ),
        (
            Reconciliation {
                drift_threshold_pct: Some(-0.1),
                ..SET
            },
            "driftThresholdPct",
        ),
        (
            Reconciliation {
                drift_threshold_pct: Some(f64::NAN),
                ..SET
            },
            "driftThresholdPct",
        ),
        (
            Reconciliation {
                max_corrections_per_run: Some(0),
                ..SET
            },
            "maxCorrectionsPerRun",
        ),
    ] {
        let Err(Error::Invalid { field: blamed, .. }) = wrong.check() else {
            panic!("{wrong:?} is let through");
        };
        assert_eq!(blamed, field);
        let command = change(wrong);
        given::<Settings>([])
            .when(command)
            .inspect_result()
            .unwrap_err();
    }
    let many = RequestLimits {
        log_ins_per_minute: Some(1_000_001),
        ..RequestLimits::default()
    };
    let Err(Error::Invalid { field, .. }) = many.check() else {
        panic!("{many:?} is let through");
    };
    assert_eq!(field, "logInsPerMinute");
    let hasty = Politeness {
        domain_rate: Some(1_000.5),
        ..Politeness::default()
    };
    let Err(Error::Invalid { field, .. }) = hasty.check() else {
        panic!("{hasty:?} is let through");
    };
    assert_eq!(field, "domainRequestsPerSecond");
}

#[test]
fn a_change_of_how_often_sites_are_asked_is_noted_once() {
    let politeness = Politeness {
        address_rate: Some(0.5),
        ..Politeness::default()
    };
    let changed = Event::PolitenessChanged { politeness };
    let command = Command::ChangePoliteness(ChangePoliteness { politeness });
    given::<Settings>([])
        .when(command.clone())
        .then_expect_events(vec![changed.clone()]);
    given::<Settings>([changed])
        .when(command)
        .then_expect_events(vec![]);
}
