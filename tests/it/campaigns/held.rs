//! The read side stands still: what is committed is answered all the same, as the read models show it later.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::shops;
use crate::support::server::{Client, Reply, TestApp};

const HOLD: &str = "SELECT pg_advisory_lock(hashtext('projection'), hashtext('campaigns'))";
const LET_GO: &str = "SELECT pg_advisory_unlock(hashtext('projection'), hashtext('campaigns'))";

/// Gives a command while the read side is held, and then lets it go on; the answer says that it lags.
async fn held(connection: &mut PgConnection, command: crate::support::server::Request) -> Reply {
    sqlx::query(HOLD).execute(&mut *connection).await.unwrap();
    let reply = command.send().await;
    sqlx::query(LET_GO).execute(connection).await.unwrap();
    assert!(reply.status < 300, "{}", reply.text);
    assert!(reply.header("x-projection-lag").is_some());
    reply
}

/// Asks for something as the read models show it once they have taken a command in.
async fn shown(client: &Client, path: &str, command: &Reply) -> Value {
    let cursor = command.header("x-event-cursor").unwrap().to_owned();
    let reply = client.get(path).header("x-read-after", cursor).send().await;
    assert!(reply.header("x-projection-lag").is_none());
    reply.ok(200)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_answered_with_what_it_did_also_where_the_read_side_lags() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let mut connection = app.app.database.pool().acquire().await.unwrap().detach();
    // Nothing goes on by itself in between.
    let mut body = shops("ab");
    body["mode"] = json!("step_by_step");
    let made = held(&mut connection, ann.post("/campaigns").json(&body)).await;
    let path = format!("/campaigns/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(made.json(), shown(&ann, &path, &made).await);
    let phase = |phase: &str| format!("{path}/phases/{phase}");
    let configure = |name: &str| format!("{}/configure", phase(name));
    let status = |name: &str| format!("{}/status", phase(name));
    let commands = [
        (
            Method::PUT,
            path.clone(),
            json!({"name": "others", "description": "new"}),
            path.clone(),
        ),
        (
            Method::POST,
            configure("validation"),
            json!({"configuration": {}}),
            status("validation"),
        ),
        (
            Method::POST,
            configure("extraction"),
            json!({"configuration": {"keywords": ["x"]}}),
            status("extraction"),
        ),
        (
            Method::POST,
            format!("{path}/start"),
            json!({}),
            status("discovery"),
        ),
    ];
    for (method, command, body, shows) in commands {
        let reply = held(&mut connection, ann.request(method, &command).json(&body)).await;
        assert_eq!(reply.json(), shown(&ann, &shows, &reply).await, "{command}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_to_a_campaign_that_the_read_side_does_not_show_yet_finds_it() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let mut connection = app.app.database.pool().acquire().await.unwrap().detach();
    sqlx::query(HOLD).execute(&mut connection).await.unwrap();
    let made = ann
        .post("/campaigns")
        .json(&shops("ab"))
        .send()
        .await
        .ok(201);
    let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
    let renamed = ann.put(&path).json(&json!({"name": "others"})).send().await;
    assert_eq!(renamed.ok(200)["name"], "others");
    let mode = ann
        .put(&format!("{path}/mode"))
        .json(&json!({"mode": "step_by_step"}));
    assert_eq!(mode.send().await.ok(200)["mode"], "step_by_step");
    ann.post(&format!("{path}/phases/validation/configure"))
        .json(&json!({"configuration": {}}))
        .send()
        .await
        .ok(200);
    let strangers = app.user("bob").await;
    strangers
        .put(&path)
        .json(&json!({"name": "mine"}))
        .send()
        .await
        .blames(404, "campaignId");
    let deleted = ann.delete(&path).send().await;
    deleted.ok(204);
    ann.put(&path)
        .json(&json!({"name": "late"}))
        .send()
        .await
        .blames(404, "campaignId");
    sqlx::query(LET_GO).execute(&mut connection).await.unwrap();
    app.stop().await;
}
