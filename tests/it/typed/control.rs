//! Pausing, resuming and cancelling typed campaigns.

use sandbox::World;
use serde_json::json;

use super::{records, slow_check};
use crate::support::server::TestApp;

#[tokio::test]
async fn a_typed_campaign_is_paused_resumed_and_cancelled_as_a_whole() {
    let app = TestApp::in_sandbox(World::scripted()).await;
    let ann = app.user("ann").await;
    let path = slow_check(&ann).await;
    let command = async |command: &str| ann.post(&format!("{path}/{command}")).send().await;
    for wrong in ["pause", "resume", "cancel", "retry"] {
        command(wrong).await.ok(409);
    }
    let status = |reply: crate::support::server::Reply| reply.ok(200)["status"].clone();
    assert_eq!(status(command("start").await), "active");
    // At once after the start, when one phase may be over and the next not begun.
    assert_eq!(status(command("pause").await), "paused");
    assert_eq!(status(command("pause").await), "paused");
    let open = records(&ann, &path, "?validationStatus=pending").await;
    assert_eq!(open.len(), 20);
    assert_eq!(status(command("resume").await), "active");
    let open = records(&ann, &path, "?validationStatus=processing").await;
    assert!(!open.is_empty());
    assert_eq!(status(command("cancel").await), "cancelled");
    assert_eq!(status(command("cancel").await), "cancelled");
    let open = records(&ann, &path, "?validationStatus=skipped").await;
    assert!(!open.is_empty());
    command("pause").await.ok(409);
    assert_eq!(status(command("start").await), "active");
    command("cancel").await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn a_campaign_that_was_started_keeps_what_it_works_with_and_takes_notes() {
    let app = TestApp::in_sandbox(World::scripted()).await;
    let ann = app.user("ann").await;
    let path = slow_check(&ann).await;
    let change = async |body: serde_json::Value| ann.put(&path).json(&body).send().await;
    let settings = json!({"dnsPersonaId": "default", "recordTypes": ["MX"]});
    let changed = change(settings).await.ok(200);
    assert_eq!(
        (&changed["dnsPersonaId"], &changed["sourceMode"]),
        (&json!("default"), &json!("direct"))
    );
    change(json!({"domains": ["a.test"]}))
        .await
        .blames(422, "domains");
    let persona = json!({"name": "slow", "personaType": "dns", "configDetails": {"resolvers": ["9.9.9.9"],
        "queryTimeoutSeconds": 2, "maxDomainsPerRequest": 1, "concurrentQueriesPerDomain": 1}});
    let persona = ann.post("/personas").json(&persona).send().await.ok(201);
    change(json!({"dnsPersonaId": persona["id"]})).await.ok(200);
    ann.post(&format!("{path}/start")).send().await.ok(200);
    let refused = change(json!({"dnsPersonaId": "default"})).await;
    assert_eq!(refused.ok(409)["code"], "NOT_PENDING");
    let noted =
        change(json!({"notes": "seen", "tags": ["a", "b"], "campaignName": "slower"})).await;
    let noted = noted.ok(200);
    assert_eq!(
        (&noted["notes"], &noted["tags"], &noted["campaignName"]),
        (&json!("seen"), &json!(["a", "b"]), &json!("slower"))
    );
    let stale = ann.put(&path).header("if-match", "\"1\"");
    stale.json(&json!({"notes": "lost"})).send().await.ok(412);
    ann.post(&format!("{path}/cancel")).send().await.ok(200);
    ann.delete(&path).send().await.ok(204);
    ann.get(&path).send().await.blames(404, "campaignId");
    app.stop().await;
}
