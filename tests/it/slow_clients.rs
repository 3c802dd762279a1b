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

/// The preface of HTTP/2 and an empty SETTINGS frame (RFC 9113, section 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// An answer to a PING with eight bytes of nothing; what comes as PING is answered by it.
const PONG: [u8; 9] = [0, 0, 8, 6, 1, 0, 0, 0, 0];

#[tokio::test]
async fn a_connection_of_http_2_on_which_nothing_is_asked_ends_however_lively_it_is() {
    let app = bounded(Bounds {
        head: SHORT,
        ..Bounds::default()
    })
    .await;
    let address = app.base.split('/').nth(2).expect("an address");
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    socket.write_all(HTTP2).await.expect("it is sent");
    let lively = async {
        let mut head = [0; 9];
        while socket.read_exact(&mut head).await.is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            if socket.read_exact(&mut payload).await.is_err() {
                break;
            }
            if head[3] == 6 && head[4] == 0 {
                let pong = [&PONG[..], &payload].concat();
                if socket.write_all(&pong).await.is_err() {
                    break;
                }
            }
        }
    };
    timeout(DEADLINE, lively)
        .await
        .expect("the server ends the connection");
    app.stop().await;
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_not_kept() {
    let app = bounded(Bounds {
        reading: SHORT,
        head: SHORT,
        ..Bounds::default()
    })
    .await;
    // More than sockets take in: the document again and again.
    let asked = "GET /api/v2/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    let mut socket = say(&app, &asked).await;
    // Nothing is read; a connection that the server closed refuses what is written.
    let given_up = async { while socket.write_all(PING.as_bytes()).await.is_ok() {} };
    timeout(DEADLINE, given_up)
        .await
        .expect("the connection is given up");
    app.stop().await;
}

#[tokio::test]
async fn a_strangers_body_has_to_come_as_a_whole_in_the_time_of_a_part() {
    let app = bounded(Bounds {
        body: SHORT,
        ..Bounds::default()
    })
    .await;
    let head = "POST /api/v2/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: 1000\r\n\r\n{";
    let mut socket = say(&app, head).await;
    let (mut reading, mut writing) = socket.split();
    let goes_on = async {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(SHORT / 10).await;
        }
        std::future::pending::<()>().await;
    };
    let mut line = [0; 12];
    tokio::select! {
        () = goes_on => {}
        read = timeout(DEADLINE, reading.read_exact(&mut line)) => {
            read.expect("in time").expect("an answer");
        }
    }
    assert_eq!(String::from_utf8_lossy(&line), "HTTP/1.1 408");
    app.stop().await;
}

#[tokio::test]
async fn who_waits_for_a_place_keeps_nobody_from_the_last_ones() {
    let proxies = vec!["127.0.0.2".parse().expect("an address")];
    let settings = Settings {
        bounds: Bounds {
            connections: 20,
            connections_of_address: 100,
            head: DEADLINE,
            ..Bounds::default()
        },
        trusted_proxies: proxies,
        ..Settings::default()
    };
    let app = TestApp::reached(settings, false).await;
    let mut hoard = Vec::new();
    for _ in 0..30 {
        hoard.push(say(&app, "").await);
    }
    // Of another address, which has none yet.
    let address = app.base.split('/').nth(2).expect("an address");
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.3:0".parse().expect("an address"))
        .expect("loopback has many addresses");
    let address = address.parse().expect("an address");
    let mut other = socket.connect(address).await.expect("a connection");
    other.write_all(PING.as_bytes()).await.expect("it is sent");
    assert_eq!(status(&mut other).await, "HTTP/1.1 200");
    drop((hoard, other));
    app.stop().await;
}
