//! What is tried outside of runs: personas on a target, keywords on single pages.

mod dns_personas;
mod extraction;
mod http_personas;
mod limits;
mod stream;
mod suppressed;

use serde_json::{Value, json};

use crate::support::server::{Client, TestApp};

/// Makes a persona and returns its id.
pub async fn persona(client: &Client, kind: &str, config: Value) -> String {
    let body = json!({"name": kind, "personaType": kind, "configDetails": config});
    made(client, "/personas", &body).await
}

/// Makes an HTTP persona with these settings besides its user agent, and returns its id.
pub async fn http_persona(client: &Client, settings: Value) -> String {
    let mut config = json!({"userAgent": "Trial/1 (me@example.com)", "requestTimeoutSeconds": 3});
    let fields = config.as_object_mut().unwrap();
    fields.extend(settings.as_object().unwrap().clone());
    persona(client, "http", config).await
}

/// Makes a DNS persona that asks these resolvers, and returns its id.
pub async fn dns_persona(client: &Client, resolvers: Value) -> String {
    let config = json!({"resolvers": resolvers, "queryTimeoutSeconds": 1, "maxDomainsPerRequest": 1,
        "concurrentQueriesPerDomain": 2, "attempts": 2});
    persona(client, "dns", config).await
}

/// Makes a keyword set that looks for an expression and a text, and returns its id.
pub async fn keyword_set(client: &Client) -> String {
    let rules = json!([
        {"pattern": "espresso", "ruleType": "string", "category": "drinks", "contextChars": 4},
        {"pattern": "roast(er|ing)", "ruleType": "regex"},
        {"pattern": "tea", "ruleType": "string"}]);
    made(
        client,
        "/keyword-sets",
        &json!({"name": "coffee", "rules": rules}),
    )
    .await
}

async fn made(client: &Client, path: &str, body: &Value) -> String {
    let made = client.post(path).json(body).send().await.ok(201);
    made["id"].as_str().unwrap().to_owned()
}

/// Tests a persona.
pub async fn tested(client: &Client, id: &str, body: &Value) -> Value {
    let test = client.post(&format!("/personas/{id}/test")).json(body);
    let answer = test.send().await.ok(200);
    assert_eq!(answer["personaId"], id);
    assert_eq!(answer["success"], answer["testPassed"]);
    assert_eq!(answer["success"], answer["results"]["outcome"] == "ok");
    answer
}

/// The steps of a kind.
pub fn steps<'a>(answer: &'a Value, kind: &str) -> Vec<&'a Value> {
    let steps = answer["testResults"]["steps"].as_array().unwrap();
    steps.iter().filter(|step| step["step"] == kind).collect()
}

/// The kinds of all steps, in order.
pub fn kinds(answer: &Value) -> Vec<&str> {
    let steps = answer["testResults"]["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect()
}

/// Counts the events of the log.
pub async fn events(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events")
        .fetch_one(app.app.database.pool())
        .await
        .unwrap()
}
