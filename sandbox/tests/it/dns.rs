//! Names and resolvers.

use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};
use sandbox::{Always, Dns, Forgery, Host, Record, ResolverScript, Sandbox, World};

use crate::ask::{PATIENCE, addresses, exchange, query, tcp, udp, with_edns};

async fn one(name: &str, host: Host) -> Sandbox {
    Sandbox::start(World::scripted().host(name, host))
        .await
        .unwrap()
}

async fn code(sandbox: &Sandbox, name: &str) -> Option<ResponseCode> {
    udp(sandbox.dns_addr(), name, RecordType::A)
        .await
        .map(|answer| answer.metadata.response_code)
}

#[tokio::test]
async fn a_live_name_resolves_to_loopback_from_an_authority() {
    let sandbox = one("a.test", Host::page(&[])).await;
    let answer = udp(sandbox.dns_addr(), "A.Test.", RecordType::A)
        .await
        .unwrap();
    assert_eq!(addresses(&answer), ["127.0.0.1"]);
    assert!(answer.metadata.authoritative && !answer.metadata.truncation);
    assert_eq!(sandbox.dns_queries("a.test"), 1);
}

#[tokio::test]
async fn every_record_type_of_a_script_is_served() {
    let host = Host::page(&[])
        .ttl(77)
        .record(Record::A([127, 0, 0, 9].into()))
        .record(Record::Aaaa("::1".parse().unwrap()))
        .record(Record::Mx(10, "mail.a.test".to_owned()))
        .record(Record::Ns("ns1.a.test".to_owned()))
        .record(Record::Txt("x".repeat(300)))
        .record(Record::Caa("issue".to_owned(), "ca.test".to_owned()));
    let sandbox = one("a.test", host).await;
    let server = sandbox.dns_addr();
    for kind in [
        RecordType::A,
        RecordType::AAAA,
        RecordType::MX,
        RecordType::NS,
        RecordType::TXT,
        RecordType::CAA,
        RecordType::SOA,
    ] {
        let answer = udp(server, "a.test.", kind).await.unwrap();
        assert_eq!(answer.answers.len(), 1, "{kind}");
        assert_eq!(
            (answer.answers[0].record_type(), answer.answers[0].ttl),
            (kind, 77)
        );
        assert!(
            !matches!(answer.answers[0].data, RData::Unknown { .. }),
            "{kind} did not decode"
        );
    }
    assert_eq!(
        addresses(&udp(server, "a.test.", RecordType::A).await.unwrap()),
        ["127.0.0.9"]
    );
    assert_eq!(
        addresses(&udp(server, "a.test.", RecordType::AAAA).await.unwrap()),
        ["::1"]
    );
}

#[tokio::test]
async fn each_scripted_fate_is_observed() {
    let world = World::scripted()
        .host("nx.test", Host::named(Dns::NxDomain))
        .host("nodata.test", Host::named(Dns::NoData))
        .host("servfail.test", Host::named(Dns::ServFail))
        .host("refused.test", Host::named(Dns::Refused))
        .host("silent.test", Host::named(Dns::Silent));
    let sandbox = Sandbox::start(world).await.unwrap();
    assert_eq!(
        code(&sandbox, "nx.test.").await,
        Some(ResponseCode::NXDomain)
    );
    assert_eq!(
        code(&sandbox, "unknown.test.").await,
        Some(ResponseCode::NXDomain)
    );
    assert_eq!(
        code(&sandbox, "servfail.test.").await,
        Some(ResponseCode::ServFail)
    );
    assert_eq!(
        code(&sandbox, "refused.test.").await,
        Some(ResponseCode::Refused)
    );
    assert_eq!(code(&sandbox, "silent.test.").await, None);
    let nodata = udp(sandbox.dns_addr(), "nodata.test.", RecordType::A)
        .await
        .unwrap();
    assert_eq!(nodata.metadata.response_code, ResponseCode::NoError);
    assert!(nodata.answers.is_empty());
    assert_eq!(nodata.authorities[0].record_type(), RecordType::SOA);
    // A name above an existing one is empty, not missing.
    assert_eq!(code(&sandbox, "test.").await, Some(ResponseCode::NoError));
}

#[tokio::test]
async fn a_truncated_name_has_its_records_over_tcp_only() {
    let sandbox = one("big.test", Host::named(Dns::Truncated)).await;
    let short = udp(sandbox.dns_addr(), "big.test.", RecordType::A)
        .await
        .unwrap();
    assert!(short.metadata.truncation && short.answers.is_empty());
    let whole = tcp(sandbox.dns_addr(), "big.test.", RecordType::A).await;
    assert!(!whole.metadata.truncation);
    assert_eq!(addresses(&whole), ["127.0.0.1"]);
    assert_eq!(
        (sandbox.authority_packets(), sandbox.authority_tcp_queries()),
        (1, 1)
    );
}

#[tokio::test]
async fn an_answer_too_long_for_the_clients_buffer_is_truncated_and_edns_enlarges_it() {
    let sandbox = one(
        "txt.test",
        Host::page(&[]).record(Record::Txt("y".repeat(900))),
    )
    .await;
    let plain = query("txt.test.", RecordType::TXT);
    let (_, short) = exchange(sandbox.dns_addr(), &plain, 1).await.pop().unwrap();
    assert!(short.metadata.truncation && short.edns.is_none());
    let (_, whole) = exchange(sandbox.dns_addr(), &with_edns(plain, 1232), 1)
        .await
        .pop()
        .unwrap();
    assert!(!whole.metadata.truncation && whole.edns.is_some());
    assert_eq!(whole.answers.len(), 1);
}

#[tokio::test]
async fn a_delayed_name_answers_late_and_holds_nobody_up() {
    let delay = Duration::from_millis(200);
    let world = World::scripted()
        .host("late.test", Host::named(Dns::Delayed(delay)))
        .host("a.test", Host::page(&[]));
    let sandbox = Sandbox::start(world).await.unwrap();
    let begun = Instant::now();
    let (late, prompt) = tokio::join!(
        async {
            let answer = udp(sandbox.dns_addr(), "late.test.", RecordType::A).await;
            (answer, begun.elapsed())
        },
        async {
            let answer = udp(sandbox.dns_addr(), "a.test.", RecordType::A).await;
            (answer, begun.elapsed())
        }
    );
    assert!(late.0.is_some() && late.1 >= delay);
    assert!(prompt.0.is_some() && prompt.1 < delay);
}

#[tokio::test]
async fn aliases_are_followed_and_a_ring_of_them_fails() {
    let world = World::scripted()
        .host("www.test", Host::named(Dns::Alias("edge.test".to_owned())))
        .host(
            "edge.test",
            Host::page(&[]).record(Record::A([127, 0, 0, 3].into())),
        )
        .host(
            "lost.test",
            Host::named(Dns::Alias("nowhere.test".to_owned())),
        )
        .host("ring.test", Host::named(Dns::Alias("ring.test".to_owned())));
    let sandbox = Sandbox::start(world).await.unwrap();
    let answer = udp(sandbox.dns_addr(), "www.test.", RecordType::A)
        .await
        .unwrap();
    assert_eq!(answer.answers[0].record_type(), RecordType::CNAME);
    assert_eq!(answer.answers[1].name.to_ascii(), "edge.test.");
    assert_eq!(addresses(&answer), ["127.0.0.3"]);
    assert_eq!(
        code(&sandbox, "lost.test.").await,
        Some(ResponseCode::NXDomain)
    );
    assert_eq!(
        code(&sandbox, "ring.test.").await,
        Some(ResponseCode::ServFail)
    );
}

#[tokio::test]
async fn a_wildcard_answers_below_its_zone_and_not_beside_it() {
    let world = World::scripted()
        .wildcard("wild.test", Host::page(&[]))
        .host("own.wild.test", Host::named(Dns::ServFail));
    let sandbox = Sandbox::start(world).await.unwrap();
    assert_eq!(
        addresses(
            &udp(sandbox.dns_addr(), "x7q.wild.test.", RecordType::A)
                .await
                .unwrap()
        ),
        ["127.0.0.1"]
    );
    assert_eq!(
        addresses(
            &udp(sandbox.dns_addr(), "a.b.wild.test.", RecordType::A)
                .await
                .unwrap()
        ),
        ["127.0.0.1"]
    );
    assert_eq!(
        code(&sandbox, "own.wild.test.").await,
        Some(ResponseCode::ServFail)
    );
    assert_eq!(
        code(&sandbox, "tame.test.").await,
        Some(ResponseCode::NXDomain)
    );
}

#[tokio::test]
async fn resolvers_keep_their_habits_and_count_their_packets() {
    let world = World::scripted()
        .host("a.test", Host::page(&[]))
        .resolver(ResolverScript::healthy())
        .resolver(ResolverScript::always(Always::Refused))
        .resolver(ResolverScript::always(Always::ServFail))
        .resolver(ResolverScript::always(Always::Silent))
        .resolver(ResolverScript::healthy().truncate());
    let sandbox = Sandbox::start(world).await.unwrap();
    let resolvers = sandbox.resolvers();
    let mut codes = Vec::new();
    for &resolver in &resolvers[..4] {
        codes.push(
            udp(resolver, "a.test.", RecordType::A)
                .await
                .map(|answer| answer.metadata.response_code),
        );
    }
    assert_eq!(
        codes,
        [
            Some(ResponseCode::NoError),
            Some(ResponseCode::Refused),
            Some(ResponseCode::ServFail),
            None
        ]
    );
    assert!(
        udp(resolvers[4], "a.test.", RecordType::A)
            .await
            .unwrap()
            .metadata
            .truncation
    );
    assert_eq!(
        (0..6).map(|i| sandbox.dns_packets(i)).collect::<Vec<_>>(),
        [1, 1, 1, 1, 1, 0]
    );
    assert_eq!(sandbox.dns_queries("a.test"), 5);
    // One that was dead comes back.
    sandbox.set_resolver(3, ResolverScript::healthy());
    assert!(udp(resolvers[3], "a.test.", RecordType::A).await.is_some());
}

#[tokio::test]
async fn a_lossy_resolver_loses_its_share_over_udp_and_nothing_over_tcp() {
    let world = World::scripted()
        .host("a.test", Host::page(&[]))
        .resolver(ResolverScript::healthy().loss(0.25));
    let sandbox = Sandbox::start(world).await.unwrap();
    let server = sandbox.resolvers()[0];
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let packet = query("a.test.", RecordType::A).to_vec().unwrap();
    let (mut answered, mut buffer) = (0, [0; 512]);
    for _ in 0..400 {
        socket.send_to(&packet, server).await.unwrap();
        // The loss is decided before the answer: once the packet is counted, an answer is there or never comes.
        if tokio::time::timeout(Duration::from_millis(15), socket.recv_from(&mut buffer))
            .await
            .is_ok()
        {
            answered += 1;
        }
    }
    assert_eq!(sandbox.dns_packets(0), 400);
    assert!(
        (270..=330).contains(&answered),
        "{answered} of 400 answered"
    );
    assert_eq!(
        addresses(&tcp(server, "a.test.", RecordType::A).await),
        ["127.0.0.1"]
    );
}

#[tokio::test]
async fn lossy_resolvers_lose_different_packets_each_the_same_ones_every_time() {
    let lossy = || ResolverScript::healthy().loss(0.5);
    let losses = async || {
        let world = World::scripted()
            .host("a.test", Host::page(&[]))
            .resolvers([lossy(), lossy()]);
        let sandbox = Sandbox::start(world).await.unwrap();
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut answered = Vec::new();
        for server in sandbox.resolvers() {
            for id in 0..40 {
                let mut question = query("a.test.", RecordType::A);
                question.metadata.id = id;
                socket
                    .send_to(&question.to_vec().unwrap(), server)
                    .await
                    .unwrap();
            }
            let (mut ids, mut buffer) = (Vec::new(), [0; 512]);
            while let Ok(received) =
                tokio::time::timeout(PATIENCE, socket.recv_from(&mut buffer)).await
            {
                received.unwrap();
                ids.push(u16::from_be_bytes([buffer[0], buffer[1]]));
            }
            answered.push(ids);
        }
        answered
    };
    let (first, second) = (losses().await, losses().await);
    assert_eq!(first, second);
    assert_ne!(first[0], first[1]);
}

#[tokio::test]
async fn forged_answers_come_first_and_can_be_told_apart() {
    let mut world = World::scripted().host("a.test", Host::page(&[]));
    for forgery in [
        Forgery::WrongId,
        Forgery::WrongQuestion,
        Forgery::WrongSource,
    ] {
        world = world.resolver(ResolverScript::healthy().forge(forgery));
    }
    let sandbox = Sandbox::start(world).await.unwrap();
    for (index, server) in sandbox.resolvers().into_iter().enumerate() {
        let question = query("a.test.", RecordType::A);
        let answers = exchange(server, &question, 2).await;
        assert_eq!(answers.len(), 2);
        let honest = |(from, answer): &(_, hickory_proto::op::Message)| {
            (
                *from == server,
                answer.metadata.id == question.metadata.id,
                answer.queries == question.queries,
            )
        };
        let wrong = [
            (true, false, true),
            (true, true, false),
            (false, true, true),
        ][index];
        let (forged, right): (Vec<_>, Vec<_>) = answers
            .iter()
            .partition(|answer| addresses(&answer.1) == ["192.0.2.66"]);
        assert_eq!(honest(forged[0]), wrong);
        assert_eq!(honest(right[0]), (true, true, true));
    }
}

#[tokio::test]
async fn packets_that_are_no_queries_get_no_answer_and_break_nothing() {
    let sandbox = one("a.test", Host::page(&[])).await;
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for junk in [
        &b""[..],
        b"\x00",
        &[0xFF; 12],
        &[0xC0; 600],
        b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x3fabc",
    ] {
        socket.send_to(junk, sandbox.dns_addr()).await.unwrap();
    }
    assert_eq!(code(&sandbox, "a.test.").await, Some(ResponseCode::NoError));
    let mut buffer = [0; 512];
    assert!(socket.try_recv_from(&mut buffer).is_err());
}

#[tokio::test]
async fn a_timed_resolver_keeps_when_questions_came_and_a_late_one_how_many_waited() {
    let late = ResolverScript::healthy().delay(Duration::from_millis(300));
    let world = World::scripted()
        .host("a.test", Host::page(&[]))
        .resolvers([ResolverScript::healthy().timed(), late]);
    let sandbox = Sandbox::start(world).await.unwrap();
    let resolvers = sandbox.resolvers();
    let before = Instant::now();
    for _ in 0..2 {
        udp(resolvers[0], "a.test.", RecordType::A).await.unwrap();
    }
    let arrivals = sandbox.dns_arrivals(0);
    assert_eq!(arrivals.len(), 2);
    assert!(before <= arrivals[0] && arrivals[0] <= arrivals[1]);
    let ask = || udp(resolvers[1], "a.test.", RecordType::A);
    tokio::join!(ask(), ask(), ask());
    assert_eq!(sandbox.dns_peak(1), 3);
    assert!(sandbox.dns_arrivals(1).is_empty(), "it is not timed");
}
