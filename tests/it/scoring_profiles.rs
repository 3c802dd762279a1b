//! Scoring profiles through the interface.

use serde_json::{Value, json};

use crate::support::server::TestApp;

fn request(weights: &Value) -> Value {
    json!({"name": "dense", "description": "words per page", "weights": weights})
}

#[tokio::test]
async fn a_scoring_profile_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let made = ann
        .post("/scoring-profiles")
        .json(&request(&json!({"keyword_density": 3.0, "freshness": 1.0})))
        .send()
        .await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.ok(201);
    assert_eq!(
        (&made["version"], &made["weights"]["keyword_density"]),
        (&json!(1), &json!(3.0))
    );
    let path = format!("/scoring-profiles/{}", made["id"].as_str().unwrap());
    assert_eq!(ann.get(&path).send().await.ok(200), made);

    // Two people edit one profile: the second learns that there was a first.
    let rename = |name: &str, version: u64| json!({"name": name, "version": version});
    let first = ann.put(&path).json(&rename("one", 1)).send().await.ok(200);
    assert_eq!(first["version"], 2);
    ann.put(&path)
        .json(&rename("two", 1))
        .send()
        .await
        .blames(409, "version");
    ann.put(&path)
        .header("if-match", "\"1\"")
        .json(&json!({"name": "two"}))
        .send()
        .await
        .blames(412, "If-Match");
    assert_eq!(ann.get(&path).send().await.ok(200)["name"], "one");

    let list = ann.get("/scoring-profiles?limit=10").send().await.ok(200);
    assert_eq!(list["items"], json!([first]));
    assert_eq!(list["meta"], json!({"limit": 10, "offset": 0, "total": 1}));
    let bob = app.user("bob").await;
    bob.get(&path).send().await.ok(404);
    bob.put(&path).json(&rename("mine", 2)).send().await.ok(404);
    bob.delete(&path).send().await.ok(404);
    assert_eq!(
        bob.get("/scoring-profiles").send().await.ok(200)["meta"]["total"],
        0
    );

    ann.delete(&path).send().await.ok(204);
    ann.get(&path).send().await.ok(404);
    app.stop().await;
}

#[tokio::test]
async fn a_weight_that_means_nothing_is_refused_by_name() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let cases = [
        (request(&json!({"charm": 1.0})), 422, "weights.charm"),
        (
            request(&json!({"freshness": -1.0})),
            422,
            "weights.freshness",
        ),
        (request(&json!({"freshness": 0})), 422, "weights"),
        (request(&json!({})), 422, "weights"),
        (
            request(&json!({"freshness": "1"})),
            400,
            "weights.freshness",
        ),
        (json!({"name": "x"}), 400, "weights"),
        (
            json!({"name": "", "weights": {"freshness": 1}}),
            422,
            "name",
        ),
        (
            json!({"name": "x", "weights": {"freshness": 1}, "version": 4}),
            422,
            "version",
        ),
    ];
    for (body, status, field) in cases {
        ann.post("/scoring-profiles")
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    assert_eq!(
        ann.get("/scoring-profiles").send().await.ok(200)["meta"]["total"],
        0
    );
    app.stop().await;
}
