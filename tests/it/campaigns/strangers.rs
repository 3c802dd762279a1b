//! Campaigns of others: what is there is not told.

use serde_json::json;

use super::{create, shops};
use crate::support::server::TestApp;

#[tokio::test]
async fn another_users_campaign_is_not_there_whatever_is_asked() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = create(&ann, &shops("ab")).await;
    for operation in [
        "",
        "/enriched",
        "/status",
        "/progress",
        "/state",
        "/phase-executions",
        "/phase-executions/validation",
        "/configs",
        "/phases/discovery/status",
        "/domains",
        "/funnel",
        "/metrics",
        "/rejection-summary",
        "/history",
        "/export",
        "/domains/aashop.test/score-breakdown",
        "/domains/aashop.test/history",
    ] {
        bob.get(&format!("{path}{operation}")).send().await.ok(404);
    }
    for operation in [
        "/start",
        "/stop",
        "/restart",
        "/duplicate",
        "/retry",
        "/phases/analysis/restart",
        "/phases/discovery/start",
        "/phases/discovery/pause",
        "/phases/discovery/resume",
        "/phases/discovery/stop",
    ] {
        bob.post(&format!("{path}{operation}")).send().await.ok(404);
    }
    bob.post(&format!("{path}/phases/validation/configure"))
        .json(&json!({"configuration": {}}))
        .send()
        .await
        .ok(404);
    bob.put(&format!("{path}/mode"))
        .json(&json!({"mode": "step_by_step"}))
        .send()
        .await
        .ok(404);
    bob.put(&path)
        .json(&json!({"name": "mine"}))
        .send()
        .await
        .ok(404);
    bob.delete(&path).send().await.ok(404);
    let file = super::upload::form("list.txt", "a.test\n");
    bob.post(&format!("{path}/upload"))
        .body(&file.0, file.1)
        .send()
        .await
        .ok(404);
    assert_eq!(bob.get("/campaigns").send().await.ok(200), json!([]));
    ann.get(&path).send().await.ok(200);
    app.stop().await;
}
