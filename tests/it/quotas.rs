//! How much a user may own.

use domainflow::http::{Quotas, Settings};
use serde_json::{Value, json};

use crate::{
    campaigns::create,
    support::server::{Client, TestApp},
};

/// What makes one of each thing that is counted, by a name.
fn each(nth: usize) -> [(&'static str, Value); 6] {
    let name = format!("number {nth}");
    [
        ("/campaigns", json!({"name": name})),
        ("/keyword-sets", json!({"name": name})),
        (
            "/personas",
            json!({"name": name, "personaType": "http", "configDetails": {"personaType": "http", "userAgent": "Test"}}),
        ),
        (
            "/proxies",
            json!({"name": name, "address": format!("9.9.9.{nth}:8080")}),
        ),
        ("/proxy-pools", json!({"name": name})),
        (
            "/scoring-profiles",
            json!({"name": name, "weights": {"keyword_density": 1.0}}),
        ),
    ]
}

async fn refused(client: &Client, path: &str, body: &Value) {
    let refused = client.post(path).json(body).send().await.ok(409);
    assert_eq!(
        refused["error"]["code"], "QUOTA_EXCEEDED",
        "{path}: {refused}"
    );
}

#[tokio::test]
async fn whoever_has_as_much_as_the_operator_allows_is_refused_more() {
    let quotas = Quotas {
        campaigns: 2,
        objects: 1,
    };
    let settings = Settings {
        quotas,
        ..Settings::default()
    };
    let app = TestApp::reached(settings, false).await;
    let (ann, ben) = (app.user("ann").await, app.user("ben").await);
    let campaign = create(&ann, &each(0)[0].1).await;
    let mut made = Vec::new();
    for (path, body) in each(1) {
        let answer = ann.post(path).json(&body).send().await;
        let cursor = answer.header("x-event-cursor").map(str::to_owned);
        made.push((path, answer.ok(201)["id"].clone(), cursor));
    }
    // The read models are asked, and they have the last of these when they have been asked for it.
    for (path, _, cursor) in &made {
        let cursor = cursor.as_deref().expect("a cursor");
        ann.get(path)
            .header("x-read-after", cursor)
            .send()
            .await
            .ok(200);
    }
    for (path, body) in each(2) {
        refused(&ann, path, &body).await;
        ben.post(path).json(&body).send().await.ok(201);
    }
    refused(&ann, &format!("{campaign}/duplicate"), &Value::Null).await;
    let typed = json!({"campaignName": "typed"});
    let typed = ann.post("/api/v1/campaigns/dns").json(&typed).send().await;
    assert_eq!(typed.ok(409)["code"], "QUOTA_EXCEEDED");
    app.stop().await;
}
