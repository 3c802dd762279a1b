//! An answer counts only if its sender, id and question match, and only while it is waited for.

use std::time::Duration;

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RecordType as Type,
};

use super::{
    super::{Config, Outcome, Reason},
    addresses_only,
    server::{Act, Asked, Server, name, send},
    start, until,
};

/// An answer that says NXDOMAIN, changed before it is sent.
fn lie(asked: &Asked, change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut message = asked.blank();
    message.metadata.response_code = ResponseCode::NXDomain;
    change(&mut message);
    message.to_vec().unwrap()
}

#[tokio::test]
async fn answers_that_do_not_match_are_ignored_and_the_right_one_is_waited_for() {
    let lies: Vec<fn(&Asked) -> Act> = vec![
        |asked| Act::Send(lie(asked, |message| message.metadata.id ^= 1)),
        |asked| {
            Act::Send(lie(asked, |message| {
                message.queries[0].set_name(name("other.example"));
            }))
        },
        |asked| {
            Act::Send(lie(asked, |message| {
                message.queries[0].set_query_type(Type::MX);
            }))
        },
        |asked| Act::Send(lie(asked, |message| message.queries.clear())),
        |asked| Act::SendFromElsewhere(lie(asked, |_| {})),
        |asked| Act::Send(lie(asked, |_| {})[..11].to_vec()),
        |_| Act::Send(Vec::new()),
        // The query itself, sent back.
        |asked| Act::Send(asked.message.to_vec().unwrap()),
    ];
    for (nth, lie) in lies.into_iter().enumerate() {
        let server = Server::start(move |asked| vec![lie(asked), asked.address("192.0.2.1")]).await;
        let report = start(addresses_only(&[&server])).check("example.com").await;
        assert_eq!(
            (report.outcome, report.attempts),
            (Outcome::Ok, 1),
            "lie {nth}"
        );
    }
}

#[tokio::test]
async fn a_question_repeated_in_another_case_still_matches() {
    let server = Server::start(|asked| {
        let mut message = asked.with_address("192.0.2.1");
        message.queries[0].set_name(name("EXAMPLE.com"));
        message.answers[0].name = name("eXample.COM");
        vec![send(&message)]
    })
    .await;
    let report = start(addresses_only(&[&server])).check("example.com").await;
    assert_eq!(report.outcome, Outcome::Ok);
}

#[tokio::test]
async fn garbage_behind_a_matching_head_is_tried_elsewhere() {
    let server = Server::start(|asked| {
        let mut bytes = asked.with_address("192.0.2.1").to_vec().unwrap();
        if asked.nth == 0 {
            bytes.truncate(bytes.len() - 3);
        }
        vec![Act::Send(bytes)]
    })
    .await;
    let engine = start(addresses_only(&[&server]));
    let report = engine.check("example.com").await;
    assert_eq!((report.outcome, report.attempts), (Outcome::Ok, 2));
}

#[tokio::test]
async fn garbage_from_everybody_is_an_error() {
    let server = Server::start(|asked| {
        let mut bytes = asked.with_address("192.0.2.1").to_vec().unwrap();
        bytes.truncate(bytes.len() - 3);
        vec![Act::Send(bytes)]
    })
    .await;
    let report = start(addresses_only(&[&server])).check("example.com").await;
    assert_eq!(report.outcome, Outcome::Error(Reason::Error));
    assert_eq!(
        report.detail.as_deref(),
        Some("A: the answer cannot be read")
    );
}

#[tokio::test]
async fn an_answer_that_comes_late_changes_nothing() {
    let server = Server::start(|asked| match asked.name().as_str() {
        "late.example" => {
            let bytes = asked.with_address("192.0.2.66").to_vec().unwrap();
            vec![Act::SendAfter(Duration::from_millis(200), bytes)]
        }
        _ => vec![asked.address("192.0.2.1")],
    })
    .await;
    let engine = start(Config {
        attempts: 1,
        query_timeout: Duration::from_millis(50),
        ..addresses_only(&[&server])
    });
    assert_eq!(engine.check("late.example").await.outcome, Outcome::Timeout);
    until("the late answer", || server.sent() == 1).await;
    for _ in 0..20 {
        let report = engine.check("prompt.example").await;
        assert_eq!(report.records[0].value, "192.0.2.1");
    }
    assert_eq!(engine.resolvers()[0].in_flight, 0);
}
