//! Given events, when a command comes, then these events or this refusal.

use uuid::Uuid;

use super::*;
use crate::{ids::UserId, testing::given};

fn admin() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn target() -> Target {
    Target::parse(Kind::Domain, "Example.com.").unwrap()
}

fn added() -> Event {
    Event::AddedToSuppressionList {
        target: target(),
        reason: "asked to be left alone".to_owned(),
        note: None,
        added_by: admin(),
    }
}

fn removed() -> Event {
    Event::RemovedFromSuppressionList {
        target: target(),
        removed_by: admin(),
    }
}

fn add(reason: &str, note: Option<&str>) -> Command {
    Command::Add(Add {
        target: target(),
        reason: reason.to_owned(),
        note: note.map(str::to_owned),
        added_by: admin(),
    })
}

const REASON: &str = "asked to be left alone";
const REMOVE: Command = Command::Remove(Remove {
    removed_by: UserId(Uuid::from_u128(1)),
});

#[test]
fn an_entry_is_added_once_removed_once_and_may_come_back() {
    given::<Entry>([])
        .when(add(" asked to be left alone ", Some(" ")))
        .then_expect_events(vec![added()]);
    given::<Entry>([added()])
        .when(add(REASON, None))
        .then_expect_error(Error::Exists);
    given::<Entry>([added()])
        .when(REMOVE)
        .then_expect_events(vec![removed()]);
    given::<Entry>([added(), removed()])
        .when(REMOVE)
        .then_expect_error(Error::NotFound);
    given::<Entry>([added(), removed()])
        .when(add(REASON, None))
        .then_expect_events(vec![added()]);
}

#[test]
fn a_reason_is_needed_and_texts_are_bounded() {
    for (reason, note, field) in [
        (" ".to_owned(), None, "reason"),
        ("x".repeat(MAX_REASON + 1), None, "reason"),
        ("x".to_owned(), Some("x".repeat(MAX_NOTE + 1)), "note"),
    ] {
        let refused = Add {
            target: target(),
            reason,
            note,
            added_by: admin(),
        }
        .decide(&Entry::default());
        assert!(matches!(refused, Err(Error::Invalid { field: of, .. }) if of == field));
    }
}

#[test]
fn a_target_is_written_in_one_way() {
    for (kind, text, value) in [
        (Kind::Domain, " Example.COM. ", "example.com"),
        (
            Kind::Domain,
            "www.Bücher.example",
            "www.xn--bcher-kva.example",
        ),
        (Kind::Suffix, "*.Gov", "gov"),
        (Kind::Suffix, ".co.uk.", "co.uk"),
        (Kind::Suffix, "example.com", "example.com"),
        (Kind::Nameserver, "NS1.Example.com", "ns1.example.com"),
        (Kind::Cidr, "192.0.2.0/24", "192.0.2.0/24"),
        (Kind::Cidr, "192.0.2.7", "192.0.2.7/32"),
        (Kind::Cidr, "::ffff:192.0.2.0/120", "192.0.2.0/24"),
        (Kind::Cidr, "2001:DB8:0::/32", "2001:db8::/32"),
        (Kind::Cidr, "0.0.0.0/0", "0.0.0.0/0"),
    ] {
        let target = Target::parse(kind, text).unwrap();
        assert_eq!((target.kind(), target.value()), (kind, value));
        assert_eq!(target.id(), Target::parse(kind, value).unwrap().id());
    }
    let id = |kind| Target::parse(kind, "example.com").unwrap().id();
    assert_ne!(id(Kind::Domain), id(Kind::Suffix));
}

#[test]
fn what_names_nobody_is_refused_by_the_field() {
    for (kind, text) in [
        (Kind::Domain, "co.uk"),
        (Kind::Domain, "com"),
        (Kind::Domain, "192.0.2.1"),
        (Kind::Domain, "a b.com"),
        (Kind::Suffix, ""),
        (Kind::Suffix, "*."),
        (Kind::Suffix, "42"),
        (Kind::Suffix, "a_b!"),
        (Kind::Nameserver, "ns1"),
        (Kind::Cidr, "192.0.2.1/24"),
        (Kind::Cidr, "192.0.2.0/33"),
        (Kind::Cidr, "192.0.2.0/"),
        (Kind::Cidr, "192.0.2.0/-1"),
        (Kind::Cidr, "2001:db8::1/32"),
        (Kind::Cidr, "example.com"),
    ] {
        let refused = Target::parse(kind, text);
        assert!(
            matches!(refused, Err(Error::Invalid { field: "value", .. })),
            "{kind:?} {text}: {refused:?}"
        );
    }
}
