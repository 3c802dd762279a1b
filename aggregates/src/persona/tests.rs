//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::testing::{after, given};

fn owner() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn dns() -> Config {
    Config::Dns(DnsConfig::default())
}

fn created() -> Event {
    Event::Created {
        owner: owner(),
        name: "office".to_owned(),
        description: None,
        config: dns(),
        enabled: true,
    }
}

fn create() -> Create {
    Create {
        owner: owner(),
        name: "office".to_owned(),
        description: None,
        config: dns(),
        enabled: true,
    }
}

#[test]
fn a_persona_is_created_once() {
    given::<Persona>([])
        .when(Command::Create(create()))
        .then_expect_events(vec![created()]);
    given::<Persona>([created()])
        .when(Command::Create(create()))
        .then_expect_error(Error::Exists);
}

#[test]
fn a_configuration_that_cannot_be_honoured_is_not_saved() {
    let command = Create {
        config: Config::Dns(DnsConfig {
            use_system_resolvers: false,
            ..DnsConfig::default()
        }),
        ..create()
    };
    let refusal = given::<Persona>([])
        .when(Command::Create(command))
        .inspect_result();
    assert!(matches!(refusal, Err(Error::Invalid { field, .. }) if field == "resolvers"));
    let change = Change {
        config: Some(Config::Http(HttpConfig::default())),
        ..Change::default()
    };
    let refusal = given::<Persona>([created()])
        .when(Command::Change(change))
        .inspect_result();
    assert!(matches!(refusal, Err(Error::Invalid { field, .. }) if field == "personaType"));
}

#[test]
fn a_change_records_only_what_is_new() {
    let change = Change {
        name: Some("home".to_owned()),
        config: Some(dns()),
        enabled: Some(false),
        ..Change::default()
    };
    given::<Persona>([created()])
        .when(Command::Change(change))
        .then_expect_events(vec![
            Event::Changed {
                owner: owner(),
                name: Some("home".to_owned()),
                description: None,
                config: None,
            },
            Event::Disabled { owner: owner() },
        ]);
    let same = Change {
        name: Some("office".to_owned()),
        enabled: Some(true),
        ..Change::default()
    };
    given::<Persona>([created()])
        .when(Command::Change(same))
        .then_expect_events(vec![]);
}

#[test]
fn a_disabled_persona_can_be_enabled_again() {
    let change = Change {
        enabled: Some(true),
        ..Change::default()
    };
    let disabled = Event::Disabled { owner: owner() };
    given::<Persona>([created(), disabled.clone()])
        .when(Command::Change(change))
        .then_expect_events(vec![Event::Enabled { owner: owner() }]);
    assert!(!after::<Persona>([created(), disabled]).is_enabled());
}

#[test]
fn a_persona_that_is_gone_or_never_was_takes_no_commands() {
    let deleted = Event::Deleted { owner: owner() };
    given::<Persona>([created()])
        .when(Command::Delete(Delete))
        .then_expect_events(vec![deleted.clone()]);
    for history in [vec![], vec![created(), deleted]] {
        for command in [Command::Change(Change::default()), Command::Delete(Delete)] {
            given::<Persona>(history.clone())
                .when(command)
                .then_expect_error(Error::NotFound);
        }
    }
}
