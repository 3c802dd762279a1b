//! What fields of personas do that nobody else gets to see.

use serde_json::json;

use crate::support::server::TestApp;

#[tokio::test]
async fn what_a_persona_says_to_its_owner_is_answered_and_a_reason_is_asked_for() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let with = |robots: serde_json::Value| json!({"name": "x", "personaType": "http", "configDetails": {"userAgent": "x", "notes": "n", "robots": robots}});
    let refused = with(json!({"ignore": true}));
    let refused = ann.post("/personas").json(&refused).send().await;
    refused.blames(422, "configDetails.robots.reason");
    let body = with(json!({"ignore": true, "reason": "our own sites"}));
    let made = ann.post("/personas").json(&body).send().await.ok(201);
    assert_eq!(made["configDetails"]["notes"], "n");
    assert_eq!(made["configDetails"]["robots"]["reason"], "our own sites");
    app.stop().await;
}
