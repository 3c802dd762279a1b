//! Every type of message that existing clients know is described and delivered, and none besides: `tests/contract/sse.txt`
//! states which they are.

use std::collections::BTreeSet;

use aggregates::{
    campaign::{
        Campaign, Command, PausePhase, Phase, RestartAnalysis, ResumePhase, Several, StopPhase,
    },
    ids::{CampaignId, RunId},
};
use domainflow::{
    commands::pin,
    http::{self, router::BASE},
};
use event_store::{BulkAppend, NewEvent};
use sandbox::{Host, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    client::{Message, Stream},
    log::metadata,
};
use crate::{
    campaigns::{configure, create, reaches},
    reconciliation,
    support::{
        pipeline::CHECKED,
        server::{Client, TestApp},
    },
};

/// The types that clients know.
fn known() -> BTreeSet<String> {
    let lines = include_str!("../../contract/sse.txt").lines();
    let types = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    types.map(str::to_owned).collect()
}

/// The types that the description of the stream names.
fn declared() -> BTreeSet<String> {
    let document = serde_json::to_value(http::openapi()).unwrap();
    let text = document["paths"][format!("{BASE}/sse/events")]["get"]["description"].clone();
    let text = text.as_str().expect("a description").to_owned();
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.map(str::to_owned).collect()
}

/// An analysis that begins, is paused, resumed and stopped before anybody works on it.
async fn stopped_analysis(app: &TestApp, ann: &Client, id: CampaignId) {
    let (stream, phase) = (id.to_string(), Phase::Analysis);
    let log = app.app.database.log();
    let (campaign, _) = log.load::<Campaign>(&stream).await.unwrap();
    let pinned = pin::pin(&app.app.database, &campaign, phase, &app.app.defaults);
    let (run_id, expected) = (RunId(Uuid::now_v7()), None);
    let commands = vec![
        Command::RestartAnalysis(RestartAnalysis {
            run_id,
            pinned: pinned.await.unwrap(),
        }),
        Command::PausePhase(PausePhase { phase, expected }),
        Command::ResumePhase(ResumePhase { phase, expected }),
        Command::StopPhase(StopPhase { phase }),
    ];
    let several = Command::Several(Several { commands });
    let who = metadata(ann.user_id.unwrap());
    app.app
        .execute::<Campaign>(&stream, several, &who, None)
        .await
        .expect("an analysis that ends at once");
}

/// Writes an event to a campaign's stream that does not say what it must.
async fn unreadable(app: &TestApp, ann: &Client, id: CampaignId) {
    let stream = id.to_string();
    let log = app.app.database.log();
    let (_, version) = log.load::<Campaign>(&stream).await.unwrap();
    let event = NewEvent {
        event_type: "ModeChanged".to_owned(),
        event_version: "1".to_owned(),
        payload: r#"{"ModeChanged":{}}"#.to_owned(),
    };
    let mut batch = BulkAppend::new(&metadata(ann.user_id.unwrap()));
    batch
        .raw_stream("campaign", &stream, version, vec![event])
        .unwrap();
    batch.append(&app.app.database).await.unwrap();
    app.app.database.sequence().await.unwrap();
}

/// Does whatever there is to be told about, and returns the types that a stream of the campaign told of a rescoring.
async fn everything(app: &TestApp, ann: &Client) -> BTreeSet<String> {
    let body = json!({"name": "shops", "mode": "full_sequence", "configuration": {"patternConfig": {
        "type": "variable", "constant": "shop", "prefixVariableLength": 4, "charset": "abcdef", "tlds": ["test"]}}});
    let path = create(ann, &body).await;
    configure(ann, &path, &["espresso"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(ann, &path, "completed").await;
    let mode = json!({"mode": "step_by_step"});
    let mode = ann.put(&format!("{path}/mode")).json(&mode);
    mode.send().await.ok(200);
    // Nobody can take work until its progress was told.
    let mut held = app.app.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE work_orders")
        .execute(&mut *held)
        .await
        .unwrap();
    let mut stream = Stream::open(ann, &format!("/sse{path}/events"), None).await;
    ann.post(&format!("{path}/rescore")).send().await.ok(204);
    let told = stream.until(|message| message.kind == "rescore_progress");
    let told = told.await.into_iter().map(|message| message.kind).collect();
    held.commit().await.unwrap();
    reaches(ann, &path, "completed").await;

    let made = ann.post("/keyword-sets").json(&json!({"name": "words"}));
    let made: Value = made.send().await.ok(201);
    let set = format!("/keyword-sets/{}", made["id"].as_str().unwrap());
    let change = ann.put(&set).json(&json!({"name": "others"}));
    change.send().await.ok(200);
    ann.delete(&set).send().await.ok(204);

    // Nothing listens there, as the first check finds out.
    let made = json!({"name": "dead", "address": "127.0.0.1:9"});
    let made = ann.post("/proxies").json(&made).send().await.ok(201);
    let check = format!("/proxies/{}/health-check", made["id"].as_str().unwrap());
    let checked = ann.post(&check).send().await.ok(200);
    assert_eq!(checked["status"], "unhealthy", "{checked}");

    let id = CampaignId(path.rsplit('/').next().unwrap().parse().unwrap());
    reconciliation::drifts(app, id).await;
    reconciliation::set(app, &json!({"autoCorrect": true})).await;
    reconciliation::is_due(app).await;
    reconciliation::corrected(app, id).await;
    stopped_analysis(app, ann, id).await;
    unreadable(app, ann, id).await;
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_message_that_is_declared_is_delivered_and_no_other() {
    let world = World::generated(3).host(CHECKED, Host::page(&[]));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let mut stream = Stream::open(&ann, "/sse/events", None).await;
    let mut heard = BTreeSet::from([stream.any().await.expect("a first message").kind]);
    let unreadable = |message: &Message| message.payload()["aggregateType"].is_string();
    let hearing = stream.until(unreadable);
    let (messages, told) = tokio::join!(hearing, everything(&app, &ann));
    heard.extend(told);
    heard.extend(messages.into_iter().map(|message| message.kind));
    assert_eq!(heard, declared());
    assert_eq!(heard, known());
    assert_eq!(heard.len(), 22);
    drop(stream);
    app.stop().await;
}
