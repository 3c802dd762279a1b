//! Starting, pausing, resuming and stopping through the interface.

use sandbox::World;
use serde_json::{Value, json};

use super::{configure, create, discovered, shops};
use crate::support::server::{Client, Reply, TestApp};

#[track_caller]
fn conflict(reply: Reply, code: &str) -> Value {
    let body = reply.ok(409);
    assert_eq!(body["error"]["code"], code, "{body}");
    assert!(
        body["error"]["current_state"].is_string() && body["requestId"].is_string(),
        "{body}"
    );
    body["error"].clone()
}

/// A campaign whose names are imported and whose validation asks a resolver that never answers.
pub async fn slow(ann: &Client) -> String {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let resolver = silent.local_addr().expect("an address").to_string();
    // Kept open, so that asking it times out instead of being refused.
    std::mem::forget(silent);
    let persona = json!({"name": "slow", "personaType": "dns", "configDetails": {"personaType": "dns",
        "resolvers": [resolver], "queryTimeoutSeconds": 5, "maxDomainsPerRequest": 1, "concurrentQueriesPerDomain": 1}});
    let persona = ann.post("/personas").json(&persona).send().await.ok(201);
    let names: Vec<String> = (0..20).map(|n| format!("n{n}.test")).collect();
    let path = create(
        ann,
        &json!({"name": "slow", "configuration": {"patternConfig": {"targetDomains": names}}}),
    )
    .await;
    let body = json!({"configuration": {}, "personaIds": {"dnsPersonaId": persona["id"]}});
    ann.post(&format!("{path}/phases/validation/configure"))
        .json(&body)
        .send()
        .await
        .ok(200);
    ann.post(&format!("{path}/start")).send().await.ok(200);
    discovered(ann, &path).await;
    path
}

#[tokio::test]
async fn a_full_sequence_does_not_start_until_its_phases_are_configured() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let unsaid = create(&ann, &json!({"name": "nothing said"})).await;
    let error = conflict(
        ann.post(&format!("{unsaid}/start")).send().await,
        "INVALID_PHASE_TRANSITION",
    );
    assert_eq!(
        error["message"],
        "cannot start discovery: it must be configured first"
    );
    let path = create(&ann, &shops("ab")).await;
    let error = conflict(
        ann.post(&format!("{path}/start")).send().await,
        "INVALID_PHASE_TRANSITION",
    );
    assert_eq!(error["missingPhases"], json!(["validation", "extraction"]));
    let error = conflict(
        ann.post(&format!("{path}/phases/validation/pause"))
            .send()
            .await,
        "INVALID_PHASE_TRANSITION",
    );
    assert_eq!(
        (&error["current_state"], &error["attempted_action"]),
        (&json!("not_started"), &json!("pause"))
    );
    conflict(
        ann.post(&format!("{path}/stop")).send().await,
        "NO_CONTROL_PHASE",
    );
    ann.put(&format!("{path}/mode"))
        .json(&json!({"mode": "step_by_step"}))
        .send()
        .await
        .ok(200);
    configure(&ann, &path, &["espresso"]).await;
    let error = conflict(
        ann.post(&format!("{path}/phases/extraction/start"))
            .send()
            .await,
        "INVALID_PHASE_TRANSITION",
    );
    assert_eq!(error["blocking_phase"], "discovery");
    app.stop().await;
}

#[tokio::test]
async fn a_phase_is_paused_resumed_and_stopped_and_every_answer_says_where_it_stands() {
    let app = TestApp::in_sandbox(World::generated(1)).await;
    let ann = app.user("ann").await;
    let path = slow(&ann).await;
    let phase = format!("{path}/phases/validation");
    let started = ann.post(&format!("{phase}/start")).send().await.ok(200);
    assert_eq!(started["status"], "running");
    assert_eq!(
        started["runtimeControls"],
        json!({"canPause": true, "canResume": false, "canStop": true, "canRestart": false})
    );
    assert_eq!(started["progress"]["totalItems"], 20);
    // A second start is the same start.
    let again = ann.post(&format!("{phase}/start")).send().await.ok(200);
    assert_eq!(again["startedAt"], started["startedAt"]);
    // A restart has nothing to do but what is being done, and says so.
    let restarted = ann.post(&format!("{path}/restart")).send().await.ok(200);
    assert_eq!(
        (&restarted["phasesRestarted"], &restarted["phaseStatuses"]),
        (&json!([]), &json!([]))
    );
    assert_eq!(
        restarted["message"],
        "nothing was restarted: validation is running already"
    );
    let error = conflict(
        ann.post(&format!("{path}/phases/discovery/start"))
            .send()
            .await,
        "INVALID_PHASE_TRANSITION",
    );
    assert_eq!(error["blocking_phase"], "validation");

    let error = conflict(
        ann.post(&format!("{phase}/pause?expected_state=paused"))
            .send()
            .await,
        "EXPECTED_STATE_MISMATCH",
    );
    assert_eq!(
        (&error["current_state"], &error["expected_state"]),
        (&json!("running"), &json!("paused"))
    );
    ann.post(&format!("{phase}/pause?expected_state=idle"))
        .send()
        .await
        .blames(400, "expected_state");
    ann.post(&format!("{phase}/pause?state=paused"))
        .send()
        .await
        .blames(400, "state");
    let paused = ann
        .post(&format!("{phase}/pause?expected_state=in_progress"))
        .send()
        .await
        .ok(200);
    assert_eq!(paused["status"], "paused");
    assert_eq!(paused["runtimeControls"]["canResume"], true);
    let status = ann.get(&format!("{path}/status")).send().await;
    let version = status.header("etag").unwrap().trim_matches('"').to_owned();
    let status = status.ok(200);
    assert_eq!(status["controlPhase"], "dns");
    assert_eq!(status["lastSequence"].to_string(), version);
    assert_eq!(status["phases"][1]["status"], "paused");
    assert_eq!(ann.get(&path).send().await.ok(200)["status"], "paused");
    let body = json!({"configuration": {"recordTypes": ["MX"]}});
    conflict(
        ann.post(&format!("{phase}/configure"))
            .json(&body)
            .send()
            .await,
        "INVALID_PHASE_TRANSITION",
    );

    assert_eq!(
        ann.post(&format!("{phase}/resume?expected_state=paused"))
            .send()
            .await
            .ok(200)["status"],
        "running"
    );
    let stopped = ann.post(&format!("{path}/stop")).send().await.ok(200);
    assert_eq!(
        (&stopped["stoppedPhase"], &stopped["phaseStatus"]["status"]),
        (&json!("validation"), &json!("failed"))
    );
    assert_eq!(
        stopped["phaseStatus"]["errors"][0]["message"],
        "stopped by command"
    );
    assert_eq!(stopped["phaseStatus"]["errors"][0]["code"], "stopped");
    assert_eq!(
        stopped["phaseStatus"]["runtimeControls"]["canRestart"],
        true
    );
    assert_eq!(ann.get(&path).send().await.ok(200)["status"], "cancelled");
    let status = ann.get(&format!("{path}/status")).send().await.ok(200);
    assert_eq!(
        (&status["controlPhase"], &status["errorMessage"]),
        (&Value::Null, &json!("stopped by command"))
    );
    let actions: Vec<Value> = ann.get(&format!("{path}/history")).send().await.ok(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    let tail: Vec<_> = actions.iter().rev().take(5).rev().cloned().collect();
    assert_eq!(
        tail,
        [
            json!("PhaseStarted"),
            json!("PhasePaused"),
            json!("PhaseResumed"),
            json!("PhaseFailed"),
            json!("Stopped")
        ]
    );
    app.stop().await;
}
