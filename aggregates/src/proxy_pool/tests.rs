//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::testing::{after, given};

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn proxy(id: usize) -> ProxyId {
    ProxyId(Uuid::from_u128(id as u128))
}

fn created() -> Event {
    Event::Created {
        owner: owner(),
        name: "office".to_owned(),
        description: None,
        settings: Settings::default(),
    }
}

fn create(settings: Settings) -> Command {
    Command::Create(Create {
        owner: owner(),
        name: "office".to_owned(),
        description: None,
        settings,
    })
}

fn add(id: usize, weight: u32) -> Command {
    Command::AddProxy(AddProxy {
        proxy_id: proxy(id),
        weight,
    })
}

fn added(id: usize, weight: u32) -> Event {
    Event::ProxyAdded {
        owner: owner(),
        proxy_id: proxy(id),
        weight,
    }
}

fn remove(id: usize) -> Command {
    Command::RemoveProxy(RemoveProxy {
        proxy_id: proxy(id),
    })
}

fn removed(id: usize) -> Event {
    Event::ProxyRemoved {
        owner: owner(),
        proxy_id: proxy(id),
    }
}

#[test]
fn a_pool_is_created_once() {
    given::<ProxyPool>([])
        .when(create(Settings::default()))
        .then_expect_events(vec![created()]);
    given::<ProxyPool>([created()])
        .when(create(Settings::default()))
        .then_expect_error(Error::Exists);
}

#[test]
fn a_setting_outside_its_bounds_is_named_when_it_is_made_and_when_it_is_changed() {
    type Case = (
        &'static str,
        fn(&mut Settings, u32),
        fn(&mut SettingsChange, u32),
        [u32; 4],
    );
    let cases: [Case; 3] = [
        (
            "healthCheckIntervalSeconds",
            |s, n| s.health_check_interval_seconds = n,
            |c, n| c.health_check_interval_seconds = Some(n),
            [4, 5, 86_400, 86_401],
        ),
        (
            "maxRetries",
            |s, n| s.max_retries = n,
            |c, n| c.max_retries = Some(n),
            [11, 0, 10, u32::MAX],
        ),
        (
            "timeoutSeconds",
            |s, n| s.timeout_seconds = n,
            |c, n| c.timeout_seconds = Some(n),
            [0, 1, 120, 121],
        ),
    ];
    for (field, set, change, [below, least, most, above]) in cases {
        for (value, fits) in [(below, false), (least, true), (most, true), (above, false)] {
            let mut settings = Settings::default();
            set(&mut settings, value);
            let mut changed = Change::default();
            change(&mut changed.settings, value);
            for (history, command) in [
                (vec![], create(settings)),
                (vec![created()], Command::Change(changed)),
            ] {
                let decided = given::<ProxyPool>(history).when(command).inspect_result();
                let refused =
                    matches!(decided, Err(Error::Invalid { field: named, .. }) if named == field);
                assert_eq!((decided.is_ok(), refused), (fits, !fits), "{field} {value}");
            }
        }
    }
}

#[test]
fn a_change_leaves_what_it_does_not_name_and_records_nothing_where_nothing_changes() {
    let settings = SettingsChange {
        strategy: Some(Strategy::Failover),
        ..SettingsChange::default()
    };
    let change = |settings: SettingsChange, name: &str| {
        Command::Change(Change {
            name: Some(name.to_owned()),
            settings,
            ..Change::default()
        })
    };
    given::<ProxyPool>([created()])
        .when(change(settings, "office"))
        .then_expect_events(vec![Event::Changed {
            owner: owner(),
            name: None,
            description: None,
            settings: Some(Settings {
                strategy: Strategy::Failover,
                ..Settings::default()
            }),
        }]);
    given::<ProxyPool>([created()])
        .when(change(SettingsChange::default(), "office"))
        .then_expect_events(vec![]);
    let refused = given::<ProxyPool>([created()])
        .when(change(SettingsChange::default(), " "))
        .inspect_result();
    assert!(matches!(refused, Err(Error::Invalid { field: "name", .. })));
}

#[test]
fn a_proxy_is_in_a_pool_once_and_keeps_its_place_when_its_weight_changes() {
    given::<ProxyPool>([created(), added(1, 1)])
        .when(add(1, 1))
        .then_expect_events(vec![]);
    given::<ProxyPool>([created(), added(1, 1)])
        .when(add(1, 5))
        .then_expect_events(vec![added(1, 5)]);
    let pool: ProxyPool = after([created(), added(1, 1), added(2, 1), added(1, 5)]);
    let members: Vec<_> = pool
        .members()
        .iter()
        .map(|member| (member.proxy_id, member.weight))
        .collect();
    assert_eq!(members, [(proxy(1), 5), (proxy(2), 1)]);
}

#[test]
fn what_is_taken_out_must_be_in_the_pool() {
    given::<ProxyPool>([created(), added(1, 1)])
        .when(remove(1))
        .then_expect_events(vec![removed(1)]);
    for history in [vec![created()], vec![created(), added(1, 1), removed(1)]] {
        given::<ProxyPool>(history)
            .when(remove(1))
            .then_expect_error(Error::NoSuchMember);
    }
}

#[test]
fn weights_and_the_number_of_proxies_are_bounded() {
    for weight in [0, MAX_WEIGHT + 1] {
        let refused = given::<ProxyPool>([created()])
            .when(add(1, weight))
            .inspect_result();
        assert!(matches!(
            refused,
            Err(Error::Invalid {
                field: "weight",
                ..
            })
        ));
    }
    let full: Vec<Event> = [created()]
        .into_iter()
        .chain((0..MAX_MEMBERS).map(|id| added(id, 1)))
        .collect();
    given::<ProxyPool>(full.clone())
        .when(add(MAX_MEMBERS, 1))
        .then_expect_error(Error::Full);
    given::<ProxyPool>(full)
        .when(add(0, 2))
        .then_expect_events(vec![added(0, 2)]);
}

#[test]
fn a_pool_that_is_gone_or_never_was_takes_no_commands() {
    let deleted = Event::Deleted { owner: owner() };
    given::<ProxyPool>([created()])
        .when(Command::Delete(Delete))
        .then_expect_events(vec![deleted.clone()]);
    for history in [vec![], vec![created(), deleted]] {
        let commands = [
            Command::Change(Change::default()),
            add(1, 1),
            remove(1),
            Command::Delete(Delete),
        ];
        for command in commands {
            given::<ProxyPool>(history.clone())
                .when(command)
                .then_expect_error(Error::NotFound);
        }
    }
}
