//! Pausing, resuming and cancelling typed campaigns.

use std::time::Duration;

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Event, Phase, Pinned, RunKind, Source, Tallies},
    ids::{CampaignId, RunId},
};
use event_store::{BulkAppend, Database};
use sandbox::World;
use serde_json::json;
use tokio::time::timeout;
use uuid::Uuid;

use super::{records, slow_check};
use crate::support::{eventually, server::TestApp};

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

/// Waits until somebody waits for the table of gates.
async fn waited_for(database: &Database) {
    eventually("somebody waits for the gates", || async {
        let waits = "SELECT true FROM pg_locks WHERE NOT granted AND relation = 'run_gates'::regclass \
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let waits = sqlx::query_scalar::<_, bool>(waits);
        waits.fetch_optional(database.pool()).await.unwrap()
    })
    .await;
}

/// A discovery that began and came to its end.
fn discovered() -> [Event; 2] {
    let (phase, run_id) = (Phase::Discovery, RunId(Uuid::now_v7()));
    let started = Event::PhaseStarted {
        phase,
        run_id,
        run_number: 1,
        pinned: Pinned::Discovery {
            source: Source::Import,
            pattern_hash: None,
            inputs: Vec::new(),
        },
        auto: false,
        kind: RunKind::Full,
        through: None,
    };
    let tallies = Tallies::from([("imported".to_owned(), 20)]);
    let completed = Event::PhaseCompleted {
        phase,
        run_id,
        tallies,
    };
    [started, completed]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_between_two_phases_is_answered_once_the_next_one_is_paused() {
    let app = TestApp::in_sandbox(World::scripted()).await;
    let ann = app.user("ann").await;
    let path = slow_check(&ann).await;
    let id = CampaignId(path.rsplit('/').next().unwrap().parse().unwrap());
    let (database, stream) = (app.app.database.clone(), id.to_string());
    let (_, version) = database.log().load::<Campaign>(&stream).await.unwrap();
    let mut batch = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
    batch
        .stream::<Campaign>(&stream, version, &discovered())
        .unwrap();
    let mut ending = database.begin().await.unwrap();
    ending.append(&batch).await.unwrap();
    // Nobody can begin the next phase from the moment at which this one is over.
    let mut held = database.pool().begin().await.unwrap();
    let hold = async {
        let lock = sqlx::query("LOCK TABLE run_gates IN SHARE MODE");
        lock.execute(&mut *held).await.unwrap();
    };
    let end = async {
        waited_for(&database).await;
        ending.commit().await.unwrap();
    };
    tokio::join!(hold, end);
    waited_for(&database).await;

    let mut pause = Box::pin(ann.post(&format!("{path}/pause")).send());
    let early = timeout(Duration::from_millis(500), &mut pause).await;
    let early = early.map(|reply| reply.text);
    assert!(
        early.is_err(),
        "before there is anything to pause: {early:?}"
    );
    held.rollback().await.unwrap();
    assert_eq!(pause.await.ok(200)["status"], "paused");
    let (campaign, _) = database.log().load::<Campaign>(&stream).await.unwrap();
    assert_eq!(campaign.active_phase(), Some(Phase::Validation));
    ann.post(&format!("{path}/cancel")).send().await.ok(200);
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
