//! A command that comes again with its idempotency key is not a second command.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    campaigns::shops,
    support::server::{Client, Reply, Server, TestApp},
};

async fn create(client: &Client, key: &str, body: &Value) -> Reply {
    client
        .post("/keyword-sets")
        .header("x-idempotency-key", key)
        .json(body)
        .send()
        .await
}

async fn count(server: &Server, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql)
        .fetch_one(server.app.database.pool())
        .await
        .unwrap()
}

const SETS: &str = "SELECT count(*) FROM events WHERE aggregate_type = 'keyword_set'";

#[tokio::test]
async fn a_repeat_is_answered_like_the_first_also_on_another_node_and_after_a_restart() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "words", "rules": [{"pattern": "x", "ruleType": "string"}]});
    let first = create(&ann, "key-1", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let other = app.another_node().await;
    let there = create(&ann.at(&other), "key-1", &body).await;
    other.stop().await;
    let app = app.restart().await;
    let later = create(&ann.at(&app.server), "key-1", &body).await;
    for repeat in [there, later] {
        assert_eq!((repeat.status, &repeat.text), (201, &first.text));
        for header in ["etag", "x-event-cursor", "content-type"] {
            assert_eq!(repeat.header(header), first.header(header), "{header}");
        }
    }
    assert_eq!(count(&app, SETS).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn a_process_that_died_before_it_answered_leaves_what_the_repeat_answers() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "words"});
    let first = create(&ann, "key-1", &body).await.ok(201);
    // As if nothing after the commit had happened.
    sqlx::query("UPDATE idempotency_keys SET status = NULL, response = NULL")
        .execute(app.app.database.pool())
        .await
        .unwrap();
    let path = format!("/keyword-sets/{}", first["id"].as_str().unwrap());
    ann.put(&path)
        .json(&json!({"name": "changed since"}))
        .send()
        .await
        .ok(200);
    let repeat = create(&ann, "key-1", &body).await;
    assert_eq!(repeat.header("etag"), Some("\"1\""));
    assert_eq!(repeat.ok(201), first);
    assert_eq!(count(&app, SETS).await, 2);
    app.stop().await;
}

#[tokio::test]
async fn of_many_requests_with_one_key_at_once_on_two_nodes_one_is_carried_out() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let other = app.another_node().await;
    let there = ann.at(&other);
    for round in 0..5 {
        let key = format!("round-{round}");
        let body = json!({"name": key});
        let clients = [&ann, &there, &ann, &there, &ann, &there, &ann, &there];
        let answers =
            futures::future::join_all(clients.map(|client| create(client, &key, &body))).await;
        for answer in &answers {
            assert_eq!(
                (answer.status, &answer.text),
                (201, &answers[0].text),
                "{}",
                answer.text
            );
        }
    }
    assert_eq!(count(&app, SETS).await, 5);
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn of_many_creations_and_starts_of_a_campaign_with_one_key_at_once_on_two_nodes_one_is_carried_out()
 {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let other = app.another_node().await;
    let there = ann.at(&other);
    let all = async |path: &str, key: &str, body: Option<&Value>| {
        let clients = [&ann, &there, &ann, &there, &ann, &there, &ann, &there];
        let answers = clients.map(|client| {
            let request = client.post(path).header("x-idempotency-key", key);
            match body {
                Some(body) => request.json(body).send(),
                None => request.send(),
            }
        });
        let mut answers = futures::future::join_all(answers).await;
        for answer in &answers {
            assert!(answer.status < 300, "{path}: {}", answer.text);
            assert_eq!(answer.text, answers[0].text, "{path}");
        }
        answers.swap_remove(0).json()
    };
    let mut body = shops("ab");
    body["mode"] = json!("step_by_step");
    for round in 0..5 {
        let key = format!("round-{round}");
        let made = all("/campaigns", &key, Some(&body)).await;
        let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
        all(&format!("{path}/start"), &key, None).await;
    }
    for event_type in ["Created", "PhaseStarted"] {
        let found =
            "SELECT count(*) FROM events WHERE aggregate_type = 'campaign' AND event_type = $1";
        let found = sqlx::query_scalar::<_, i64>(found).bind(event_type);
        let found = found.fetch_one(app.app.database.pool()).await.unwrap();
        assert_eq!(found, 5, "{event_type}");
    }
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_came_with_another_request_is_refused() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    create(&ann, "key-1", &json!({"name": "one"})).await.ok(201);
    create(&ann, "key-1", &json!({"name": "two"}))
        .await
        .blames(422, "X-Idempotency-Key");
    let twice = |second: &str| {
        ann.post("/keyword-sets")
            .header("x-idempotency-key", "key-1")
            .header("x-idempotency-key", second)
            .json(&json!({"name": "one"}))
    };
    twice("key-9").send().await.blames(400, "X-Idempotency-Key");
    twice("key-1").send().await.ok(201);
    // Two different requests at once: one is carried out and the other refused.
    let (one, two) = (json!({"name": "one"}), json!({"name": "two"}));
    let (one, two) = tokio::join!(create(&ann, "key-2", &one), create(&ann, "key-2", &two));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    assert_eq!(count(&app, SETS).await, 2);
    app.stop().await;
}

#[tokio::test]
async fn a_key_is_the_users_own_and_the_operations_own() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let body = json!({"name": "words"});
    let anns = create(&ann, "key-1", &body).await.ok(201);
    let bobs = create(&bob, "key-1", &body).await.ok(201);
    assert_ne!(anns["id"], bobs["id"]);
    let profile = json!({"name": "words", "weights": {"freshness": 1}});
    ann.post("/scoring-profiles")
        .header("x-idempotency-key", "key-1")
        .json(&profile)
        .send()
        .await
        .ok(201);
    app.stop().await;
}

#[tokio::test]
async fn a_refusal_is_not_kept_and_a_change_that_changed_nothing_is() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    create(&ann, "key-1", &json!({"name": ""}))
        .await
        .blames(422, "name");
    let made = create(&ann, "key-1", &json!({"name": "words"}))
        .await
        .ok(201);
    let path = format!("/keyword-sets/{}", made["id"].as_str().unwrap());
    let rename = |key: &'static str, name: &'static str| {
        let request = ann
            .put(&path)
            .header("x-idempotency-key", key)
            .json(&json!({"name": name}));
        async { request.send().await }
    };
    rename("key-2", "words").await.ok(200);
    ann.put(&path)
        .json(&json!({"name": "others"}))
        .send()
        .await
        .ok(200);
    // The repeat comes late and must not undo what was done since.
    assert_eq!(rename("key-2", "words").await.ok(200)["name"], "words");
    assert_eq!(ann.get(&path).send().await.ok(200)["name"], "others");
    let deleted = |key: &'static str| {
        let request = ann.delete(&path).header("x-idempotency-key", key);
        async { request.send().await }
    };
    deleted("key-3").await.ok(204);
    deleted("key-3").await.ok(204);
    deleted("key-4").await.ok(404);
    app.stop().await;
}

#[tokio::test]
async fn nobody_without_the_secret_can_try_bodies_against_what_is_kept_of_a_request() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "words"});
    create(&ann, "key-1", &body).await.ok(201);
    let kept: String = sqlx::query_scalar("SELECT request_hash FROM idempotency_keys")
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(kept.len(), 64, "{kept}");
    // What anybody could compute: the hash of query, version and body, each after its length.
    let mut plain = Sha256::new();
    for part in ["", "", &body.to_string()] {
        plain.update((part.len() as u64).to_be_bytes());
        plain.update(part);
    }
    let plain: String = plain
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_ne!(kept, plain);
    app.stop().await;
}

#[tokio::test]
async fn a_key_must_have_1_to_64_characters() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    for key in ["", &"x".repeat(65)] {
        create(&ann, key, &json!({"name": "words"}))
            .await
            .blames(400, "X-Idempotency-Key");
    }
    create(&ann, &"x".repeat(64), &json!({"name": "words"}))
        .await
        .ok(201);
    app.stop().await;
}
