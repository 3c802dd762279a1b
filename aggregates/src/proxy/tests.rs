//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::testing::{after, given};

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text).unwrap()
}

fn created() -> Event {
    Event::Created {
        owner: owner(),
        name: "office".to_owned(),
        description: None,
        protocol: Protocol::Http,
        endpoint: endpoint("proxy.example:3128"),
        country_code: Some("DE".to_owned()),
        notes: None,
        enabled: true,
    }
}

fn create() -> Create {
    Create {
        owner: owner(),
        name: "office".to_owned(),
        description: None,
        protocol: Protocol::Http,
        endpoint: endpoint("Proxy.example:3128"),
        country_code: Some("de".to_owned()),
        notes: None,
        enabled: true,
        with_credentials: false,
    }
}

fn credentials(present: bool) -> Event {
    Event::CredentialsChanged {
        owner: owner(),
        present,
    }
}

fn health(healthy: bool) -> Event {
    Event::HealthChanged {
        owner: owner(),
        healthy,
        reason: None,
        detail: None,
        latency_ms: None,
    }
}

fn check(setup: u64, healthy: bool) -> Command {
    Command::RecordCheck(RecordCheck {
        setup,
        healthy,
        reason: None,
        detail: None,
        latency_ms: None,
    })
}

fn refused_field(history: Vec<Event>, command: Command) -> &'static str {
    match given::<Proxy>(history).when(command).inspect_result() {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_proxy_is_created_once_and_says_whether_it_is_told_who_asks() {
    given::<Proxy>([])
        .when(Command::Create(create()))
        .then_expect_events(vec![created()]);
    let with_credentials = true;
    let command = Create {
        with_credentials,
        ..create()
    };
    given::<Proxy>([])
        .when(Command::Create(command))
        .then_expect_events(vec![created(), credentials(true)]);
    given::<Proxy>([created()])
        .when(Command::Create(create()))
        .then_expect_error(Error::Exists);
}

#[test]
fn a_field_that_cannot_be_kept_is_named() {
    let create = |change: fn(&mut Create)| {
        let mut command = create();
        change(&mut command);
        refused_field(vec![], Command::Create(command))
    };
    assert_eq!(create(|c| " ".clone_into(&mut c.name)), "name");
    assert_eq!(create(|c| c.name = "x".repeat(256)), "name");
    assert_eq!(
        create(|c| c.country_code = Some("DEU".to_owned())),
        "countryCode"
    );
    assert_eq!(
        create(|c| c.country_code = Some("ß".to_owned())),
        "countryCode"
    );
    assert_eq!(create(|c| c.notes = Some("x".repeat(10_001))), "notes");
    let change = Change {
        country_code: Some("1a".to_owned()),
        ..Change::default()
    };
    let refused = refused_field(vec![created()], Command::Change(change));
    assert_eq!(refused, "countryCode");
}

#[test]
fn a_change_says_what_is_other_than_before_and_nothing_else() {
    let same = Change {
        name: Some("office".to_owned()),
        protocol: Some(Protocol::Http),
        endpoint: Some(endpoint("proxy.example:3128")),
        country_code: Some("de".to_owned()),
        enabled: Some(true),
        credentials: Credentials::Removed,
        ..Change::default()
    };
    given::<Proxy>([created()])
        .when(Command::Change(same))
        .then_expect_events(vec![]);
    let other = Change {
        endpoint: Some(endpoint("192.0.2.1:1080")),
        protocol: Some(Protocol::Socks5),
        credentials: Credentials::Replaced,
        enabled: Some(false),
        ..Change::default()
    };
    given::<Proxy>([created()])
        .when(Command::Change(other))
        .then_expect_events(vec![
            Event::Changed {
                owner: owner(),
                name: None,
                description: None,
                protocol: Some(Protocol::Socks5),
                endpoint: Some(endpoint("192.0.2.1:1080")),
                country_code: None,
                notes: None,
            },
            credentials(true),
            Event::Disabled { owner: owner() },
        ]);
}

#[test]
fn only_a_check_that_came_out_otherwise_is_recorded() {
    given::<Proxy>([created()])
        .when(check(1, true))
        .then_expect_events(vec![health(true)]);
    given::<Proxy>([created(), health(true)])
        .when(check(1, true))
        .then_expect_events(vec![]);
    given::<Proxy>([created(), health(true)])
        .when(check(1, false))
        .then_expect_events(vec![health(false)]);
}

#[test]
fn a_check_of_what_the_proxy_was_before_a_change_says_nothing_of_what_it_is() {
    let moved = Event::Changed {
        owner: owner(),
        name: None,
        description: None,
        protocol: None,
        endpoint: Some(endpoint("192.0.2.1:1080")),
        country_code: None,
        notes: None,
    };
    for change in [moved, credentials(true)] {
        let history = [created(), health(true), change];
        let proxy: Proxy = after(history.clone());
        assert_eq!((proxy.health(), proxy.setup()), (Health::Unknown, 3));
        given::<Proxy>(history.clone())
            .when(check(1, false))
            .then_expect_events(vec![]);
        given::<Proxy>(history)
            .when(check(3, false))
            .then_expect_events(vec![health(false)]);
    }
    let renamed = Event::Changed {
        owner: owner(),
        name: Some("home".to_owned()),
        description: None,
        protocol: None,
        endpoint: None,
        country_code: None,
        notes: None,
    };
    let proxy: Proxy = after([created(), health(true), renamed]);
    assert_eq!((proxy.health(), proxy.setup()), (Health::Healthy, 1));
}

#[test]
fn a_proxy_that_is_gone_or_never_was_takes_no_commands() {
    let deleted = Event::Deleted { owner: owner() };
    given::<Proxy>([created()])
        .when(Command::Delete(Delete))
        .then_expect_events(vec![deleted.clone()]);
    for history in [vec![], vec![created(), deleted]] {
        let commands = [
            Command::Change(Change::default()),
            check(1, true),
            Command::Delete(Delete),
        ];
        for command in commands {
            given::<Proxy>(history.clone())
                .when(command)
                .then_expect_error(Error::NotFound);
        }
    }
}
