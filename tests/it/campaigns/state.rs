//! The state and the executions of a campaign, written: commands in disguise.

use sandbox::World;
use serde_json::{Value, json};

use super::{control::slow, create, shops};
use crate::support::server::{Client, Reply, TestApp};

async fn put(client: &Client, path: &str, body: Value) -> Reply {
    client.put(path).json(&body).send().await
}

async fn version(client: &Client, path: &str) -> Value {
    let state = client.get(&format!("{path}/state")).send().await.ok(200);
    state["version"].clone()
}

#[tokio::test]
async fn a_campaign_is_started_paused_resumed_and_stopped_by_writing_its_state() {
    let app = TestApp::in_sandbox(World::scripted()).await;
    let ann = app.user("ann").await;
    let path = slow(&ann).await;
    let state = format!("{path}/state");
    // Discovery has completed and the campaign goes step by step: it counts as running, with nothing under way.
    put(&ann, &state, json!({"currentState": "paused"}))
        .await
        .ok(409);
    ann.post(&format!("{path}/phases/validation/start"))
        .send()
        .await
        .ok(200);
    let seen = version(&ann, &path).await;
    let paused = json!({"currentState": "paused", "version": seen});
    let changed = put(&ann, &state, paused.clone()).await.ok(200);
    assert_eq!(changed["currentState"], "paused");
    let stale = put(&ann, &state, paused).await;
    assert_eq!(stale.ok(409)["error"]["code"], "VERSION_MISMATCH");
    // The state that it is in is no change.
    let again = put(
        &ann,
        &state,
        changed.clone()["currentState"].take().into_body(),
    )
    .await;
    assert_eq!(again.ok(200), changed);
    let both = json!({"currentState": "running", "mode": "full_sequence"});
    // The phases of a full sequence are not configured, which does not stop what is under way.
    let changed = put(&ann, &state, both).await.ok(200);
    assert_eq!(
        (&changed["currentState"], &changed["mode"]),
        (&json!("running"), &json!("full_sequence"))
    );
    for wish in ["draft", "completed", "failed", "archived"] {
        let refused = put(&ann, &state, wish.into_body()).await.ok(409);
        assert_eq!(refused["error"]["attempted_action"], wish);
    }
    ann.delete(&state).send().await.ok(204);
    assert_eq!(
        ann.get(&state).send().await.ok(200)["currentState"],
        "cancelled"
    );
    ann.delete(&state).send().await.ok(204);
    put(&ann, &state, json!({"currentState": "asleep"}))
        .await
        .blames(400, "currentState");
    put(&ann, &state, json!({"colour": "red"}))
        .await
        .blames(400, "colour");
    app.stop().await;
}

trait IntoBody {
    fn into_body(self) -> Value;
}

impl<T: Into<Value>> IntoBody for T {
    fn into_body(self) -> Value {
        json!({"currentState": self.into()})
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_written_as_a_whole_is_not_written_at_all() {
    let app = TestApp::in_sandbox(World::scripted()).await;
    let ann = app.user("ann").await;
    let path = create(&ann, &shops("ab")).await;
    let state = format!("{path}/state");
    let before = ann.get(&state).send().await.ok(200);
    let configuration = json!({"patternConfig": {"type": "variable", "constant": "tea", "prefixVariableLength": 1,
        "charset": "ab", "tlds": ["test"]}});
    for (body, status) in [
        (
            json!({"mode": "step_by_step", "currentState": "paused"}),
            409,
        ),
        (
            json!({"configuration": configuration, "currentState": "completed"}),
            409,
        ),
        (
            json!({"configuration": configuration, "currentState": "running"}),
            422,
        ),
        (
            json!({"configuration": {"phases": {"analysis": {"enabled": false}}}, "mode": "step_by_step"}),
            422,
        ),
        // The sequence lacks configurations, so nothing starts and the mode stays.
        (
            json!({"mode": "full_sequence", "currentState": "running"}),
            409,
        ),
    ] {
        put(&ann, &state, body.clone()).await.ok(status);
        assert_eq!(ann.get(&state).send().await.ok(200), before, "{body}");
    }
    let body = json!({"configuration": configuration, "mode": "step_by_step"});
    let changed = put(&ann, &state, body).await.ok(200);
    assert_eq!(changed["configuration"], configuration);
    let started = put(&ann, &state, json!({"currentState": "running"})).await;
    assert_eq!(started.ok(200)["currentState"], "running");
    super::discovered(&ann, &path).await;
    let names = super::walk(&ann, &path, "", 100).await;
    assert_eq!(names.len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn a_phase_is_controlled_by_writing_its_execution_and_what_is_computed_stays() {
    let app = TestApp::in_sandbox(World::scripted()).await;
    let ann = app.user("ann").await;
    let path = slow(&ann).await;
    let execution = format!("{path}/phase-executions/validation");
    let shown = ann.get(&execution).send().await.ok(200);
    // Sent back as it was answered it is no change.
    let mut back = shown.clone();
    for constant in ["id", "campaignId", "phaseType", "createdAt", "updatedAt"] {
        back.as_object_mut().unwrap().remove(constant);
    }
    let same = put(&ann, &execution, back).await;
    assert_eq!(same.ok(200), shown);
    let status = |status: &str| json!({ "status": status });
    let started = put(&ann, &execution, status("in_progress")).await.ok(200);
    assert_eq!(started["status"], "in_progress");
    assert_ne!(started["id"], shown["id"]);
    assert_eq!(
        put(&ann, &execution, status("paused")).await.ok(200)["status"],
        "paused"
    );
    let resumed = put(&ann, &execution, status("in_progress")).await.ok(200);
    assert_eq!(resumed["id"], started["id"], "the same run goes on");
    for wish in ["completed", "not_started", "configured", "ready"] {
        put(&ann, &execution, status(wish)).await.ok(409);
    }
    for (field, value) in [
        ("progressPercentage", json!(99.5)),
        ("totalItems", json!(7)),
        ("startedAt", json!("2020-01-01T00:00:00Z")),
        ("completedAt", json!("2020-01-01T00:00:00Z")),
        ("metrics", json!({"ok": 5})),
        ("errorDetails", json!({"message": "none"})),
    ] {
        let refused = put(&ann, &execution, json!({ field: value })).await.ok(409);
        assert_eq!(refused["error"]["code"], "COMPUTED_FIELD", "{field}");
    }
    put(
        &ann,
        &execution,
        json!({"configuration": {"recordTypes": ["MX"]}}),
    )
    .await
    .ok(409);
    ann.delete(&execution).send().await.ok(204);
    assert_eq!(ann.get(&execution).send().await.ok(200)["status"], "failed");
    let configured = json!({"configuration": {"recordTypes": ["MX"]}});
    let configured = put(&ann, &execution, configured).await.ok(200);
    assert_eq!(configured["configuration"]["recordTypes"], json!(["MX"]));
    put(&ann, &execution, status("sleeping"))
        .await
        .blames(400, "status");
    put(
        &ann,
        &format!("{path}/phase-executions/analysis"),
        status("in_progress"),
    )
    .await
    .ok(409);
    ann.delete(&format!("{path}/phase-executions/analysis"))
        .send()
        .await
        .ok(409);
    app.stop().await;
}
