//! What runs anew through the interface, and what is left as it was.

use sandbox::{Dns, Host, World};
use serde_json::{Value, json};

use super::{configure, create, reaches};
use crate::support::server::{Client, Reply, TestApp};

/// Names of every kind of fate, and what is found out about each.
pub(super) const NAMES: [&str; 5] = [
    "good.test",
    "plain.test",
    "gone.test",
    "ill.test",
    "broken.test",
];

/// A world in which one name does not exist, one cannot be looked up and one cannot be fetched.
pub fn world() -> World {
    World::scripted()
        .host("good.test", Host::page(&["espresso"]))
        .host("plain.test", Host::page(&[]))
        .host("gone.test", Host::named(Dns::NxDomain))
        .host("ill.test", Host::named(Dns::ServFail))
        .host("broken.test", Host::status(500))
}

/// A campaign over [`NAMES`] that has come to its end, step by step from there on.
pub async fn finished(ann: &Client) -> String {
    let body = json!({"name": "five", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": NAMES}}});
    let path = create(ann, &body).await;
    configure(ann, &path, &["espresso"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(ann, &path, "completed").await;
    let mode = json!({"mode": "step_by_step"});
    ann.put(&format!("{path}/mode"))
        .json(&mode)
        .send()
        .await
        .ok(200);
    path
}

/// Returns the actions of a domain's history with the run of each.
pub(super) async fn results_of(ann: &Client, path: &str, name: &str) -> Vec<(String, String)> {
    let history = ann.get(&format!("{path}/domains/{name}/history"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = history.send().await.ok(200)["items"].clone();
    items
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (text(&item["action"]), text(&item["runId"])))
        .collect()
}

/// Lists the starts of a campaign's history: phase, and what the run was for.
pub(super) async fn starts(ann: &Client, path: &str) -> Vec<(String, String)> {
    let history = ann.get(&format!("{path}/history?limit=1000"));
    let items = history.send().await.ok(200)["items"].clone();
    let started = items.as_array().unwrap().iter();
    started
        .filter(|item| item["action"] == "PhaseStarted")
        .map(|item| {
            let kind = item["details"]["kind"].as_str().unwrap_or("full");
            let phase = item["details"]["phase"].as_str().unwrap();
            (phase.to_owned(), kind.to_owned())
        })
        .collect()
}

/// Expects that log, read models, counters and tallies agree.
pub(super) async fn all_agrees(app: &TestApp) {
    let report = replay::check(&app.app.database).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings());
}

#[track_caller]
pub(super) fn conflict(reply: Reply, code: &str) -> Value {
    let body = reply.ok(409);
    assert_eq!(body["error"]["code"], code, "{body}");
    body["error"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_runs_every_phase_after_the_names_anew_and_keeps_what_was_found_in_the_history() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let path = finished(&ann).await;
    let before = ann.get(&format!("{path}/domains")).send().await.ok(200);
    let executions = ann
        .get(&format!("{path}/phase-executions"))
        .send()
        .await
        .ok(200);
    app.sandbox
        .as_ref()
        .unwrap()
        .set_host("plain.test", Host::page(&["espresso"]));

    let operation = format!("{path}/restart");
    let first = ann.post(&operation).header("x-idempotency-key", "again");
    let restarted = first.send().await.ok(200);
    let key = ann.post(&operation).header("x-idempotency-key", "again");
    assert_eq!(key.send().await.ok(200), restarted);
    assert_eq!(
        restarted["phasesRestarted"],
        json!(["validation", "extraction", "analysis", "enrichment"])
    );
    assert_eq!(restarted["skippedPhases"], json!(["discovery"]));
    assert_eq!(restarted["phaseStatuses"][0]["status"], "running");
    assert!(restarted.get("restartErrors").is_none(), "{restarted}");
    reaches(&ann, &path, "completed").await;

    let after = ann.get(&format!("{path}/domains")).send().await.ok(200);
    assert_eq!(after["aggregates"]["dns"], before["aggregates"]["dns"]);
    let with_keyword = |list: &Value| {
        let hits = |item: &&Value| item["features"]["keywords"]["unique_count"] == 1;
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(hits)
            .count()
    };
    assert_eq!((with_keyword(&before), with_keyword(&after)), (1, 2));
    let again = ann
        .get(&format!("{path}/phase-executions"))
        .send()
        .await
        .ok(200);
    let id = |list: &Value, phase: usize| list["phaseExecutions"][phase]["id"].clone();
    assert_eq!(id(&executions, 0), id(&again, 0), "discovery ran once");
    for phase in 1..5 {
        assert_ne!(id(&executions, phase), id(&again, phase));
    }
    let found = results_of(&ann, &path, "good.test").await;
    let checks: Vec<_> = found
        .iter()
        .filter(|(what, _)| what == "DnsChecked")
        .collect();
    assert_eq!(checks.len(), 2);
    assert_ne!(checks[0].1, checks[1].1);
    let timeline = ann.get(&format!("{path}/progress")).send().await.ok(200)["timeline"].clone();
    assert!(
        timeline
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry["type"] == "restarted"),
        "{timeline}"
    );
    all_agrees(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn a_restart_is_refused_without_names_to_strangers_and_of_a_version_that_is_past() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = create(&ann, &super::shops("ab")).await;
    let refused = ann.post(&format!("{path}/restart")).send().await;
    let refused = conflict(refused, "RERUN_PRECONDITION_FAILED");
    assert_eq!(refused["blocking_phase"], "discovery");
    let analysis = format!("{path}/phases/analysis/restart");
    let refused = ann.post(&analysis).send().await;
    let refused = conflict(refused, "RERUN_PRECONDITION_FAILED");
    assert_eq!(
        (&refused["blocking_phase"], &refused["current_state"]),
        (&json!("discovery"), &json!("not_started"))
    );
    for operation in [&analysis, &format!("{path}/restart")] {
        bob.post(operation).send().await.ok(404);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_analysis_runs_anew_and_decisions_follow_while_checks_stay_as_they_are() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let path = finished(&ann).await;
    let before = results_of(&ann, &path, "good.test").await;
    let operation = format!("{path}/phases/analysis/restart");
    ann.post(&operation)
        .header("if-match", "\"1\"")
        .send()
        .await
        .ok(412);
    let restarted = ann.post(&operation).send().await.ok(200);
    assert_eq!(
        (&restarted["previousState"], &restarted["currentState"]),
        (&json!("completed"), &json!("running"))
    );
    assert_eq!(restarted["idempotent"], false);
    assert_eq!(restarted["phaseStatus"]["phase"], "analysis");
    reaches(&ann, &path, "completed").await;
    let after = results_of(&ann, &path, "good.test").await;
    let new: Vec<&str> = after[before.len()..]
        .iter()
        .map(|(what, _)| what.as_str())
        .collect();
    assert_eq!(new, ["Scored", "LeadDecided"]);
    let begun = starts(&ann, &path).await;
    let full = |phase: &str| (phase.to_owned(), "full".to_owned());
    assert_eq!(begun[5..], [full("analysis"), full("enrichment")]);
    // The other operations of the phase are still found beside the one that is named in full.
    let paused = ann.post(&format!("{path}/phases/analysis/pause"));
    conflict(paused.send().await, "INVALID_PHASE_TRANSITION");
    all_agrees(&app).await;
    app.stop().await;
}

/// How many domains each run of a campaign was planned for, in the order of the runs.
async fn plans(app: &TestApp, path: &str) -> Vec<(String, i64)> {
    let id: uuid::Uuid = path.rsplit('/').next().unwrap().parse().unwrap();
    let plans = "SELECT phase, items FROM run_plans WHERE campaign_id = $1 ORDER BY planned_at";
    let plans = sqlx::query_as(plans).bind(id);
    plans.fetch_all(app.app.database.pool()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_is_about_the_domains_that_failed_and_leaves_the_others_as_they_are() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let path = finished(&ann).await;
    let mut before = Vec::new();
    for name in NAMES {
        before.push(results_of(&ann, &path, name).await);
    }
    let sandbox = app.sandbox.as_ref().unwrap();
    for name in ["ill.test", "broken.test"] {
        sandbox.set_host(name, Host::page(&["espresso"]));
    }
    let asked = |name: &str| (sandbox.dns_queries(name), sandbox.http_requests(name));
    let unasked = [asked("good.test"), asked("plain.test")];

    let retried = ann.post(&format!("{path}/retry")).send().await.ok(200);
    assert_eq!(retried["phase"], "validation");
    assert_eq!(retried["phaseStatus"]["status"], "running");
    reaches(&ann, &path, "completed").await;
    let phases = ["validation", "extraction", "analysis", "enrichment"];
    let planned = plans(&app, &path).await;
    let expected = phases.map(str::to_owned).into_iter().zip([2, 2, 2, 3]);
    assert_eq!(planned[5..], expected.collect::<Vec<_>>());
    let kinds: Vec<String> = starts(&ann, &path)
        .await
        .into_iter()
        .map(|(_, kind)| kind)
        .collect();
    assert_eq!(kinds[5..], ["retry_failed", "rest", "rest", "rest"]);

    assert_eq!([asked("good.test"), asked("plain.test")], unasked);
    for (place, name) in NAMES.iter().enumerate() {
        let after = results_of(&ann, &path, name).await;
        let new: Vec<&str> = after[before[place].len()..]
            .iter()
            .map(|(what, _)| what.as_str())
            .collect();
        let expected: &[&str] = match *name {
            "ill.test" => &["DnsChecked", "HttpChecked", "Scored", "LeadDecided"],
            "broken.test" => &["HttpChecked", "Scored", "LeadDecided"],
            "gone.test" => &["DnsChecked", "LeadDecided"],
            _ => &[],
        };
        assert_eq!(new, expected, "{name}");
    }
    let funnel = ann.get(&format!("{path}/funnel")).send().await.ok(200);
    assert_eq!(
        (
            &funnel["dnsValid"],
            &funnel["httpValid"],
            &funnel["keywordHits"]
        ),
        (&json!(4), &json!(4), &json!(3))
    );
    let summary = ann
        .get(&format!("{path}/rejection-summary"))
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&summary["balanced"], &summary["counts"]["pending"]),
        (&json!(true), &json!(0))
    );
    all_agrees(&app).await;

    // A name that did not exist may be registered since; once nothing is listed as failed, nothing is retried.
    sandbox.set_host("gone.test", Host::page(&[]));
    ann.post(&format!("{path}/retry")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    let results = results_of(&ann, &path, "gone.test").await;
    assert_eq!(results.len(), 8, "{results:?}");
    let refused = ann.post(&format!("{path}/retry")).send().await;
    let refused = conflict(refused, "RERUN_PRECONDITION_FAILED");
    assert_eq!(refused["reason"], "no domain has failed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rescore_does_what_its_dry_run_said_and_the_dry_run_nothing() {
    let app = TestApp::in_sandbox(world()).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = finished(&ann).await;
    // Only what these pages cannot have counts, so that no domain is a lead any more.
    let profile = json!({"name": "none", "weights": {"tf_lite": 0.001, "title_keyword": 1.0}});
    let profile = ann.post("/scoring-profiles").json(&profile).send().await;
    let named = json!({"profileId": profile.ok(201)["id"]});
    let assign = format!("{path}/scoring-profile");
    bob.post(&assign).json(&named).send().await.ok(404);
    ann.post(&assign)
        .json(&json!({"profileId": uuid::Uuid::now_v7()}))
        .send()
        .await
        .blames(404, "profileId");
    let leads = async || ann.get(&format!("{path}/funnel")).send().await.ok(200)["leads"].clone();
    let before = leads().await;
    let version = async || {
        ann.get(&path)
            .send()
            .await
            .header("etag")
            .unwrap()
            .to_owned()
    };
    let seen = version().await;
    let dry = ann
        .post(&format!("{path}/rescore?dryRun=true"))
        .json(&named);
    let dry = dry.send().await.ok(200);
    assert_eq!(version().await, seen, "a dry run records nothing");
    assert_eq!((&dry["leadsBefore"], &dry["scored"]), (&before, &json!(2)));

    ann.post(&assign).json(&named).send().await.ok(204);
    ann.post(&format!("{path}/rescore")).send().await.ok(204);
    reaches(&ann, &path, "completed").await;
    assert_eq!(leads().await, dry["leadsAfter"]);
    let kinds = starts(&ann, &path).await;
    let run = |phase: &str, kind: &str| (phase.to_owned(), kind.to_owned());
    assert_eq!(
        kinds[5..],
        [run("analysis", "rescore"), run("enrichment", "full")]
    );
    let history = ann.get(&format!("{path}/history?limit=1000"));
    let history = history.send().await.ok(200)["items"].clone();
    let actions: Vec<&Value> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["action"])
        .collect();
    for action in ["ScoringProfileAssigned", "Rescored"] {
        assert!(actions.contains(&&json!(action)), "{actions:?}");
    }
    all_agrees(&app).await;
    let empty = create(&ann, &super::shops("ab")).await;
    let refused = ann.post(&format!("{empty}/rescore")).send().await;
    conflict(refused, "RERUN_PRECONDITION_FAILED");
    bob.post(&format!("{path}/rescore")).send().await.ok(404);
    app.stop().await;
}
