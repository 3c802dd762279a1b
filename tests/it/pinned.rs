//! A run works to its end with what it began with, whatever is changed meanwhile.

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Command, PausePhase, Phase, Several, StartPhase},
    ids::{CampaignId, RunId},
};
use domainflow::commands::pin;
use sandbox::{Host, World};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    campaigns::create,
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

/// Waits until a phase stands somewhere.
async fn phase_is(ann: &Client, path: &str, phase: &str, status: &str) {
    eventually(&format!("{phase} is {status}"), || async {
        let shown = ann.get(&format!("{path}/phases/{phase}/status"));
        (shown.send().await.ok(200)["status"] == status).then_some(())
    })
    .await;
}

async fn made(ann: &Client, path: &str, body: Value) -> String {
    let made = ann.post(path).json(&body).send().await.ok(201);
    made["id"].as_str().expect("an id").to_owned()
}

/// Starts a phase and pauses it in the same moment, so that nobody has worked on it yet.
async fn started_and_held(app: &TestApp, ann: &Client, path: &str, phase: Phase) {
    let id: CampaignId = CampaignId(path.rsplit('/').next().unwrap().parse().unwrap());
    let stream = id.to_string();
    let log = app.app.database.log();
    let (campaign, _) = log.load::<Campaign>(&stream).await.unwrap();
    let pinned = pin::pin(&app.app.database, &campaign, phase, &app.app.defaults);
    let run_id = RunId(Uuid::now_v7());
    let commands = vec![
        Command::StartPhase(StartPhase {
            run_id,
            pinned: pinned.await.unwrap(),
            auto: false,
        }),
        Command::PausePhase(PausePhase {
            phase,
            expected: None,
        }),
    ];
    let metadata = Metadata::new(Actor::User(ann.user_id.unwrap()), "test");
    app.app
        .execute::<Campaign>(
            &stream,
            Command::Several(Several { commands }),
            &metadata,
            None,
        )
        .await
        .expect("the phase starts and is paused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_rules_and_personas_that_change_under_a_run_are_not_seen_by_it() {
    let world = World::scripted()
        .host("coffee.test", Host::page(&["espresso"]))
        .host("milk.test", Host::page(&["latte"]));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let rules = |pattern: &str| json!([{"pattern": pattern, "ruleType": "string"}]);
    let set = json!({"name": "words", "rules": rules("espresso")});
    let set = made(&ann, "/keyword-sets", set).await;
    let persona = |agent: &str| json!({"personaType": "http", "userAgent": agent});
    let body = json!({"name": "one", "personaType": "http", "configDetails": persona("first")});
    let http = made(&ann, "/personas", body).await;
    let weights =
        |name: &str, weights: Value| made_profile(&ann, json!({"name": name, "weights": weights}));
    let profile = weights("dense", json!({"tf_lite": 1.0})).await;

    let body = json!({"name": "two", "mode": "step_by_step", "configuration": {"patternConfig": {
        "targetDomains": ["coffee.test", "milk.test"]}}});
    let path = create(&ann, &body).await;
    let configure = async |phase: &str, body: Value| {
        let configure = ann.post(&format!("{path}/phases/{phase}/configure"));
        configure.json(&body).send().await
    };
    configure("validation", json!({"configuration": {}}))
        .await
        .ok(200);
    let extraction =
        json!({"configuration": {"keywordSetIds": [set]}, "personaIds": {"httpPersonaId": http}});
    configure("extraction", extraction).await.ok(200);
    for phase in ["discovery", "validation"] {
        let start = ann.post(&format!("{path}/phases/{phase}/start"));
        start.send().await.ok(200);
        phase_is(&ann, &path, phase, "completed").await;
    }

    started_and_held(&app, &ann, &path, Phase::Extraction).await;
    phase_is(&ann, &path, "extraction", "paused").await;
    let change = async |path: String, body: Value| ann.put(&path).json(&body).send().await.ok(200);
    change(
        format!("/keyword-sets/{set}"),
        json!({"rules": rules("latte")}),
    )
    .await;
    let changed = json!({"configDetails": persona("second")});
    change(format!("/personas/{http}"), changed).await;
    let other = json!({"configuration": {"keywords": ["latte"]}});
    configure("extraction", other).await.ok(409);
    resumed(&ann, &path, "extraction").await;

    let list = ann.get(&format!("{path}/export?format=csv")).send().await;
    let mut rows = csv::Reader::from_reader(list.text.as_bytes());
    let rows = rows.deserialize::<std::collections::HashMap<String, String>>();
    let found: Vec<(String, String)> = rows
        .map(|row| row.unwrap())
        .map(|row| (row["domain"].clone(), row["keywords"].clone()))
        .collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (&**a, &**b)).collect();
    assert_eq!(found, [("coffee.test", "espresso"), ("milk.test", "")]);
    let seen = app.sandbox.as_ref().unwrap().http_seen("coffee.test");
    assert!(!seen.is_empty());
    for request in seen {
        assert_eq!(request.header("user-agent"), Some("first"));
    }

    // The weights of an analysis, and which profile it has, likewise.
    let assign = async |profile: &str| {
        let assign = ann.post(&format!("{path}/scoring-profile"));
        assign.json(&json!({"profileId": profile})).send().await
    };
    assign(&profile).await.ok(204);
    started_and_held(&app, &ann, &path, Phase::Analysis).await;
    phase_is(&ann, &path, "analysis", "paused").await;
    let other = weights("fresh", json!({"freshness": 1.0})).await;
    assign(&other).await.ok(409);
    let changed = json!({"name": "changed", "weights": {"freshness": 1.0}});
    change(format!("/scoring-profiles/{profile}"), changed).await;
    resumed(&ann, &path, "analysis").await;
    let explained = ann.get(&format!("{path}/domains/coffee.test/score-breakdown"));
    let explained = explained.send().await.ok(200);
    assert_eq!(explained["weights"]["tf_lite"], 1.0, "{explained}");
    app.stop().await;
}

async fn made_profile(ann: &Client, body: Value) -> String {
    made(ann, "/scoring-profiles", body).await
}

/// Resumes a phase and waits for its end.
async fn resumed(ann: &Client, path: &str, phase: &str) {
    let resume = ann.post(&format!("{path}/phases/{phase}/resume"));
    resume.send().await.ok(200);
    phase_is(ann, path, phase, "completed").await;
}
