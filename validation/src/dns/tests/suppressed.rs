//! Whom the suppression list keeps the engine from, counted at the server.

use hickory_proto::{
    op::ResponseCode,
    rr::{
        RData, RecordType as Type,
        rdata::{CNAME, NS},
    },
};
use uuid::Uuid;

use super::{
    super::{Config, Outcome, Reason, RecordType, Report},
    addresses_only, config,
    server::{Act, Asked, Server, name, record, send},
    start,
};
use crate::suppression::{Entry, Kind, List, SUPPRESSED, Suppression};

const ID: Uuid = Uuid::from_u128(7);

fn list(kind: Kind, value: &str) -> List {
    let value = value.to_owned();
    List::new([Entry {
        id: ID,
        kind,
        value,
    }])
    .unwrap()
}

#[track_caller]
fn assert_suppressed(report: &Report) {
    assert_eq!(report.outcome, Outcome::Error(Reason::Error));
    assert!(report.suppressed && report.addresses.is_empty());
    let detail = report.detail.as_deref().unwrap_or_default();
    assert!(detail.starts_with(SUPPRESSED), "{detail}");
    assert!(detail.contains(&ID.to_string()), "{detail}");
}

/// Answers with an address, and with a name server where that is asked for.
fn answer(asked: &Asked) -> Vec<Act> {
    let mut message = asked.with_address("192.0.2.1");
    if asked.record_type() == Type::NS {
        let server = RData::NS(NS(name("ns1.parking.example")));
        message.answers = vec![record(&asked.name(), server)];
    }
    vec![send(&message)]
}

#[tokio::test]
async fn a_suppressed_name_is_not_asked_for_and_others_are_from_the_next_packet_on() {
    let server = Server::start(answer).await;
    let suppression = Suppression::default();
    let engine = start(Config {
        check_wildcards: true,
        suppression: suppression.clone(),
        ..addresses_only(&[&server])
    });
    assert!(!engine.check("a.example").await.addresses.is_empty());
    let before = server.count();
    suppression.set(list(Kind::Domain, "a.example"));
    assert_suppressed(&engine.check("a.example").await);
    assert_suppressed(&engine.check("www.A.example.").await);
    assert_eq!(server.count(), before, "nothing was sent");
    assert!(!engine.check("b.example").await.addresses.is_empty());
    suppression.set(List::default());
    assert!(!engine.check("a.example").await.addresses.is_empty());
}

#[tokio::test]
async fn nothing_is_asked_while_no_list_was_read() {
    let server = Server::start(answer).await;
    let engine = start(Config {
        suppression: Suppression::unread(),
        ..config(&[&server])
    });
    let report = engine.check("a.example").await;
    assert_eq!(report.outcome, Outcome::Error(Reason::Error));
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_domain_of_a_suppressed_name_server_is_asked_for_no_more_and_has_no_address() {
    let server = Server::start(answer).await;
    let engine = start(Config {
        record_types: vec![RecordType::A],
        check_wildcards: true,
        suppression: {
            let suppression = Suppression::default();
            suppression.set(list(Kind::NameServer, "parking.example"));
            suppression
        },
        ..config(&[&server])
    });
    let report = engine.check("parked.test").await;
    assert_suppressed(&report);
    assert_eq!(report.name_servers, ["ns1.parking.example"]);
    // The address and the name servers; no made-up label beside it.
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_question_that_is_tried_again_looks_at_the_list_again() {
    let suppression = Suppression::default();
    let listed = suppression.clone();
    let server = Server::start(move |asked: &Asked| {
        // The first packet fails, and the name is on the list before the second would leave.
        listed.set(list(Kind::Suffix, "example"));
        vec![asked.code(ResponseCode::ServFail)]
    })
    .await;
    let engine = start(Config {
        suppression,
        ..addresses_only(&[&server])
    });
    let report = engine.check("a.example").await;
    assert_suppressed(&report);
    assert_eq!(report.attempts, 1);
}

#[tokio::test]
async fn a_resolver_at_a_suppressed_address_is_asked_nothing_and_others_answer_in_its_place() {
    let (held, free) = (
        Server::start_at("127.0.0.9", answer).await,
        Server::start(answer).await,
    );
    let suppression = Suppression::default();
    let engine = |servers: &[&Server]| {
        start(Config {
            attempts: 1,
            suppression: suppression.clone(),
            ..addresses_only(servers)
        })
    };
    let (both, alone) = (engine(&[&held, &free]), engine(&[&held]));
    suppression.set(list(Kind::Cidr, "127.0.0.9/32"));
    for n in 0..20 {
        let report = both.check(&format!("n{n}.example")).await;
        assert_eq!(report.outcome, Outcome::Ok, "{report:?}");
    }
    let report = alone.check("a.example").await;
    assert_eq!(report.outcome, Outcome::Error(Reason::Error));
    let detail = report.detail.as_deref().unwrap();
    let name = held.name();
    for part in [SUPPRESSED, name.as_str(), &ID.to_string()] {
        assert!(detail.contains(part), "{detail}");
    }
    assert!(!report.suppressed, "it is no word on the domain");
    assert_eq!(held.count(), 0);
    suppression.set(List::default());
    assert_eq!(alone.check("a.example").await.outcome, Outcome::Ok);
}

/// A server of one zone tree: an alias, a zone of its own below a domain, and one whose name servers nobody tells.
async fn zones() -> Server {
    Server::start(|asked: &Asked| {
        let owner = asked.name();
        let mut message = asked.with_address("192.0.2.1");
        let ns = |zone: &str, server: &str| record(zone, RData::NS(NS(name(server))));
        if owner == "www.alias.example" {
            let target = RData::CNAME(CNAME(name("shop.parked.example")));
            message.answers.insert(0, record(&owner, target));
            if let Some(address) = message.answers.get_mut(1) {
                *address = record(
                    "shop.parked.example",
                    RData::A("192.0.2.1".parse().unwrap()),
                );
            }
        }
        if asked.record_type() == Type::NS {
            match owner.as_str() {
                "parked.example" | "cut.below.example" => {
                    message.answers = vec![ns(&owner, "ns1.parking.example")];
                }
                "alias.example" | "below.example" | "free.example" => {
                    message.answers = vec![ns(&owner, "ns1.other.example")];
                }
                "dark.example" => return vec![asked.code(ResponseCode::ServFail)],
                _ => {}
            }
        }
        vec![send(&message)]
    })
    .await
}

fn naming_servers(server: &Server) -> Config {
    let suppression = Suppression::default();
    suppression.set(list(Kind::NameServer, "parking.example"));
    Config {
        suppression,
        ..addresses_only(&[server])
    }
}

#[tokio::test]
async fn a_suppressed_name_server_is_found_behind_an_alias_and_in_zones_above_and_below_the_domain()
{
    let server = zones().await;
    let engine = start(naming_servers(&server));
    for name in [
        "parked.example",
        "www.parked.example",
        "a.b.parked.example",
        "cut.below.example",
        "www.cut.below.example",
        "www.alias.example",
    ] {
        assert_suppressed(&engine.check(name).await);
    }
    let free = engine.check("www.free.example").await;
    assert_eq!(free.outcome, Outcome::Ok, "{free:?}");
    assert_eq!(free.name_servers, ["ns1.other.example"]);
    assert_eq!(engine.check("below.example").await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn a_domain_whose_name_servers_nobody_tells_is_left_alone_while_the_list_names_any() {
    let server = zones().await;
    let engine = start(naming_servers(&server));
    let report = engine.check("dark.example").await;
    assert!(report.suppressed && report.addresses.is_empty());
    let detail = report.detail.unwrap();
    assert!(detail.starts_with(SUPPRESSED), "{detail}");
    assert!(detail.contains("dark.example: "), "{detail}");
    let indifferent = start(addresses_only(&[&server]));
    assert_eq!(indifferent.check("dark.example").await.outcome, Outcome::Ok);
}
