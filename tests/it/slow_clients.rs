//! What clients may cost a server by being many or slow, over sockets of their own.

use std::time::Duration;

use domainflow::http::{Bounds, Settings};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::{
    campaigns,
    support::{DEADLINE, answers, eventually, server::TestApp},
};

/// So short that a test may wait for it.
const SHORT: Duration = Duration::from_millis(300);
/// A request that anybody may send.
const PING: &str = "GET /api/v2/ping HTTP/1.1\r\nHost: localhost\r\n\r\n";

async fn bounded(bounds: Bounds) -> TestApp {
    let settings = Settings {
        bounds,
        ..Settings::default()
    };
    TestApp::reached(settings, false).await
}

/// Opens a connection and says something.
async fn say(app: &TestApp, words: &str) -> TcpStream {
    let address = app.base.split('/').nth(2).expect("an address");
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    socket
        .write_all(words.as_bytes())
        .await
        .expect("it is sent");
    socket
}

/// Reads until the server ends the connection.
async fn to_the_end(socket: &mut TcpStream) -> String {
    let mut text = String::new();
    let read = timeout(DEADLINE, socket.read_to_string(&mut text)).await;
    // A connection that is closed with something unread is reset.
    let _ = read.expect("the server ends the connection");
    text
}

/// Reads the status line of an answer.
async fn status(socket: &mut TcpStream) -> String {
    let mut line = [0; 12];
    let read = timeout(DEADLINE, socket.read_exact(&mut line)).await;
    read.expect("an answer in time").expect("an answer");
    String::from_utf8_lossy(&line).into_owned()
}

#[tokio::test]
async fn a_client_that_sends_no_request_does_not_keep_its_connection() {
    let app = bounded(Bounds {
        head: SHORT,
        ..Bounds::default()
    })
    .await;
    // Nothing; what might become HTTP/2; half a head; nothing more after an answer.
    for (words, answer) in [
        ("", ""),
        ("PRI * HT", ""),
        ("GET / HTTP/1.1\r\nHost: local", ""),
        (PING, "HTTP/1.1 200"),
    ] {
        let mut socket = say(&app, words).await;
        let text = to_the_end(&mut socket).await;
        assert!(text.starts_with(answer), "{words:?}: {text}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_head_without_end_is_refused_before_it_fills_the_memory() {
    let app = bounded(Bounds::default()).await;
    let head = |bytes: usize| {
        let filler = "x".repeat(bytes);
        PING.replace("\r\n\r\n", &format!("\r\nX-Filler: {filler}\r\n\r\n"))
    };
    let mut usual = say(&app, &head(16 << 10)).await;
    assert_eq!(status(&mut usual).await, "HTTP/1.1 200");
    let mut endless = say(&app, &head(100 << 10)).await;
    assert_eq!(status(&mut endless).await, "HTTP/1.1 431");
    drop((usual, endless));
    app.stop().await;
}

#[tokio::test]
async fn a_client_beyond_the_most_connections_waits_for_one_to_end() {
    let app = bounded(Bounds {
        connections: 2,
        head: DEADLINE,
        ..Bounds::default()
    })
    .await;
    let mut first = say(&app, PING).await;
    let mut second = say(&app, PING).await;
    assert_eq!(status(&mut first).await, "HTTP/1.1 200");
    assert_eq!(status(&mut second).await, "HTTP/1.1 200");
    let mut third = say(&app, PING).await;
    let mut byte = [0];
    let early = timeout(SHORT, third.read(&mut byte)).await;
    assert!(early.is_err(), "it was let in: {early:?}");
    drop(first);
    assert_eq!(status(&mut third).await, "HTTP/1.1 200");
    drop((second, third));
    app.stop().await;
}

#[tokio::test]
async fn a_connection_beyond_its_addresss_share_is_closed_and_the_share_comes_back() {
    let app = bounded(Bounds {
        connections_of_address: 2,
        head: DEADLINE,
        ..Bounds::default()
    })
    .await;
    let mut first = say(&app, PING).await;
    let mut second = say(&app, PING).await;
    assert_eq!(status(&mut first).await, "HTTP/1.1 200");
    assert_eq!(status(&mut second).await, "HTTP/1.1 200");
    let mut third = say(&app, "").await;
    assert_eq!(to_the_end(&mut third).await, "");
    drop(first);
    eventually("there is room again", || async {
        let mut next = say(&app, PING).await;
        let mut line = [0; 12];
        next.read_exact(&mut line).await.is_ok().then_some(())
    })
    .await;
    drop(second);
    app.stop().await;
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up_with_its_reason() {
    let app = bounded(Bounds {
        body: SHORT,
        ..Bounds::default()
    })
    .await;
    let ann = app.user("ann").await;
    let path = campaigns::create(&ann, &json!({"name": "stalled"})).await;
    let upload = format!("{path}/upload");
    let list =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.txt\"\r\n\r\na.test\n";
    let form = "multipart/form-data; boundary=x";
    for (path, kind, key, body) in [
        (upload.as_str(), form, "", list),
        (upload.as_str(), form, "X-Idempotency-Key: list\r\n", list),
        ("/campaigns", "application/json", "", "{\"name\":"),
    ] {
        let head = format!(
            "POST /api/v2{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             {key}Content-Type: {kind}\r\nContent-Length: 1000\r\n\r\n{body}",
            ann.token.as_deref().expect("a token")
        );
        let mut socket = say(&app, &head).await;
        let text = to_the_end(&mut socket).await;
        assert!(text.starts_with("HTTP/1.1 408"), "{path} {key}: {text}");
        let (_, body) = text.split_once("\r\n\r\n").expect("a body");
        let url = format!("{}{path}", app.base).parse().expect("an address");
        answers::check(&Method::POST, &url, 408, "application/json", body);
        let body: Value = serde_json::from_str(body).expect("the envelope");
        assert_eq!(body["error"]["code"], "REQUEST_TIMEOUT", "{body}");
    }
    app.stop().await;
}

#[tokio::test]
async fn an_answer_that_does_not_begin_is_given_up_and_what_was_begun_is_carried_through() {
    let app = bounded(Bounds {
        answer: SHORT,
        ..Bounds::default()
    })
    .await;
    let ann = app.user("ann").await;
    let pool = app.app.database.pool();
    let mut held = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE events IN EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let late = ann
        .post("/keyword-sets")
        .json(&json!({"name": "k"}))
        .send()
        .await;
    assert_eq!(late.header("retry-after"), Some("5"));
    assert_eq!(late.ok(503)["error"]["code"], "TIMEOUT");
    held.rollback().await.unwrap();
    eventually("the set is there", || async {
        let sets = ann.get("/keyword-sets").send().await.ok(200);
        (sets.as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    app.stop().await;
}

#[tokio::test]
async fn a_stream_is_open_for_longer_than_an_answer_may_take_to_begin() {
    let app = bounded(Bounds {
        answer: SHORT,
        body: SHORT,
        ..Bounds::default()
    })
    .await;
    let ann = app.user("ann").await;
    let mut stream = crate::sse::client::Stream::open(&ann, "/sse/events", None).await;
    let quiet = timeout(4 * SHORT, stream.next()).await;
    assert!(quiet.is_err(), "it ended: {quiet:?}");
    ann.post("/keyword-sets")
        .json(&json!({"name": "k"}))
        .send()
        .await
        .ok(201);
    let message = timeout(DEADLINE, stream.next())
        .await
        .expect("in time")
        .expect("a message");
    assert_eq!(message.kind, "keyword_set_created");
    app.stop().await;
}
