//! Logging in and out, sessions, lock-out, and the proof that a command came from here.

use std::time::Duration;

use aggregates::{Actor, Metadata, user};
use domainflow::auth;
use serde_json::{Value, json};

use crate::support::server::{Client, PASSWORD, Reply, TestApp, email};

#[tokio::test]
async fn a_log_in_answers_a_token_that_the_cookie_repeats_and_both_are_accepted() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let reply = app.log_in("ann", PASSWORD).await;
    let cookie = reply.header("set-cookie").expect("a cookie").to_owned();
    let cursor: u64 = reply
        .header("x-event-cursor")
        .expect("a cursor")
        .parse()
        .unwrap();
    assert!(cursor > 0);
    let session = reply.ok(200);
    let token = session["token"].as_str().unwrap();
    let (id, signature) = token.split_once('.').unwrap();
    assert_eq!((id.len(), signature.len()), (64, 43));
    for part in [
        &format!("domainflow_session={token}"),
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "{cookie}");
    assert_eq!(session["user"]["email"], email("ann"));
    assert_eq!(session["user"]["isActive"], true);
    assert!(session["expiresAt"].is_string());

    let me = ann.get("/auth/me").send().await.ok(200);
    assert_eq!(me["id"], ann.user_id.unwrap().to_string());
    assert_eq!(me["username"], "ann");
    let by_cookie = app
        .anonymous()
        .get("/me")
        .header("cookie", format!("domainflow_session={token}"))
        .send()
        .await;
    assert_eq!(by_cookie.ok(200), me);
    app.stop().await;
}

#[tokio::test]
async fn a_session_ends_with_its_log_out_and_other_sessions_stay() {
    let app = TestApp::start().await;
    let first = app.user("ann").await;
    let second = Client {
        token: Some(
            app.log_in("ann", PASSWORD).await.ok(200)["token"]
                .as_str()
                .unwrap()
                .to_owned(),
        ),
        ..first.clone()
    };
    let reply = first.post("/auth/logout").send().await;
    assert!(reply.header("set-cookie").unwrap().contains("Max-Age=0"));
    reply.ok(204);
    first.get("/auth/me").send().await.ok(401);
    second.get("/auth/me").send().await.ok(200);

    let events: Vec<String> = sqlx::query_scalar(
        "SELECT event_type FROM events WHERE aggregate_type = 'user' ORDER BY sequence",
    )
    .fetch_all(app.app.database.pool())
    .await
    .unwrap();
    assert_eq!(events, ["Registered", "LoggedIn", "LoggedIn", "LoggedOut"]);
    app.stop().await;
}

#[tokio::test]
async fn a_refresh_prolongs_the_session_and_an_expired_one_is_over() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let pool = app.app.database.pool();
    sqlx::query("UPDATE sessions SET expires_at = now() + interval '1 minute'")
        .execute(pool)
        .await
        .unwrap();
    let refreshed = ann.post("/auth/refresh").send().await.ok(200);
    assert_eq!(refreshed["token"], ann.token.clone().unwrap());
    let far: bool =
        sqlx::query_scalar("SELECT expires_at > now() + interval '1 hour' FROM sessions")
            .fetch_one(pool)
            .await
            .unwrap();
    assert!(far);
    sqlx::query("UPDATE sessions SET expires_at = now() - interval '1 second'")
        .execute(pool)
        .await
        .unwrap();
    ann.get("/auth/me").send().await.ok(401);
    assert_eq!(app.auth.sweep(&app.app).await.unwrap(), 1);
    app.stop().await;
}

#[tokio::test]
async fn no_secret_is_in_the_log_or_readable_in_a_table() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let token = ann.token.clone().unwrap();
    let session = token.split_once('.').unwrap().0;
    let pool = app.app.database.pool();
    let told: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM events WHERE payload::text || metadata::text LIKE '%' || $1 || '%' \
         OR payload::text || metadata::text LIKE '%' || $2 || '%') \
         OR EXISTS (SELECT FROM sessions WHERE sessions::text LIKE '%' || $1 || '%') \
         OR EXISTS (SELECT FROM credentials WHERE password_hash LIKE '%' || $2 || '%')",
    )
    .bind(session)
    .bind(PASSWORD)
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(!told);
    app.stop().await;
}

#[tokio::test]
async fn a_change_of_the_password_leaves_no_hash_of_its_body_whatever_key_it_comes_with() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let change = |path: &'static str, old: &str, new: &str| {
        ann.post(path)
            .header("x-idempotency-key", "key-1")
            .json(&json!({"oldPassword": old, "newPassword": new}))
            .send()
    };
    change("/auth/change-password", PASSWORD, "another horse")
        .await
        .ok(200);
    let again = app.log_in("ann", "another horse").await.ok(200);
    app.anonymous()
        .post("/change-password")
        .header(
            "authorization",
            format!("Bearer {}", again["token"].as_str().unwrap()),
        )
        .header("x-idempotency-key", "key-1")
        .json(&json!({"oldPassword": "another horse", "newPassword": PASSWORD}))
        .send()
        .await
        .ok(200);
    let kept: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM idempotency_keys), \
         (SELECT count(*) FROM events WHERE metadata::jsonb ?| ARRAY['idempotency', 'request_hash'])",
    )
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert_eq!(kept, (0, 0));
    app.stop().await;
}

#[tokio::test]
async fn a_forged_or_foreign_token_is_refused() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let token = ann.token.clone().unwrap();
    let (session, signature) = token.split_once('.').unwrap();
    let forged = [
        format!("{}.{signature}", "0".repeat(64)),
        format!("{session}.{}", "A".repeat(43)),
        session.to_owned(),
        String::new(),
        "x".repeat(4000),
    ];
    for token in forged {
        let client = Client {
            token: Some(token),
            ..ann.clone()
        };
        client.get("/auth/me").send().await.ok(401);
    }
    app.stop().await;
}

#[tokio::test]
async fn five_wrong_passwords_lock_out_even_the_right_one_on_every_node() {
    let app = TestApp::start().await;
    app.user("ann").await;
    let other = app.another_node().await;
    for node in [&app.server, &other, &app.server, &other, &app.server] {
        node.log_in("ann", "wrong password").await.ok(401);
    }
    for node in [&app.server, &other] {
        let reply = node.log_in("ann", PASSWORD).await;
        let wait: u64 = reply
            .header("retry-after")
            .expect("Retry-After")
            .parse()
            .unwrap();
        assert!((800..=901).contains(&wait), "{wait}");
        reply.ok(429);
    }
    // Nobody else is locked out, and a lock-out neither grows nor fills the log.
    app.user("bob").await;
    let failures: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'LoginFailed'")
            .fetch_one(app.app.database.pool())
            .await
            .unwrap();
    assert_eq!(failures, 5);
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn guesses_at_the_same_moment_are_counted_one_after_the_other() {
    let app = TestApp::start().await;
    app.user("ann").await;
    let others = [
        app.another_node().await,
        app.another_node().await,
        app.another_node().await,
    ];
    let nodes = [&app.server, &others[0], &others[1], &others[2]];
    let guesses = (0..24).map(|at: usize| nodes[at % 4].log_in("ann", "wrong password"));
    let answers = futures::future::join_all(guesses).await;
    let refused = answers.iter().filter(|reply| reply.status == 401).count();
    let locked = answers.iter().filter(|reply| reply.status == 429).count();
    assert_eq!((refused, locked), (5, 19));
    for node in others {
        node.stop().await;
    }
    app.stop().await;
}

#[tokio::test]
async fn an_unknown_user_is_answered_like_a_wrong_password() {
    let app = TestApp::start().await;
    app.user("ann").await;
    let wrong = app.log_in("ann", "wrong password").await;
    let unknown = app.log_in("nobody", "wrong password").await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert_eq!(
        wrong.json()["error"]["message"],
        unknown.json()["error"]["message"]
    );
    // Too long for bcrypt, and so nobody's.
    app.log_in("ann", &"x".repeat(200)).await.ok(401);
    app.stop().await;
}

#[tokio::test]
async fn who_has_an_account_is_not_told_by_ten_wrong_passwords() {
    let app = TestApp::start().await;
    app.user("ann").await;
    let bob = app.user("bob").await;
    let deactivate = user::Command::Deactivate(user::Deactivate);
    let metadata = Metadata::new(Actor::Operator, "test");
    let bob = bob.user_id.unwrap().to_string();
    app.app
        .execute::<user::User>(&bob, deactivate, &metadata, None)
        .await
        .unwrap();
    let mut statuses = Vec::new();
    for _ in 0..10 {
        let known = shown(&app.log_in("ann", "wrong password").await);
        for other in ["nobody", "bob"] {
            let answer = shown(&app.log_in(other, "wrong password").await);
            assert_eq!(answer, known, "{other}");
        }
        statuses.push(known.0);
    }
    assert_eq!(statuses, [[401; 5], [429; 5]].concat());
    // A lock-out that is over is over for all.
    sqlx::query("UPDATE failed_log_ins SET locked_until = now()")
        .execute(app.app.database.pool())
        .await
        .unwrap();
    app.log_in(" NoBody", "wrong password").await.ok(401);
    sqlx::query("UPDATE failed_log_ins SET last_at = now() - interval '31 days'")
        .execute(app.app.database.pool())
        .await
        .unwrap();
    app.auth.sweep(&app.app).await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM failed_log_ins")
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(kept, 0);
    app.stop().await;
}

/// What an answer shows: status, headers and body, but what is each request's own; digits are of times.
fn shown(reply: &Reply) -> (u16, Vec<(String, String)>, String) {
    let shape = |text: &str| -> String {
        let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
        text.chars().map(shape).collect()
    };
    let headers = reply.headers.iter();
    let headers = headers
        .filter(|(name, _)| *name != "x-request-id")
        .map(|(name, value)| (name.to_string(), shape(value.to_str().unwrap())));
    let mut body = reply.json();
    body["requestId"] = Value::Null;
    body["error"]["timestamp"] = Value::Null;
    (reply.status, headers.collect(), shape(&body.to_string()))
}

#[tokio::test]
async fn changing_the_password_needs_the_old_one_and_ends_every_session() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let other = Client {
        token: Some(
            app.log_in("ann", PASSWORD).await.ok(200)["token"]
                .as_str()
                .unwrap()
                .to_owned(),
        ),
        ..ann.clone()
    };
    let change = |old: &str, new: &str| json!({"oldPassword": old, "newPassword": new});
    let send = |body| ann.post("/auth/change-password").json(&body).send();
    send(change("wrong password", "another horse"))
        .await
        .blames(400, "oldPassword");
    send(change(PASSWORD, "short"))
        .await
        .blames(400, "newPassword");
    let changed = send(change(PASSWORD, "another horse")).await;
    assert!(changed.header("set-cookie").unwrap().contains("Max-Age=0"));
    changed.ok(200);
    ann.get("/auth/me").send().await.ok(401);
    other.get("/auth/me").send().await.ok(401);
    app.log_in("ann", PASSWORD).await.ok(401);
    app.log_in("ann", "another horse").await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn an_address_belongs_to_one_user() {
    let app = TestApp::start().await;
    app.user("ann").await;
    let role = aggregates::user::Role::User;
    let register = |email: &'static str, password: &'static str| async {
        auth::register(&app.app, &app.auth, email, "ann", password, role).await
    };
    assert!(matches!(
        register(" Ann@Example.com", PASSWORD).await,
        Err(auth::Error::EmailTaken(_))
    ));
    assert!(matches!(
        register("x@example.com", "short").await,
        Err(auth::Error::UnusablePassword(_))
    ));
    assert!(matches!(
        register("no address", PASSWORD).await,
        Err(auth::Error::Refused(_))
    ));
    // Two at once: one of them.
    let (one, two) = tokio::join!(
        register("x@example.com", PASSWORD),
        register("x@example.com", PASSWORD)
    );
    assert_eq!([one, two].iter().filter(|made| made.is_ok()).count(), 1);
    let hashes: i64 = sqlx::query_scalar("SELECT count(*) FROM credentials")
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(hashes, 2);
    app.stop().await;
}

#[tokio::test]
async fn a_command_with_the_cookie_needs_a_proof_of_its_origin() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let cookie = ann.cookie();
    let refresh = || {
        app.anonymous()
            .post("/auth/refresh")
            .header("cookie", &cookie)
    };
    refresh().send().await.blames(403, "X-Requested-With");
    refresh()
        .header("origin", "https://evil.example")
        .send()
        .await
        .ok(403);
    refresh()
        .header("sec-fetch-site", "cross-site")
        .send()
        .await
        .ok(403);
    refresh()
        .header("x-requested-with", "XMLHttpRequest")
        .send()
        .await
        .ok(200);
    let host = app.base.trim_end_matches("/api/v2").to_owned();
    refresh().header("origin", host).send().await.ok(200);
    ann.post("/auth/refresh").send().await.ok(200);
    app.anonymous()
        .get("/auth/me")
        .header("cookie", &cookie)
        .send()
        .await
        .ok(200);
    app.stop().await;
}

#[tokio::test]
async fn a_secret_on_another_node_is_the_same_and_a_session_outlives_a_restart() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let other = app.another_node().await;
    ann.at(&other).get("/auth/me").send().await.ok(200);
    other.stop().await;
    let app = app.restart().await;
    tokio::time::timeout(
        Duration::from_secs(10),
        ann.at(&app.server).get("/auth/me").send(),
    )
    .await
    .unwrap()
    .ok(200);
    app.stop().await;
}
