//! A phase that should start by itself and cannot: the reason is shown, and once it is gone the campaign goes on.

use std::time::Duration;

use sandbox::{ResolverScript, World};
use serde_json::{Value, json};

use crate::{
    campaigns::{create, reaches, shops},
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

const DISABLED: &str = "httpPersonaId: the persona is disabled";

/// A world whose resolver takes its time, so that validation is met under way.
fn slow_world() -> World {
    World::generated(3).resolver(ResolverScript::healthy().delay(Duration::from_secs(1)))
}

async fn persona(ann: &Client, config: Value) -> Value {
    let body =
        json!({"name": "one", "personaType": config["personaType"], "configDetails": config});
    ann.post("/personas").json(&body).send().await.ok(201)["id"].clone()
}

/// Makes a campaign with personas of its own; returns its path and that of the HTTP persona.
async fn campaign(app: &TestApp, ann: &Client) -> (String, String) {
    let resolvers: Vec<String> = app
        .sandbox
        .as_ref()
        .expect("a sandbox")
        .resolvers()
        .iter()
        .map(ToString::to_string)
        .collect();
    let dns = json!({"personaType": "dns", "resolvers": resolvers, "queryTimeoutSeconds": 5,
        "maxDomainsPerRequest": 100, "concurrentQueriesPerDomain": 1});
    let dns = persona(ann, dns).await;
    let http = persona(ann, json!({"personaType": "http", "userAgent": "x"})).await;
    let path = create(ann, &shops("abcdef")).await;
    for (phase, body) in [
        (
            "validation",
            json!({"configuration": {}, "personaIds": {"dnsPersonaId": dns}}),
        ),
        (
            "extraction",
            json!({"configuration": {"keywords": ["espresso"]}, "personaIds": {"httpPersonaId": http}}),
        ),
    ] {
        let configure = ann
            .post(&format!("{path}/phases/{phase}/configure"))
            .json(&body);
        configure.send().await.ok(200);
    }
    (path, format!("/personas/{}", http.as_str().expect("an id")))
}

async fn enable(ann: &Client, persona: &str, enabled: bool) {
    let body = json!({"isEnabled": enabled});
    ann.put(persona).json(&body).send().await.ok(200);
}

/// Starts a campaign and disables its HTTP persona while validation runs.
async fn refused(app: &TestApp, ann: &Client) -> (String, String) {
    let (path, http) = campaign(app, ann).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    phase_is(ann, &path, "validation", "running").await;
    enable(ann, &http, false).await;
    eventually("the reason is shown", || async {
        let shown = ann.get(&format!("{path}/phases/extraction/status"));
        let shown = shown.send().await.ok(200);
        let error = shown["errors"].get(0)?.clone();
        assert_eq!(
            (&shown["status"], &error["message"]),
            (&json!("configured"), &json!(DISABLED))
        );
        assert_eq!(error["code"], "start_refused");
        error["timestamp"].is_string().then_some(())
    })
    .await;
    (path, http)
}

async fn phase_is(ann: &Client, path: &str, phase: &str, status: &str) {
    eventually(&format!("{phase} is {status}"), || async {
        let shown = ann.get(&format!("{path}/phases/{phase}/status"));
        (shown.send().await.ok(200)["status"] == status).then_some(())
    })
    .await;
}

async fn refusals(ann: &Client, path: &str) -> Vec<Value> {
    let history = ann.get(&format!("{path}/history")).send().await.ok(200);
    let items = history["items"].as_array().expect("items").iter();
    items
        .filter(|entry| entry["action"] == "PhaseStartRefused")
        .cloned()
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persona_that_is_disabled_holds_its_phase_with_the_reason_shown_until_it_is_enabled() {
    let app = TestApp::in_sandbox(slow_world()).await;
    let ann = app.user("ann").await;
    let (path, http) = refused(&app, &ann).await;

    let status = ann.get(&format!("{path}/status")).send().await.ok(200);
    assert_eq!(status["errorMessage"], DISABLED);
    assert_eq!(
        (
            &status["phases"][2]["status"],
            &status["phases"][2]["errorMessage"]
        ),
        (&json!("configured"), &json!(DISABLED))
    );
    let execution = ann.get(&format!("{path}/phase-executions/extraction"));
    assert_eq!(
        execution.send().await.ok(200)["errorDetails"]["message"],
        DISABLED
    );
    // The timeline is a read model of its own, and may be behind the status for a moment.
    let progress = eventually("the refusal is in the timeline", || async {
        let progress = ann.get(&format!("{path}/progress")).send().await.ok(200);
        let last = progress["timeline"].as_array()?.last()?;
        (last["type"] == "phase_start_refused").then_some(progress)
    })
    .await;
    let last = progress["timeline"].as_array().and_then(|all| all.last());
    let last = last.expect("an entry");
    assert_eq!(last["metadata"]["message"], DISABLED);

    // A first run begins at nothing, and is at its end when it completes.
    let progress = |kind: &str| {
        let entries = progress["timeline"].as_array().expect("a timeline").iter();
        let entries = entries.filter(|entry| entry["type"] == kind);
        entries
            .map(|entry| entry["progress"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(progress("phase_started"), [0.0, 0.0].map(Value::from));
    assert_eq!(progress("phase_completed"), [100.0, 100.0].map(Value::from));
    assert_eq!(progress("created"), [Value::Null]);

    // Whatever else changes has it tried again; the same reason is not told twice.
    enable(&ann, &http, true).await;
    let ended = reaches(&ann, &path, "completed").await;
    assert_eq!(ended["status"], "completed");
    let refusals = refusals(&ann, &path).await;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert_eq!(refusals[0]["actor"], "worker:coordinator");
    let status = ann.get(&format!("{path}/status")).send().await.ok(200);
    assert_eq!(status["errorMessage"], Value::Null, "it is cleared");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_start_outlives_the_process_and_is_told_once() {
    let app = TestApp::in_sandbox(slow_world()).await;
    let ann = app.user("ann").await;
    let (path, http) = refused(&app, &ann).await;
    let app = app.restart().await;
    let ann = ann.at(&app);
    // The new process has tried and been refused for the same reason by the time that another persona of the same user
    // has been changed and the campaign with nothing wrong has gone through.
    let other = persona(&ann, json!({"personaType": "http", "userAgent": "y"})).await;
    enable(
        &ann,
        &format!("/personas/{}", other.as_str().unwrap()),
        false,
    )
    .await;
    let (sound, _) = campaign(&app, &ann).await;
    ann.post(&format!("{sound}/start")).send().await.ok(200);
    reaches(&ann, &sound, "completed").await;
    assert_eq!(refusals(&ann, &path).await.len(), 1);
    let shown = ann.get(&format!("{path}/phases/extraction/status"));
    assert_eq!(shown.send().await.ok(200)["errors"][0]["message"], DISABLED);

    enable(&ann, &http, true).await;
    reaches(&ann, &path, "completed").await;
    assert_eq!(refusals(&ann, &path).await.len(), 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phase_that_nobody_configured_says_so_and_starts_once_it_is() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let ann = app.user("ann").await;
    let path = create(&ann, &shops("ab")).await;
    let mode = |mode: &str| {
        ann.put(&format!("{path}/mode"))
            .json(&json!({"mode": mode}))
            .send()
    };
    mode("step_by_step").await.ok(200);
    for phase in ["discovery", "validation"] {
        if phase == "validation" {
            let body = json!({"configuration": {}});
            let configure = ann.post(&format!("{path}/phases/validation/configure"));
            configure.json(&body).send().await.ok(200);
        }
        let start = ann.post(&format!("{path}/phases/{phase}/start"));
        start.send().await.ok(200);
        phase_is(&ann, &path, phase, "completed").await;
    }
    mode("full_sequence").await.ok(200);
    eventually("the reason is shown", || async {
        let status = ann.get(&format!("{path}/status")).send().await.ok(200);
        (status["errorMessage"] == "extraction is not configured").then_some(())
    })
    .await;
    let body = json!({"configuration": {"keywords": ["espresso"]}});
    let configure = ann.post(&format!("{path}/phases/extraction/configure"));
    configure.json(&body).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    app.stop().await;
}
