//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::{ids::RuleId, testing::given};

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn rule(id: u128, pattern: &str) -> Rule {
    Rule::text(RuleId(Uuid::from_u128(id)), pattern)
}

fn created() -> Event {
    Event::Created {
        owner: owner(),
        name: "telecom".to_owned(),
        description: None,
        rules: vec![rule(1, "fibre"), rule(2, "telecom")],
        enabled: true,
    }
}

fn create(rules: Vec<Rule>) -> Command {
    Command::Create(Create {
        owner: owner(),
        name: "telecom".to_owned(),
        description: None,
        rules,
        enabled: true,
    })
}

fn replace(rules: Vec<Rule>) -> Command {
    Command::Change(Change {
        rules: Some(rules),
        ..Change::default()
    })
}

#[test]
fn a_set_is_created_once() {
    let rules = vec![rule(1, "fibre"), rule(2, "telecom")];
    given::<KeywordSet>([])
        .when(create(rules.clone()))
        .then_expect_events(vec![created()]);
    given::<KeywordSet>([created()])
        .when(create(rules))
        .then_expect_error(Error::Exists);
}

#[test]
fn a_regex_that_does_not_compile_is_refused_when_it_is_saved() {
    let broken = Rule {
        rule_type: RuleType::Regex,
        ..rule(3, "[a-")
    };
    for (history, command) in [
        (vec![], create(vec![rule(1, "fibre"), broken.clone()])),
        (
            vec![created()],
            replace(vec![rule(1, "fibre"), broken.clone()]),
        ),
    ] {
        let refusal = given::<KeywordSet>(history).when(command).inspect_result();
        assert!(
            matches!(refusal, Err(Error::Invalid { field, .. }) if field == "rules[1].pattern")
        );
    }
}

#[test]
fn a_rule_that_stays_keeps_its_id() {
    given::<KeywordSet>([created()])
        .when(replace(vec![rule(11, "telecom"), rule(12, "cable")]))
        .then_expect_events(vec![Event::RulesReplaced {
            owner: owner(),
            rules: vec![rule(2, "telecom"), rule(12, "cable")],
        }]);
}

#[test]
fn a_change_that_changes_nothing_records_nothing() {
    given::<KeywordSet>([created()])
        .when(replace(vec![rule(11, "fibre"), rule(12, "telecom")]))
        .then_expect_events(vec![]);
}

#[test]
fn of_two_equal_rules_each_keeps_its_own_id() {
    let twice = Event::RulesReplaced {
        owner: owner(),
        rules: vec![rule(1, "fibre"), rule(2, "fibre")],
    };
    given::<KeywordSet>([created(), twice])
        .when(replace(vec![
            rule(11, "fibre"),
            rule(12, "fibre"),
            rule(13, "fibre"),
        ]))
        .then_expect_events(vec![Event::RulesReplaced {
            owner: owner(),
            rules: vec![rule(1, "fibre"), rule(2, "fibre"), rule(13, "fibre")],
        }]);
}

#[test]
fn name_and_switch_change_on_their_own() {
    let change = Change {
        name: Some("fibre".to_owned()),
        enabled: Some(false),
        ..Change::default()
    };
    given::<KeywordSet>([created()])
        .when(Command::Change(change))
        .then_expect_events(vec![
            Event::Changed {
                owner: owner(),
                name: Some("fibre".to_owned()),
                description: None,
            },
            Event::Disabled { owner: owner() },
        ]);
    let enable = Change {
        enabled: Some(true),
        ..Change::default()
    };
    given::<KeywordSet>([created(), Event::Disabled { owner: owner() }])
        .when(Command::Change(enable))
        .then_expect_events(vec![Event::Enabled { owner: owner() }]);
}

#[test]
fn a_set_that_is_gone_or_never_was_takes_no_commands() {
    let deleted = Event::Deleted { owner: owner() };
    given::<KeywordSet>([created()])
        .when(Command::Delete(Delete))
        .then_expect_events(vec![deleted.clone()]);
    for history in [vec![], vec![created(), deleted]] {
        for command in [replace(vec![]), Command::Delete(Delete)] {
            given::<KeywordSet>(history.clone())
                .when(command)
                .then_expect_error(Error::NotFound);
        }
    }
}
