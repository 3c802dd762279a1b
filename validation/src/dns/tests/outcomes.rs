//! What each kind of answer makes of a domain.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{
        RData, RecordType as Type,
        rdata::{CNAME, MX},
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    super::{Config, Engine, Outcome, Reason, Record, RecordType, Resolver, Strategy},
    addresses_only, config,
    server::{Act, Server, name, record, send},
    start, until,
};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_address_makes_a_domain_ok_and_the_evidence_is_kept() {
    let server = Server::start(|asked| {
        let mut message = asked.with_address("192.0.2.7");
        message.metadata.authoritative = true;
        message.metadata.authentic_data = true;
        if asked.record_type() == Type::AAAA {
            let data = RData::AAAA("2001:db8::7".parse().unwrap());
            message.answers.push(record(&asked.name(), data));
        }
        vec![send(&message)]
    })
    .await;
    let report = start(config(&[&server])).check("WWW.Example.com").await;
    assert_eq!(report.name, "WWW.Example.com");
    assert_eq!(report.outcome, Outcome::Ok);
    assert_eq!(report.addresses, [ip("192.0.2.7"), ip("2001:db8::7")]);
    assert_eq!(
        report.records[0],
        Record {
            record_type: RecordType::A,
            value: "192.0.2.7".to_owned(),
            ttl: 300
        }
    );
    assert_eq!(report.resolver, Some(server.name()));
    assert_eq!(report.attempts, 2);
    assert!(report.authoritative && report.validated && !report.truncated);
    assert_eq!((report.detail, report.wildcard), (None, None));
    assert_eq!(server.seen()[0].name, "www.example.com");
}

#[tokio::test]
async fn nxdomain_is_final_after_one_packet() {
    let missing = Server::always(ResponseCode::NXDomain).await;
    let other = Server::always(ResponseCode::NXDomain).await;
    let report = start(config(&[&missing, &other]))
        .check("missing.example")
        .await;
    assert_eq!(report.outcome, Outcome::Error(Reason::Nxdomain));
    assert_eq!(report.attempts, 1);
    assert!(report.resolver.is_some());
    assert_eq!(missing.count() + other.count(), 1);
}

#[tokio::test]
async fn servfail_and_refused_are_tried_elsewhere() {
    for code in [
        ResponseCode::ServFail,
        ResponseCode::Refused,
        ResponseCode::NotImp,
    ] {
        let bad = Server::always(code).await;
        let good = Server::good().await;
        let engine = start(Config {
            strategy: Strategy::Priority,
            ..addresses_only(&[&bad, &good])
        });
        let report = engine.check("example.com").await;
        assert_eq!(report.outcome, Outcome::Ok, "{code}");
        assert_eq!(report.resolver, Some(good.name()));
        // One that does not know EDNS is first asked again without.
        let expected = if code == ResponseCode::NotImp { 2 } else { 1 };
        assert_eq!((bad.count(), good.count()), (expected, 1), "{code}");
    }
}

#[tokio::test]
async fn the_same_failure_everywhere_is_the_reason_after_all_attempts() {
    for (code, reason) in [
        (ResponseCode::ServFail, Reason::Servfail),
        (ResponseCode::Refused, Reason::Refused),
        (ResponseCode::YXDomain, Reason::Error),
    ] {
        let one = Server::always(code).await;
        let two = Server::always(code).await;
        let report = start(addresses_only(&[&one, &two]))
            .check("example.com")
            .await;
        assert_eq!(report.outcome, Outcome::Error(reason));
        assert!(
            report
                .detail
                .is_some_and(|detail| detail.starts_with("A: "))
        );
        assert_eq!(report.attempts, 3);
        assert_eq!(one.count() + two.count(), 3);
        assert!(one.count() > 0 && two.count() > 0, "both were asked");
    }
}

#[tokio::test]
async fn no_data_for_any_type_is_no_answer() {
    let server = Server::always(ResponseCode::NoError).await;
    let report = start(config(&[&server])).check("example.com").await;
    assert_eq!(report.outcome, Outcome::Error(Reason::NoAnswer));
    assert_eq!((report.attempts, server.count()), (2, 2));
}

#[tokio::test]
async fn a_server_that_only_refers_elsewhere_has_not_answered() {
    let referring = Server::start(|asked| {
        let mut message = asked.blank();
        message.metadata.recursion_available = false;
        vec![send(&message)]
    })
    .await;
    let good = Server::good().await;
    let engine = start(Config {
        strategy: Strategy::Priority,
        ..addresses_only(&[&referring, &good])
    });
    assert_eq!(engine.check("example.com").await.outcome, Outcome::Ok);
    assert_eq!(referring.count(), 1);
}

#[tokio::test]
async fn silence_is_a_timeout_after_the_time_and_the_attempts() {
    let server = Server::silent().await;
    let timeout = Duration::from_millis(60);
    let engine = start(Config {
        query_timeout: timeout,
        ..addresses_only(&[&server])
    });
    let since = Instant::now();
    let report = engine.check("example.com").await;
    assert_eq!(report.outcome, Outcome::Timeout);
    assert_eq!((report.attempts, server.count()), (3, 3));
    assert_eq!(report.resolver, None);
    assert!(report.elapsed >= timeout * 3 && since.elapsed() >= timeout * 3);
}

#[tokio::test]
async fn an_address_stands_although_the_other_type_times_out() {
    let server = Server::start(|asked| match asked.record_type() {
        Type::A => vec![asked.address("192.0.2.1")],
        _ => Vec::new(),
    })
    .await;
    let engine = start(Config {
        query_timeout: Duration::from_millis(30),
        ..config(&[&server])
    });
    let report = engine.check("example.com").await;
    assert_eq!(report.outcome, Outcome::Ok);
    assert_eq!(report.detail.as_deref(), Some("AAAA: no answer in time"));
    assert_eq!(report.attempts, 4);
}

#[tokio::test]
async fn a_closed_port_is_an_error_and_costs_no_timeout() {
    let closed = std::net::UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let engine = start(Config {
        resolvers: vec![Resolver::Address(closed)],
        ..addresses_only(&[])
    });
    let since = Instant::now();
    let report = engine.check("example.com").await;
    assert_eq!(report.outcome, Outcome::Error(Reason::Error));
    assert!(report.detail.unwrap().contains("cannot be reached"));
    assert!(
        since.elapsed() < Duration::from_secs(4),
        "it did not wait for its time-out"
    );
}

#[tokio::test]
async fn a_truncated_answer_is_had_over_tcp_from_the_same_resolver() {
    let script = |asked: &super::server::Asked| {
        let mut message = asked.with_address("192.0.2.1");
        if asked.over_tcp {
            for last in 2..200 {
                let data = RData::A(format!("192.0.2.{last}").parse().unwrap());
                message.answers.push(record(&asked.name(), data));
            }
        } else {
            message.metadata.truncation = true;
        }
        vec![send(&message)]
    };
    let server = Server::start(script).await;
    let report = start(addresses_only(&[&server])).check("example.com").await;
    assert_eq!(report.outcome, Outcome::Ok);
    assert_eq!(report.addresses.len(), 199);
    assert!(report.truncated);
    assert_eq!(report.attempts, 2);
    let over_tcp: Vec<bool> = server.seen().iter().map(|seen| seen.over_tcp).collect();
    assert_eq!(over_tcp, [false, true]);

    // Switched off, what fitted is taken.
    let engine = start(Config {
        tcp_on_truncation: false,
        ..addresses_only(&[&server])
    });
    let report = engine.check("example.com").await;
    assert_eq!(
        (report.addresses.len(), report.truncated, report.attempts),
        (1, true, 1)
    );
}

#[tokio::test]
async fn an_alias_chain_is_followed_in_any_order_and_strangers_are_left_out() {
    let server = Server::start(|asked| {
        let mut message = asked.blank();
        if asked.record_type() == Type::A {
            let alias = |owner, target| record(owner, RData::CNAME(CNAME(name(target))));
            message.answers = vec![
                record("end.example.net", RData::A("192.0.2.9".parse().unwrap())),
                alias("middle.example.org", "end.example.net"),
                record("bank.example", RData::A("203.0.113.66".parse().unwrap())),
                alias("www.example.com", "Middle.Example.org"),
            ];
        }
        vec![send(&message)]
    })
    .await;
    let report = start(config(&[&server])).check("www.example.com").await;
    assert_eq!(report.addresses, [ip("192.0.2.9")]);
    let values: Vec<&str> = report
        .records
        .iter()
        .map(|each| each.value.as_str())
        .collect();
    assert_eq!(
        values,
        ["middle.example.org", "end.example.net", "192.0.2.9"]
    );
}

#[tokio::test]
async fn an_alias_loop_ends() {
    let server = Server::start(|asked| {
        let mut message = asked.blank();
        let alias = |owner, target| record(owner, RData::CNAME(CNAME(name(target))));
        message.answers = vec![
            alias("a.example", "b.example"),
            alias("b.example", "a.example"),
        ];
        vec![send(&message)]
    })
    .await;
    let report = start(config(&[&server])).check("a.example").await;
    assert_eq!(report.outcome, Outcome::Error(Reason::NoAnswer));
}

#[tokio::test]
async fn every_type_asked_for_is_in_the_report_and_none_beyond_the_bound_at_once() {
    let server = Server::start(|asked| {
        let mut message = asked.with_address("192.0.2.1");
        if asked.record_type() == Type::MX {
            let data = RData::MX(MX::new(10, name("mail.example.com")));
            message.answers.push(record(&asked.name(), data));
        }
        vec![Act::SendAfter(
            Duration::from_millis(20),
            message.to_vec().unwrap(),
        )]
    })
    .await;
    let engine = start(Config {
        record_types: RecordType::ALL.to_vec(),
        concurrent_queries_per_domain: 3,
        ..config(&[&server])
    });
    let report = engine.check("example.com").await;
    assert!(
        report
            .records
            .iter()
            .any(|each| each.value == "10 mail.example.com")
    );
    assert_eq!(report.attempts, 8);
    assert_eq!(server.most_unanswered(), 3);
    assert_eq!(server.seen()[0].record_type, Type::A, "the first alone");
}

#[tokio::test]
async fn a_server_without_edns_is_asked_again_without_it() {
    let server = Server::start(|asked| {
        if asked.message.edns.is_some() {
            vec![asked.code(ResponseCode::FormErr)]
        } else {
            vec![asked.address("192.0.2.1")]
        }
    })
    .await;
    let report = start(addresses_only(&[&server])).check("example.com").await;
    assert_eq!((report.outcome, report.attempts), (Outcome::Ok, 2));
}

#[tokio::test]
async fn a_zone_that_answers_for_any_label_is_marked_and_asked_once() {
    let server = Server::start(|asked| match asked.name().as_str() {
        wild if wild.ends_with(".wild.example") => vec![asked.address("192.0.2.1")],
        "real.tame.example" => vec![asked.address("192.0.2.2")],
        _ => vec![asked.code(ResponseCode::NXDomain)],
    })
    .await;
    let engine = start(Config {
        check_wildcards: true,
        ..addresses_only(&[&server])
    });
    assert_eq!(
        engine.check("real.tame.example").await.wildcard,
        Some(false)
    );
    let (one, two) = tokio::join!(
        engine.check("a.wild.example"),
        engine.check("b.wild.example")
    );
    assert_eq!((one.wildcard, two.wildcard), (Some(true), Some(true)));
    assert_eq!(one.attempts + two.attempts, 3, "the zone was asked once");
    let missing = engine.check("none.tame.example").await;
    assert_eq!((missing.wildcard, missing.attempts), (None, 1));
}

#[tokio::test]
async fn its_tasks_end_with_the_last_clone_of_an_engine() {
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let server = Server::good().await;
    let before = tasks();
    let engine = start(config(&[&server]));
    let clone = engine.clone();
    drop(engine);
    assert_eq!(clone.check("example.com").await.outcome, Outcome::Ok);
    assert!(tasks() > before);
    drop(clone);
    until("the end of the tasks", || tasks() == before).await;
}

#[tokio::test]
async fn a_name_that_cannot_exist_is_refused_without_a_packet() {
    let server = Server::good().await;
    let engine = start(config(&[&server]));
    for name in ["", "a..b", "with space.example", &"a".repeat(70)] {
        let report = engine.check(name).await;
        assert_eq!(
            (report.outcome, report.attempts),
            (Outcome::Error(Reason::Error), 0)
        );
        assert!(report.detail.unwrap().starts_with("name: "));
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_check_ends_at_once_when_the_engine_is_stopped_and_none_begins_after() {
    let server = Server::silent().await;
    let stop = CancellationToken::new();
    let engine = Engine::start(addresses_only(&[&server]), stop.clone()).unwrap();
    let asking = engine.clone();
    let check = tokio::spawn(async move { asking.check("example.com").await });
    until("the query", || server.count() == 1).await;
    let since = Instant::now();
    stop.cancel();
    let report = check.await.unwrap();
    assert_eq!(report.outcome, Outcome::Error(Reason::Error));
    assert!(report.detail.unwrap().contains("stopped"));
    assert!(since.elapsed() < Duration::from_secs(2));
    assert_eq!(
        engine.check("example.com").await.outcome,
        Outcome::Error(Reason::Error)
    );
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn nobody_else_waits_for_a_check_that_was_given_up() {
    let server = Server::silent().await;
    let engine = start(Config {
        in_flight: 1,
        // Longer than any wait below, so that time does not free the place.
        query_timeout: Duration::from_secs(60),
        ..addresses_only(&[&server])
    });
    let asking = Arc::new(engine.clone());
    let given_up = tokio::spawn(async move { asking.check("a.example").await });
    until("the query", || server.count() == 1).await;
    assert_eq!(engine.resolvers()[0].in_flight, 1);
    given_up.abort();
    until("the place to be free", || {
        engine.resolvers()[0].in_flight == 0
    })
    .await;
    let next = tokio::spawn(async move { engine.check("b.example").await });
    until("the next query", || server.count() == 2).await;
    next.abort();
}

#[test]
fn a_message_of_ours_is_one_to_hickory_too() {
    let wire = super::super::name::WireName::encode("www.example.com").unwrap();
    let question = super::super::message::Question::new(&wire, RecordType::Caa);
    let message = Message::from_vec(&question.message(0xbeef, true)).unwrap();
    assert_eq!(message.metadata.id, 0xbeef);
    assert!(message.metadata.recursion_desired && message.metadata.authentic_data);
    assert_eq!(message.queries[0].name(), &name("www.example.com"));
    assert_eq!(message.queries[0].query_type(), Type::CAA);
    assert_eq!(message.edns.unwrap().max_payload(), 1_232);
    assert!(
        Message::from_vec(&question.message(1, false))
            .unwrap()
            .edns
            .is_none()
    );
}
