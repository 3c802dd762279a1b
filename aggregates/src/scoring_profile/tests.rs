//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::{scoring, testing::given};

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn weights(pairs: &[(&str, f64)]) -> BTreeMap<String, f64> {
    pairs
        .iter()
        .map(|&(name, weight)| (name.to_owned(), weight))
        .collect()
}

fn created() -> Event {
    Event::Created {
        owner: owner(),
        name: "fresh".to_owned(),
        description: None,
        weights: weights(&[("freshness", 2.0)]),
    }
}

fn create(weights: BTreeMap<String, f64>) -> Command {
    Command::Create(Create {
        owner: owner(),
        name: "fresh".to_owned(),
        description: None,
        weights,
    })
}

#[test]
fn a_profile_is_created_once_with_the_weights_as_given() {
    let given_weights = weights(&[("freshness", 2.0)]);
    given::<ScoringProfile>([])
        .when(create(given_weights.clone()))
        .then_expect_events(vec![created()]);
    given::<ScoringProfile>([created()])
        .when(create(given_weights))
        .then_expect_error(Error::Exists);
}

#[test]
fn an_unknown_weight_is_refused_by_name() {
    let unknown = Error::Weights(scoring::Error::UnknownWeight("luck".to_owned()));
    assert_eq!(unknown.field().as_deref(), Some("weights.luck"));
    given::<ScoringProfile>([])
        .when(create(weights(&[("luck", 1.0)])))
        .then_expect_error(unknown.clone());
    let change = Change {
        weights: Some(weights(&[("luck", 1.0)])),
        ..Change::default()
    };
    given::<ScoringProfile>([created()])
        .when(Command::Change(change))
        .then_expect_error(unknown);
}

#[test]
fn a_change_names_the_version_that_it_saw() {
    let change = |expected_version, name: &str| {
        Command::Change(Change {
            expected_version,
            name: Some(name.to_owned()),
            ..Change::default()
        })
    };
    let changed = Event::Changed {
        owner: owner(),
        name: Some("new".to_owned()),
        description: None,
        weights: None,
    };
    given::<ScoringProfile>([created()])
        .when(change(Some(1), "new"))
        .then_expect_events(vec![changed.clone()]);
    given::<ScoringProfile>([created(), changed.clone()])
        .when(change(Some(1), "newer"))
        .then_expect_error(Error::VersionMismatch {
            expected: 1,
            current: 2,
        });
    given::<ScoringProfile>([created(), changed])
        .when(change(None, "new"))
        .then_expect_events(vec![]);
}

#[test]
fn a_profile_that_is_gone_or_never_was_takes_no_commands() {
    let deleted = Event::Deleted { owner: owner() };
    given::<ScoringProfile>([created()])
        .when(Command::Delete(Delete::default()))
        .then_expect_events(vec![deleted.clone()]);
    for history in [vec![], vec![created(), deleted]] {
        for command in [
            Command::Change(Change::default()),
            Command::Delete(Delete::default()),
        ] {
            given::<ScoringProfile>(history.clone())
                .when(command)
                .then_expect_error(Error::NotFound);
        }
    }
}
