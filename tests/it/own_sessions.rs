//! How long sessions last, and what their user sees of them and can do to them.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::{
    sse::client::Stream,
    support::server::{Client, PASSWORD, TestApp},
};

/// Logs a user in once more.
async fn again(app: &TestApp, client: &Client, name: &str) -> Client {
    let session = app.log_in(name, PASSWORD).await.ok(200);
    Client {
        token: session["token"].as_str().map(str::to_owned),
        ..client.clone()
    }
}

async fn sql(app: &TestApp, statement: &'static str) {
    sqlx::query(statement)
        .execute(app.app.database.pool())
        .await
        .expect("the statement is carried out");
}

async fn asked(app: &TestApp, question: &'static str) -> bool {
    sqlx::query_scalar(question)
        .fetch_one(app.app.database.pool())
        .await
        .expect("an answer")
}

#[tokio::test]
async fn a_use_puts_the_end_of_a_session_off_and_is_written_once_a_minute_at_most() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    sql(&app, "UPDATE sessions SET last_used_at = now() - interval '59 seconds', expires_at = now() + interval '1 hour'").await;
    ann.get("/auth/me").send().await.ok(200);
    assert!(
        asked(
            &app,
            "SELECT expires_at < now() + interval '1 hour' FROM sessions"
        )
        .await
    );
    sql(
        &app,
        "UPDATE sessions SET last_used_at = now() - interval '61 seconds'",
    )
    .await;
    ann.get("/auth/me").send().await.ok(200);
    let put_off = "SELECT last_used_at > now() - interval '1 minute' \
        AND expires_at BETWEEN now() + interval '11 hours' AND now() + interval '12 hours' FROM sessions";
    assert!(asked(&app, put_off).await);

    // Thirty days after the log-in it ends, used or not.
    sql(
        &app,
        "UPDATE sessions SET created_at = now() - interval '30 days' + interval '1 hour', \
        last_used_at = now() - interval '2 minutes'",
    )
    .await;
    ann.get("/auth/me").send().await.ok(200);
    assert!(
        asked(
            &app,
            "SELECT expires_at <= created_at + interval '30 days' FROM sessions"
        )
        .await
    );
    sql(
        &app,
        "UPDATE sessions SET expires_at = now() - interval '1 second'",
    )
    .await;
    ann.get("/auth/me").send().await.ok(401);
    assert!(
        asked(&app, "SELECT expires_at < now() FROM sessions").await,
        "it was not revived"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_user_sees_his_own_sessions_and_ends_one_of_them_or_all_but_this_one() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (second, third) = (
        again(&app, &ann, "ann").await,
        again(&app, &ann, "ann").await,
    );
    let list = async |client: &Client| -> Vec<Value> {
        let reply = client.get("/auth/sessions").send().await;
        let total: usize = reply.header("x-total-count").unwrap().parse().unwrap();
        let list = reply.ok(200).as_array().unwrap().clone();
        assert_eq!(list.len(), total);
        list
    };
    let current = async |client: &Client| -> String {
        let list = list(client).await;
        let mut current = list.iter().filter(|session| session["current"] == true);
        let id = current.next().expect("a current one")["id"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(current.next().is_none());
        id
    };
    let shown = list(&ann).await;
    assert_eq!(shown.len(), 3);
    for session in &shown {
        assert_eq!(session["ip"], "127.0.0.1");
        assert!(session["createdAt"].is_string() && session["lastUsedAt"].is_string());
        assert!(
            !session
                .to_string()
                .contains(&ann.token.clone().unwrap()[..64])
        );
    }
    let (of_second, of_third) = (current(&second).await, current(&third).await);
    assert_ne!(of_second, of_third);

    let path = format!("/auth/sessions/{of_second}");
    bob.delete(&path).send().await.blames(404, "sessionId");
    let mut stream = Stream::open(&second, "/sse/events", None).await;
    stream.any().await.expect("it is open");
    let ended = ann.delete(&path).send().await;
    assert!(ended.header("set-cookie").is_none());
    ended.ok(204);
    second.get("/auth/me").send().await.ok(401);
    let over = async { while stream.any().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(8), over)
        .await
        .expect("its stream ended");
    ann.delete(&path).send().await.blames(404, "sessionId");

    ann.delete("/auth/sessions").send().await.ok(204);
    third.get("/auth/me").send().await.ok(401);
    bob.get("/auth/me").send().await.ok(200);
    // There is nothing left to end, and that is no fault.
    ann.delete("/auth/sessions").send().await.ok(204);
    let own = format!("/auth/sessions/{}", current(&ann).await);
    let ended = ann.request(Method::DELETE, &own).send().await;
    assert!(ended.header("set-cookie").unwrap().contains("Max-Age=0"));
    ended.ok(204);
    ann.get("/auth/me").send().await.ok(401);
    let logged_out: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'LoggedOut'")
            .fetch_one(app.app.database.pool())
            .await
            .unwrap();
    assert_eq!(logged_out, 3);
    app.stop().await;
}
