//! Campaigns through the interface: setting them up, running them, and asking what they found.

mod content;
pub mod control;
mod copies;
mod held;
mod insights;
mod life;
mod lower_bounds;
mod paused;
mod preview;
mod refused_settings;
pub mod reruns;
mod results;
mod slots;
mod smallest_bodies;
mod state;
mod strangers;
pub mod upload;

use serde_json::{Value, json};

use crate::support::{
    eventually,
    server::{Client, TestApp},
};

/// Makes a campaign and returns its path.
pub async fn create(client: &Client, body: &Value) -> String {
    let made = client.post("/campaigns").json(body).send().await.ok(201);
    format!("/campaigns/{}", made["id"].as_str().expect("an id"))
}

/// A campaign over `shop` with two variable letters in front: as many names as the charset's square.
pub fn shops(charset: &str) -> Value {
    json!({"name": "shops", "mode": "full_sequence", "configuration": {"patternConfig": {
        "type": "variable", "constant": "shop", "prefixVariableLength": 2, "charset": charset, "tlds": ["test"]}}})
}

/// Configures what a full sequence needs besides names.
pub async fn configure(client: &Client, path: &str, keywords: &[&str]) {
    for (phase, configuration) in [
        ("validation", json!({})),
        ("extraction", json!({"keywords": keywords})),
    ] {
        let body = json!({"configuration": configuration});
        client
            .post(&format!("{path}/phases/{phase}/configure"))
            .json(&body)
            .send()
            .await
            .ok(200);
    }
}

/// Waits until a campaign has a status.
pub async fn reaches(client: &Client, path: &str, status: &str) -> Value {
    eventually(&format!("{path} is {status}"), || async {
        let campaign = client.get(path).send().await.ok(200);
        (campaign["status"] == status).then_some(campaign)
    })
    .await
}

/// Waits until discovery is completed, and returns how it stands.
pub async fn discovered(client: &Client, path: &str) -> Value {
    eventually(&format!("the names of {path} are there"), || async {
        let status = client
            .get(&format!("{path}/phases/discovery/status"))
            .send()
            .await
            .ok(200);
        (status["status"] == "completed").then_some(status)
    })
    .await
}

/// Walks every page of a list of domains by cursor.
pub async fn walk(client: &Client, path: &str, filter: &str, first: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let page = client
            .get(&format!("{path}/domains?first={first}{after}{filter}"))
            .send()
            .await
            .ok(200);
        let rows = page["items"].as_array().expect("items").clone();
        assert!(rows.len() <= first);
        items.extend(rows);
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            assert_eq!(page["total"], json!(items.len()), "{filter}");
            return items;
        }
        after = format!(
            "&after={}",
            page["pageInfo"]["endCursor"].as_str().expect("a cursor")
        );
    }
}

/// A campaign with a configuration.
pub fn with(configuration: Value) -> Value {
    json!({"name": "shops", "configuration": configuration})
}

/// How far the log is.
pub async fn position(app: &TestApp) -> event_store::Position {
    app.app
        .database
        .feed()
        .head()
        .await
        .expect("the log answers")
}
