//! Requests that are under way while their sender's way in ends, and commands about ways in that meet each other.

use std::time::Duration;

use aggregates::ids::UserId;
use domainflow::http::{Bounds, Settings};
use futures::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::support::{
    DEADLINE, eventually,
    server::{Client, PASSWORD, TestApp, email},
};

/// Sends the head of a command and half of its body.
async fn half(app: &TestApp, sender: &Client, path: &str, body: &str) -> (TcpStream, String) {
    let address = app.base.split('/').nth(2).expect("an address");
    let mut socket = TcpStream::connect(address).await.expect("a connection");
    let (first, rest) = body.split_at(body.len() / 2);
    let head = format!(
        "POST /api/v2{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        sender.token.as_deref().expect("a token"),
        body.len()
    );
    socket.write_all(head.as_bytes()).await.expect("it is sent");
    (socket, rest.to_owned())
}

/// Sends the rest, and reads what is answered.
async fn rest((mut socket, rest): (TcpStream, String)) -> String {
    // The server may have ended the connection.
    let _ = socket.write_all(rest.as_bytes()).await;
    let mut text = String::new();
    let read = timeout(DEADLINE, socket.read_to_string(&mut text)).await;
    let _ = read.expect("the server ends the connection");
    text
}

/// Waits until the server has seen a use of the session: its head came.
async fn is_used(app: &TestApp) {
    eventually("the head has come", || async {
        let used = "SELECT bool_and(last_used_at > now() - interval '30 seconds') FROM sessions";
        let used: bool = sqlx::query_scalar(used)
            .fetch_one(app.app.database.pool())
            .await
            .unwrap();
        used.then_some(())
    })
    .await;
}

async fn unused(app: &TestApp) {
    sqlx::query("UPDATE sessions SET last_used_at = now() - interval '2 minutes'")
        .execute(app.app.database.pool())
        .await
        .unwrap();
}

async fn count(app: &TestApp, question: &'static str) -> i64 {
    sqlx::query_scalar(question)
        .fetch_one(app.app.database.pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_command_whose_body_comes_after_its_session_ended_is_not_carried_out() {
    let app = TestApp::start().await;
    let bodies = [
        ("/auth/api-keys", json!({"name": "late", "scope": "write"})),
        (
            "/auth/change-password",
            json!({"oldPassword": PASSWORD, "newPassword": "another horse"}),
        ),
        ("/keyword-sets", json!({"name": "late"})),
    ];
    for (at, (path, body)) in bodies.into_iter().enumerate() {
        let ann = app.user(&format!("ann{at}")).await;
        unused(&app).await;
        let begun = half(&app, &ann, path, &body.to_string()).await;
        is_used(&app).await;
        ann.post("/auth/logout").send().await.ok(204);
        let answer = rest(begun).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{path}: {answer}");
    }
    let made = "SELECT count(*) FROM events WHERE event_type IN ('ApiKeyIssued', 'PasswordChanged', 'Created')";
    assert_eq!(count(&app, made).await, 0);
    app.stop().await;
}

#[tokio::test]
async fn a_body_that_goes_on_and_on_is_given_up() {
    let bounds = Bounds {
        whole_body: Duration::from_millis(300),
        ..Bounds::default()
    };
    let settings = Settings {
        bounds,
        ..Settings::default()
    };
    let app = TestApp::reached(settings, false).await;
    let ann = app.user("ann").await;
    let (mut socket, _) = half(&app, &ann, "/keyword-sets", &" ".repeat(1 << 20)).await;
    let (mut reading, mut writing) = socket.split();
    let goes_on = async {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut line = [0; 12];
    tokio::select! {
        () = goes_on => panic!("the connection ended without an answer"),
        read = timeout(DEADLINE, reading.read_exact(&mut line)) => {
            read.expect("in time").expect("an answer");
        }
    }
    assert_eq!(String::from_utf8_lossy(&line), "HTTP/1.1 408");
    app.stop().await;
}

#[tokio::test]
async fn of_two_log_outs_at_once_one_is_recorded() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let pool = app.app.database.pool();
    let mut held = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM sessions FOR UPDATE")
        .execute(&mut *held)
        .await
        .unwrap();
    let both = join_all([
        ann.post("/auth/logout").send(),
        ann.post("/auth/logout").send(),
    ]);
    let release = async {
        eventually("both wait for the session", || async {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM sessions%'";
            (count(&app, waiting).await == 2).then_some(())
        })
        .await;
        held.rollback().await.unwrap();
    };
    let (replies, ()) = tokio::join!(both, release);
    for reply in replies {
        reply.ok(204);
    }
    let ended = "SELECT count(*) FROM events WHERE event_type = 'LoggedOut'";
    assert_eq!(count(&app, ended).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn the_set_up_token_makes_nobody_beside_a_user_who_is_made_at_the_same_moment() {
    let app = TestApp::start().await;
    let offered = app.auth.offer_setup(&app.app).await.unwrap();
    let token = offered.expect("no users");
    let mut other = app.app.database.pool().begin().await.unwrap();
    sqlx::query(
        "INSERT INTO user_emails (email, user_id) VALUES ('first@example.com', gen_random_uuid())",
    )
    .execute(&mut *other)
    .await
    .unwrap();
    let body = json!({"token": token.expose(), "email": "root@example.com", "username": "root",
        "password": PASSWORD});
    let client = app.anonymous();
    let set_up = client.post("/auth/setup").json(&body).send();
    let commit = async {
        eventually("the set-up waits", || async {
            let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND wait_event_type = 'Lock' AND query LIKE 'LOCK TABLE user_emails%'";
            (count(&app, waiting).await == 1).then_some(())
        })
        .await;
        other.commit().await.unwrap();
    };
    let (reply, ()) = tokio::join!(set_up, commit);
    assert_eq!(reply.ok(409)["error"]["code"], "ALREADY_SET_UP");
    assert_eq!(count(&app, "SELECT count(*) FROM user_access").await, 0);
    app.stop().await;
}

#[tokio::test]
async fn a_user_has_a_hundred_sessions_and_the_next_one_ends_the_one_that_was_not_used_for_longest()
{
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let UserId(user) = ann.user_id.unwrap();
    unused(&app).await;
    sqlx::query(
        "INSERT INTO sessions (session_hash, session_id, user_id, expires_at) \
         SELECT sha256(n::text::bytea), gen_random_uuid(), $1, now() + interval '1 hour' FROM generate_series(1, 99) n",
    )
    .bind(user)
    .execute(app.app.database.pool())
    .await
    .unwrap();
    app.log_in("ann", PASSWORD).await.ok(200);
    assert_eq!(count(&app, "SELECT count(*) FROM sessions").await, 100);
    ann.get("/auth/me").send().await.ok(401);
    let ended = "SELECT count(*) FROM events WHERE event_type = 'LoggedOut'";
    assert_eq!(count(&app, ended).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn what_has_the_engines_send_something_needs_a_proof_of_its_origin_whatever_the_method() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = format!(
        "/extract/keywords/stream?url=http://shop.test/&keywordSetId={}",
        uuid::Uuid::nil()
    );
    let client = app.anonymous();
    let asked = || client.get(&path).header("cookie", ann.cookie());
    asked().send().await.blames(403, "X-Requested-With");
    let cross = asked().header("sec-fetch-site", "cross-site").send().await;
    cross.blames(403, "X-Requested-With");
    let own = asked().header("sec-fetch-site", "same-origin").send().await;
    assert!(own.status != 403, "{}", own.status);
    client
        .get("/keyword-sets")
        .header("cookie", ann.cookie())
        .send()
        .await
        .ok(200);
    app.stop().await;
}

/// Logs in from an address that a proxy names.
async fn from(app: &TestApp, address: &str, name: &str, password: &str) -> (u16, u64) {
    let body = json!({"email": email(name), "password": password});
    let request = app.anonymous().post("/auth/login").json(&body);
    let reply = request.header("x-forwarded-for", address).send().await;
    let wait = reply.header("retry-after").unwrap_or("0");
    (reply.status, wait.parse().expect("seconds"))
}

#[tokio::test]
async fn wrong_passwords_from_one_address_do_not_keep_a_user_out_at_another() {
    let settings = Settings {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..Settings::default()
    };
    let app = TestApp::reached(settings, false).await;
    app.user("ann").await;
    for name in ["ann", "nobody"] {
        for _ in 0..5 {
            let (status, _) = from(&app, "198.51.100.1", name, "wrong password").await;
            assert_eq!(status, 401);
        }
        let (status, wait) = from(&app, "198.51.100.1", name, PASSWORD).await;
        assert_eq!(status, 429);
        assert!((800..=901).contains(&wait), "{name}: {wait}");
        let elsewhere = from(&app, "198.51.100.2", name, PASSWORD).await.0;
        assert_eq!(elsewhere, if name == "ann" { 200 } else { 401 });
        // Whoever goes on is locked out for longer.
        let over = "UPDATE failed_log_ins SET locked_until = now()";
        sqlx::query(over)
            .execute(app.app.database.pool())
            .await
            .unwrap();
        for _ in 0..5 {
            from(&app, "198.51.100.1", name, "wrong password").await;
        }
        let (status, wait) = from(&app, "198.51.100.1", name, PASSWORD).await;
        assert_eq!(status, 429);
        assert!((1_700..=1_801).contains(&wait), "{name}: {wait}");
    }
    app.stop().await;
}

#[tokio::test]
async fn fifty_wrong_passwords_in_a_row_from_everywhere_lock_an_account_out_whoevers_it_is() {
    let settings = Settings {
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..Settings::default()
    };
    let app = TestApp::reached(settings, false).await;
    app.user("ann").await;
    for name in ["ann", "nobody"] {
        for host in 1..=50 {
            let address = format!("198.51.100.{host}");
            assert_eq!(from(&app, &address, name, "wrong password").await.0, 401);
        }
        let (status, wait) = from(&app, "198.51.100.200", name, PASSWORD).await;
        assert_eq!(status, 429, "{name}");
        assert!((800..=901).contains(&wait), "{name}: {wait}");
    }
    app.stop().await;
}
