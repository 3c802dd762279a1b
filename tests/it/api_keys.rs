//! API keys: made once, accepted as long as they are good, and no way to more than they are for.

use std::time::Duration;

use aggregates::user::{Command, Deactivate, Reactivate};
use chrono::{TimeDelta, Utc};
use domainflow::auth;
use serde_json::{Value, json};

use crate::{
    sse::client::Stream,
    support::server::{Client, PASSWORD, TestApp, email},
};

/// Makes a key of somebody's; returns its id, and whoever holds it.
pub async fn key_of(owner: &Client, scope: &str) -> (String, Client) {
    let body = json!({"name": "ci", "scope": scope});
    let made = owner
        .post("/auth/api-keys")
        .json(&body)
        .send()
        .await
        .ok(201);
    let holder = Client {
        token: made["key"].as_str().map(str::to_owned),
        ..owner.clone()
    };
    (made["id"].as_str().expect("an id").to_owned(), holder)
}

#[tokio::test]
async fn a_key_is_shown_once_kept_as_a_hash_and_named_by_what_is_done_with_it() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let (id, holder) = key_of(&ann, "write").await;
    let key = holder.token.clone().unwrap();
    assert!(key.starts_with("dfk_") && key.len() == 76, "{key}");
    let listed = ann.get("/auth/api-keys").send().await.ok(200);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["scope"]),
        (&json!("ci"), &json!("write"))
    );
    assert_eq!(listed[0]["lastUsedAt"], Value::Null);
    assert!(!listed.to_string().contains(&key[4..]));

    holder
        .post("/keyword-sets")
        .json(&json!({"name": "k"}))
        .send()
        .await
        .ok(201);
    let listed = ann.get("/auth/api-keys").send().await.ok(200);
    assert!(listed[0]["lastUsedAt"].is_string());
    let pool = app.app.database.pool();
    let named: Vec<Option<String>> = sqlx::query_scalar(
        "SELECT metadata ->> 'api_key' FROM events WHERE event_type IN ('ApiKeyIssued', 'Created') ORDER BY id",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(named, [None, Some(id)]);
    let told: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM events WHERE payload::text || metadata::text LIKE '%' || $1 || '%') \
         OR EXISTS (SELECT FROM api_keys WHERE api_keys::text LIKE '%' || $1 || '%')",
    )
    .bind(&key[4..68])
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(!told);
    // A browser sends cookies by itself; a key is sent by whoever means to.
    let cookie = app
        .anonymous()
        .get("/auth/me")
        .header("cookie", holder.cookie());
    cookie.send().await.ok(401);
    app.stop().await;
}

#[tokio::test]
async fn a_key_for_reading_gives_no_commands_and_no_key_manages_ways_in() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let ((read_id, reader), (_, writer)) =
        (key_of(&ann, "read").await, key_of(&ann, "write").await);
    let set = json!({"name": "k"});
    reader.get("/keyword-sets").send().await.ok(200);
    let refused = reader.post("/keyword-sets").json(&set).send().await;
    assert_eq!(refused.ok(403)["error"]["code"], "FORBIDDEN");
    writer.post("/keyword-sets").json(&set).send().await.ok(201);
    for holder in [&reader, &writer] {
        holder.get("/auth/me").send().await.ok(200);
        let another = json!({"name": "another", "scope": "read"});
        holder
            .post("/auth/api-keys")
            .json(&another)
            .send()
            .await
            .ok(403);
        let path = format!("/auth/api-keys/{read_id}");
        holder.delete(&path).send().await.ok(403);
        holder.delete("/auth/sessions").send().await.ok(403);
        for path in ["/auth/change-password", "/change-password"] {
            let change = json!({"oldPassword": PASSWORD, "newPassword": "another horse"});
            holder.post(path).json(&change).send().await.ok(403);
        }
        holder.post("/auth/logout").send().await.ok(403);
        holder.post("/auth/refresh").send().await.ok(403);
    }
    app.log_in("ann", PASSWORD).await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_ended_was_taken_back_or_whose_user_is_shut_out_is_refused_at_once() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (id, holder) = key_of(&ann, "read").await;
    let mut stream = Stream::open(&holder, "/sse/events", None).await;
    stream.any().await.expect("it is open");
    let path = format!("/auth/api-keys/{id}");
    bob.delete(&path).send().await.blames(404, "keyId");
    holder.get("/auth/me").send().await.ok(200);
    ann.delete(&path).send().await.ok(204);
    holder.get("/auth/me").send().await.ok(401);
    let over = async { while stream.any().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(8), over)
        .await
        .expect("its stream ended");
    ann.delete(&path).send().await.blames(404, "keyId");

    let (_, holder) = key_of(&ann, "read").await;
    let administer = async |command| {
        auth::administer(&app.app, &email("ann"), command)
            .await
            .unwrap()
    };
    administer(Command::Deactivate(Deactivate)).await;
    holder.get("/auth/me").send().await.ok(401);
    administer(Command::Reactivate(Reactivate)).await;
    holder.get("/auth/me").send().await.ok(200);
    sqlx::query("UPDATE api_keys SET expires_at = now()")
        .execute(app.app.database.pool())
        .await
        .unwrap();
    holder.get("/auth/me").send().await.ok(401);
    let forged = Client {
        token: holder.token.as_ref().map(|key| key.replace("dfk_", "dfk-")),
        ..holder.clone()
    };
    forged.get("/auth/me").send().await.ok(401);
    app.stop().await;
}

#[tokio::test]
async fn a_new_password_takes_the_keys_back_whoever_sets_it() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let (_, holder) = key_of(&ann, "read").await;
    let change = json!({"oldPassword": PASSWORD, "newPassword": "another horse"});
    ann.post("/auth/change-password")
        .json(&change)
        .send()
        .await
        .ok(200);
    holder.get("/auth/me").send().await.ok(401);
    ann.get("/auth/me").send().await.ok(401);

    let session = app.log_in("ann", "another horse").await.ok(200);
    let ann = Client {
        token: session["token"].as_str().map(str::to_owned),
        ..ann
    };
    let (_, holder) = key_of(&ann, "read").await;
    app.auth
        .set_password(&app.app, &email("ann"), PASSWORD)
        .await
        .unwrap();
    holder.get("/auth/me").send().await.ok(401);
    ann.get("/auth/me").send().await.ok(401);
    app.log_in("ann", PASSWORD).await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_cannot_be_is_refused_by_the_field() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let past = (Utc::now() - TimeDelta::minutes(1)).to_rfc3339();
    for (body, status, field) in [
        (json!({"name": " ", "scope": "read"}), 422, "name"),
        (
            json!({"name": "x".repeat(101), "scope": "read"}),
            422,
            "name",
        ),
        (json!({"name": "ci", "scope": "all"}), 400, "scope"),
        (json!({"name": "ci"}), 400, "scope"),
        (
            json!({"name": "ci", "scope": "read", "expiresAt": past}),
            422,
            "expiresAt",
        ),
        (
            json!({"name": "ci", "scope": "read", "expires": past}),
            400,
            "expires",
        ),
    ] {
        ann.post("/auth/api-keys")
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM api_keys")
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(kept, 0);
    app.stop().await;
}
