//! Name servers, asked for or found beside an answer, and what they say of a domain.

use hickory_proto::rr::{
    RData, RecordType as Type,
    rdata::{CNAME, NS},
};

use super::{
    super::{Config, RecordType},
    addresses_only, config,
    server::{Asked, Server, name, record, send},
    start,
};

fn ns(zone: &str, server: &str) -> hickory_proto::rr::Record {
    record(zone, RData::NS(NS(name(server))))
}

#[tokio::test]
async fn name_servers_that_are_asked_for_mark_a_parked_domain() {
    let server = Server::start(|asked: &Asked| {
        let mut message = asked.with_address("192.0.2.1");
        if asked.record_type() == Type::NS {
            let servers = match asked.name().as_str() {
                "parked.example" => ["NS2.SedoParking.com", "ns1.sedoparking.com"],
                _ => ["ns2.example.net", "ns1.example.net"],
            };
            message.answers = servers.map(|server| ns(&asked.name(), server)).into();
        }
        vec![send(&message)]
    })
    .await;
    let engine = start(Config {
        record_types: vec![RecordType::A, RecordType::Ns],
        ..config(&[&server])
    });
    let parked = engine.check("parked.example").await;
    assert_eq!(
        parked.name_servers,
        ["ns1.sedoparking.com", "ns2.sedoparking.com"]
    );
    assert!(parked.parking);
    let other = engine.check("other.example").await;
    assert_eq!(other.name_servers, ["ns1.example.net", "ns2.example.net"]);
    assert!(!other.parking);
}

#[tokio::test]
async fn name_servers_beside_an_answer_count_for_the_domain_and_not_for_its_suffix_or_a_stranger() {
    let server = Server::start(|asked: &Asked| {
        let mut message = asked.with_address("192.0.2.1");
        message.authorities = vec![
            ns("example", "a.bodis.com"),
            ns("stranger.example", "b.bodis.com"),
            ns("shop.example", "ns1.example.net"),
        ];
        if asked.name().ends_with("parked.example") {
            message
                .authorities
                .push(ns("parked.example", "ns1.bodis.com"));
        }
        vec![send(&message)]
    })
    .await;
    let engine = start(addresses_only(&[&server]));
    let shop = engine.check("shop.example").await;
    assert_eq!((shop.name_servers.len(), shop.parking), (1, false));
    let parked = engine.check("www.parked.example").await;
    assert_eq!(parked.name_servers, ["ns1.bodis.com"]);
    assert!(parked.parking);
}

#[tokio::test]
async fn behind_an_alias_they_are_those_of_somebody_else() {
    let server = Server::start(|asked: &Asked| {
        let mut message = asked.blank();
        let target = "target.example.net";
        message.answers = vec![record(&asked.name(), RData::CNAME(CNAME(name(target))))];
        message.answers.push(match asked.record_type() {
            Type::NS => ns(target, "ns1.bodis.com"),
            _ => record(target, RData::A("192.0.2.1".parse().unwrap())),
        });
        vec![send(&message)]
    })
    .await;
    let engine = start(Config {
        record_types: vec![RecordType::A, RecordType::Ns],
        ..config(&[&server])
    });
    let report = engine.check("www.example.com").await;
    assert!(report.name_servers.is_empty() && !report.parking);
    assert!(
        report
            .records
            .iter()
            .any(|each| each.value == "ns1.bodis.com")
    );
}

#[tokio::test]
async fn an_authority_section_that_cannot_be_read_costs_no_verdict() {
    let server = Server::start(|asked: &Asked| {
        let mut message = asked.with_address("192.0.2.1");
        message.authorities = vec![ns("shop.example", "ns1.bodis.com")];
        let mut bytes = message.to_vec().unwrap();
        bytes.truncate(bytes.len() - 3);
        vec![super::server::Act::Send(bytes)]
    })
    .await;
    let report = start(addresses_only(&[&server]))
        .check("shop.example")
        .await;
    assert_eq!(report.addresses.len(), 1);
    assert!(report.name_servers.is_empty());
}
