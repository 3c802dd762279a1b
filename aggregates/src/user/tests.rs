//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::{
    ids::SessionId,
    testing::{after, given},
};

fn minute(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::minutes(minute)
}

fn session() -> SessionId {
    SessionId(Uuid::from_u128(1))
}

fn key(id: u128) -> ApiKeyId {
    ApiKeyId(Uuid::from_u128(id))
}

fn registered() -> Event {
    Event::Registered {
        email: "ann@example.com".to_owned(),
        username: "ann".to_owned(),
        role: Role::User,
    }
}

fn failed(times: usize) -> Vec<Event> {
    let mut events = vec![registered()];
    events.extend(vec![Event::LoginFailed { at: minute(0) }; times]);
    events
}

fn locked_out() -> Vec<Event> {
    let mut events = failed(50);
    events.push(Event::LockedOut { until: minute(15) });
    events
}

fn log_in(at: DateTime<Utc>) -> Command {
    Command::LogIn(LogIn {
        session_id: session(),
        at,
    })
}

fn logged_in(at: DateTime<Utc>) -> Event {
    Event::LoggedIn {
        session_id: session(),
        at,
    }
}

fn fail(at: DateTime<Utc>) -> Command {
    Command::FailLogIn(FailLogIn { at })
}

fn register(email: &str, username: &str) -> Command {
    Command::Register(Register {
        email: email.to_owned(),
        username: username.to_owned(),
        role: Role::User,
    })
}

fn issue(id: u128, expires_at: DateTime<Utc>) -> Command {
    Command::IssueApiKey(IssueApiKey {
        key_id: key(id),
        name: "ci".to_owned(),
        scope: Scope::Write,
        expires_at,
        at: minute(0),
    })
}

fn change_password() -> Command {
    Command::ChangePassword(ChangePassword { at: minute(0) })
}

fn issued(id: u128, expires_at: Option<DateTime<Utc>>) -> Event {
    Event::ApiKeyIssued {
        key_id: key(id),
        name: "ci".to_owned(),
        expires_at,
        scope: Some(Scope::Write),
    }
}

#[test]
fn a_user_is_registered_once_under_a_lower_case_address() {
    given::<User>([])
        .when(register(" Ann@Example.com", "ann"))
        .then_expect_events(vec![registered()]);
    given::<User>([registered()])
        .when(register("ann@example.com", "ann"))
        .then_expect_error(Error::Exists);
    for (email, username, blamed) in [
        ("ann", "ann", "email"),
        ("@example.com", "ann", "email"),
        ("a b@c", "ann", "email"),
        ("a@b", " ", "username"),
    ] {
        let refusal = given::<User>([])
            .when(register(email, username))
            .inspect_result();
        assert!(
            matches!(refusal, Err(Error::Invalid { field, .. }) if field == blamed),
            "{email}"
        );
    }
}

#[test]
fn the_fiftieth_wrong_password_in_a_row_locks_the_user_out_for_fifteen_minutes() {
    given::<User>(failed(48))
        .when(fail(minute(0)))
        .then_expect_events(vec![Event::LoginFailed { at: minute(0) }]);
    given::<User>(failed(49))
        .when(fail(minute(0)))
        .then_expect_events(vec![
            Event::LoginFailed { at: minute(0) },
            Event::LockedOut { until: minute(15) },
        ]);
}

#[test]
fn a_right_password_in_between_starts_the_count_again() {
    let mut events = failed(49);
    events.push(logged_in(minute(1)));
    given::<User>(events)
        .when(fail(minute(2)))
        .then_expect_events(vec![Event::LoginFailed { at: minute(2) }]);
}

#[test]
fn during_a_lock_out_even_the_right_password_is_refused_and_nothing_is_recorded() {
    let until = minute(15);
    let last_moment = until - TimeDelta::seconds(1);
    for command in [log_in(last_moment), fail(last_moment)] {
        given::<User>(locked_out())
            .when(command)
            .then_expect_error(Error::LockedOut { until });
    }
    assert_eq!(
        after::<User>(locked_out()).locked_out_at(last_moment),
        Some(until)
    );
    assert_eq!(after::<User>(locked_out()).locked_out_at(until), None);
}

#[test]
fn after_a_lock_out_the_count_starts_again() {
    given::<User>(locked_out())
        .when(log_in(minute(15)))
        .then_expect_events(vec![logged_in(minute(15))]);
    given::<User>(locked_out())
        .when(fail(minute(15)))
        .then_expect_events(vec![Event::LoginFailed { at: minute(15) }]);
}

#[test]
fn a_deactivated_user_does_not_come_in_until_reactivated() {
    let out = || vec![registered(), issued(1, None), Event::Deactivated {}];
    for command in [
        log_in(minute(0)),
        fail(minute(0)),
        issue(2, minute(60)),
        change_password(),
    ] {
        given::<User>(out())
            .when(command)
            .then_expect_error(Error::Deactivated);
    }
    assert!(!after::<User>(out()).accepts_key_at(key(1), minute(0)));
    given::<User>(out())
        .when(Command::Deactivate(Deactivate))
        .then_expect_events(vec![]);
    given::<User>(out())
        .when(Command::Reactivate(Reactivate))
        .then_expect_events(vec![Event::Reactivated {}]);
    given::<User>([registered()])
        .when(Command::Deactivate(Deactivate))
        .then_expect_events(vec![Event::Deactivated {}]);
    given::<User>([registered()])
        .when(Command::Reactivate(Reactivate))
        .then_expect_events(vec![]);
}

#[test]
fn a_key_is_accepted_until_it_ends_or_is_taken_back() {
    given::<User>([registered()])
        .when(issue(1, minute(60)))
        .then_expect_events(vec![issued(1, Some(minute(60)))]);
    let user = after::<User>([registered(), issued(1, Some(minute(5)))]);
    assert!(user.accepts_key_at(key(1), minute(4)));
    assert!(!user.accepts_key_at(key(1), minute(5)));
    assert!(!user.accepts_key_at(key(2), minute(4)));

    let revoke = Command::RevokeApiKey(RevokeApiKey { key_id: key(1) });
    let revoked = Event::ApiKeyRevoked { key_id: key(1) };
    given::<User>([registered(), issued(1, None)])
        .when(revoke.clone())
        .then_expect_events(vec![revoked.clone()]);
    given::<User>([registered(), issued(1, None), revoked])
        .when(revoke)
        .then_expect_error(Error::NoSuchKey);
}

#[test]
fn a_user_has_at_most_fifty_lasting_keys() {
    let mut events = vec![registered()];
    events.extend((0..50).map(|id| issued(id, None)));
    given::<User>(events.clone())
        .when(issue(99, minute(60)))
        .then_expect_error(Error::TooManyKeys);
    events.pop();
    events.push(issued(49, Some(minute(-1))));
    given::<User>(events)
        .when(issue(99, minute(60)))
        .then_expect_events(vec![issued(99, Some(minute(60)))]);
}

#[test]
fn a_key_lasts_an_hour_at_least_and_366_days_at_most() {
    let (hour, most) = (minute(60), minute(0) + LONGEST_KEY);
    let second = TimeDelta::seconds(1);
    for (expires_at, taken) in [
        (minute(0), false),
        (hour - second, false),
        (hour, true),
        (most, true),
        (most + second, false),
    ] {
        let answer = given::<User>([registered()])
            .when(issue(1, expires_at))
            .inspect_result();
        let refused = matches!(&answer, Err(Error::Invalid { field, .. }) if *field == "expiresAt");
        assert_eq!((answer.is_ok(), refused), (taken, !taken), "{expires_at}");
    }
}

#[test]
fn of_keys_that_ended_the_first_are_forgotten_so_that_no_user_has_ever_more_than_a_hundred() {
    let mut events = vec![registered()];
    events
        .extend((0..51).map(|id| issued(100 - id, Some(minute(-60 + i64::try_from(id).unwrap())))));
    given::<User>(events)
        .when(issue(1, minute(60)))
        .then_expect_events(vec![
            Event::ApiKeyRevoked { key_id: key(100) },
            issued(1, Some(minute(60))),
        ]);
}

#[test]
fn role_password_details_and_log_out_are_recorded() {
    for (command, event) in [
        (
            Command::ChangeRole(ChangeRole { role: Role::Admin }),
            Event::RoleChanged { role: Role::Admin },
        ),
        (change_password(), Event::PasswordChanged {}),
        (
            Command::LogOut(LogOut {
                session_id: session(),
            }),
            Event::LoggedOut {
                session_id: session(),
            },
        ),
        (
            Command::ChangeDetails(ChangeDetails {
                email: Some("Ann@example.org".to_owned()),
                username: Some("ann".to_owned()),
            }),
            Event::DetailsChanged {
                email: Some("ann@example.org".to_owned()),
                username: None,
            },
        ),
    ] {
        given::<User>([registered()])
            .when(command)
            .then_expect_events(vec![event]);
    }
    given::<User>([registered()])
        .when(Command::ChangeRole(ChangeRole { role: Role::User }))
        .then_expect_events(vec![]);
    given::<User>([registered()])
        .when(Command::ChangeDetails(ChangeDetails::default()))
        .then_expect_events(vec![]);
}

#[test]
fn somebody_who_never_registered_takes_no_commands() {
    for command in [
        log_in(minute(0)),
        fail(minute(0)),
        issue(1, minute(60)),
        Command::LogOut(LogOut {
            session_id: session(),
        }),
        change_password(),
        Command::ChangeRole(ChangeRole { role: Role::Admin }),
        Command::ChangeDetails(ChangeDetails::default()),
        Command::RevokeApiKey(RevokeApiKey { key_id: key(1) }),
        Command::Deactivate(Deactivate),
        Command::Reactivate(Reactivate),
    ] {
        given::<User>([])
            .when(command)
            .then_expect_error(Error::NotFound);
    }
}

#[test]
fn a_new_password_takes_every_api_key_back_that_is_still_good() {
    let ended = issued(3, Some(minute(0)));
    given::<User>([
        registered(),
        issued(1, None),
        issued(2, Some(minute(5))),
        ended,
    ])
    .when(change_password())
    .then_expect_events(vec![
        Event::PasswordChanged {},
        Event::ApiKeyRevoked { key_id: key(1) },
        Event::ApiKeyRevoked { key_id: key(2) },
    ]);
}

#[test]
fn an_erased_user_is_forgotten_once_and_is_nobody_to_any_command() {
    let erase = || Command::Erase(Erase);
    given::<User>([registered(), Event::Deactivated {}])
        .when(erase())
        .then_expect_events(vec![Event::Erased {}]);
    let erased = || vec![registered(), issued(1, None), Event::Erased {}];
    given::<User>(erased())
        .when(erase())
        .then_expect_events(vec![]);
    given::<User>([])
        .when(erase())
        .then_expect_error(Error::NotFound);
    for command in [
        log_in(minute(0)),
        change_password(),
        issue(2, minute(60)),
        Command::ChangeRole(ChangeRole { role: Role::Admin }),
        Command::Reactivate(Reactivate),
    ] {
        given::<User>(erased())
            .when(command)
            .then_expect_error(Error::NotFound);
    }
    let user = after::<User>(erased());
    assert!(!user.is_active() && !user.accepts_key_at(key(1), minute(0)));
    assert_eq!((user.email(), user.username()), ("erased", "erased"));
}

#[test]
fn each_of_several_sessions_is_ended_by_an_event_of_its_own() {
    let (one, two) = (session(), SessionId(Uuid::from_u128(2)));
    let session_ids = vec![one, two];
    given::<User>([registered()])
        .when(Command::EndSessions(EndSessions { session_ids }))
        .then_expect_events(vec![
            Event::LoggedOut { session_id: one },
            Event::LoggedOut { session_id: two },
        ]);
}
