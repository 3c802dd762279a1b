//! The audit trail: who did what, when, from where, why, and what it changed; who may see it; every filter against the whole.

use std::collections::BTreeSet;

use aggregates::user::Role;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use crate::support::{
    eventually,
    server::{Client, Reply, TestApp},
};

/// A user agent that a spreadsheet would compute.
const FORMULA: &str = "=1+1";

/// Waits until the audit trail has everything, and reads all of it that somebody sees, the oldest first.
async fn everything(app: &TestApp, client: &Client) -> Vec<Value> {
    caught_up(app).await;
    let reply = client.get("/audit?format=ndjson&dir=asc").send().await;
    assert_eq!(reply.header("content-type"), Some("application/x-ndjson"));
    lines(&reply)
}

async fn caught_up(app: &TestApp) {
    let head = app.app.database.feed().head().await.unwrap();
    let runtime = &app.app.runtime;
    runtime
        .wait_for(head, crate::support::DEADLINE)
        .await
        .unwrap();
}

fn lines(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let lines = reply.text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn positions(entries: &[Value]) -> Vec<i64> {
    let positions = entries.iter().map(|entry| entry["position"].as_i64());
    positions.map(Option::unwrap).collect()
}

/// Reads every page of a list.
async fn pages(client: &Client, query: &str) -> Vec<Value> {
    let (mut items, mut after) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/audit?first=2&{query}{after}"));
        let page = page.send().await.ok(200);
        let read = page["items"].as_array().unwrap();
        assert!(read.len() <= 2);
        items.extend(read.clone());
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            return items;
        }
        let cursor = page["pageInfo"]["endCursor"].as_str().unwrap();
        after = format!("&after={cursor}");
    }
}

/// Fails to log somebody in, and waits until the log has it, which is after the answer.
async fn failed_log_in(app: &TestApp, name: &str, auditor: &Client) {
    app.log_in(name, "a wrong password").await.ok(401);
    eventually("the failure is an entry", || async {
        let entries = auditor.get("/audit?action=LoginFailed").send().await;
        (entries.ok(200)["items"] != json!([])).then_some(())
    })
    .await;
}

/// Has somebody do several things to a keyword set, and returns its id.
async fn busy(client: &Client, name: &str) -> String {
    let body =
        json!({"name": name, "rules": [{"pattern": "x", "ruleType": "string"}], "isEnabled": true});
    let make = client.post("/keyword-sets").header("user-agent", FORMULA);
    let make = make.header("x-idempotency-key", name);
    let made = make.json(&body).send().await.ok(201);
    let id = made["id"].as_str().unwrap().to_owned();
    let change = json!({"name": format!("{name} again"), "isEnabled": false});
    let path = format!("/keyword-sets/{id}");
    client.put(&path).json(&change).send().await.ok(200);
    id
}

#[tokio::test]
async fn an_entry_tells_who_did_what_when_from_where_why_and_what_it_changed() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let id = busy(&ann, "one").await;
    ann.delete(&format!("/keyword-sets/{id}"))
        .send()
        .await
        .ok(204);
    caught_up(&app).await;
    let asked = format!("/audit?resourceType=keyword_set&resourceId={id}&dir=asc");
    let page = ann.get(&asked).send().await.ok(200);
    let entries = page["items"].as_array().unwrap();
    let actions: Vec<&str> = entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["Created", "Changed", "Disabled", "Deleted"]);
    let user_id = ann.user_id.unwrap().to_string();
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry["sequence"], at + 1);
        assert_eq!(entry["actor"], format!("user:{user_id}"));
        assert_eq!(entry["userId"], *user_id);
        assert_eq!(entry["userName"], "ann");
        assert_eq!(entry["ip"], "127.0.0.1");
        assert!(entry["timestamp"].is_string());
        assert!(!entry["correlationId"].as_str().unwrap().is_empty());
    }
    let [created, changed, disabled, deleted] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!(created["userAgent"], FORMULA);
    assert_eq!(created["idempotency"].as_str().unwrap().len(), 64);
    assert!(created.get("before").is_none());
    assert_eq!(created["after"]["name"], "one");
    assert!(changed.get("idempotency").is_none());
    assert_eq!(changed["before"], json!({"name": "one"}));
    assert_eq!(changed["after"], json!({"name": "one again"}));
    // One request did both.
    assert_eq!(changed["correlationId"], disabled["correlationId"]);
    assert_eq!(disabled["before"], json!({"enabled": true}));
    assert_eq!(disabled["after"], json!({"enabled": false}));
    assert_eq!(deleted["before"]["name"], "one again");
    assert!(deleted.get("after").is_none());
    app.stop().await;
}

#[tokio::test]
async fn every_filter_is_exact_and_pages_are_the_whole_list_in_both_directions() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let auditor = app.user_with_role("auditor", Role::Auditor).await;
    for name in ["one", "two"] {
        busy(&ann, name).await;
    }
    crate::campaigns::create(&ann, &crate::campaigns::shops("ab")).await;
    failed_log_in(&app, "ann", &auditor).await;
    let all = everything(&app, &auditor).await;
    let places = positions(&all);
    assert!(places.is_sorted() && places.len() > 10, "{places:?}");

    let mut asked = 0;
    for field in [
        "actor",
        "action",
        "resourceType",
        "resourceId",
        "correlationId",
    ] {
        let values: BTreeSet<&str> = all.iter().filter_map(|e| e[field].as_str()).collect();
        assert!(values.len() > 1, "{field}: {values:?}");
        for value in values {
            let passing: Vec<Value> = all
                .iter()
                .filter(|entry| entry[field] == value)
                .cloned()
                .collect();
            let query = format!("dir=asc&{field}={value}");
            assert_eq!(pages(&auditor, &query).await, passing, "{query}");
            asked += 1;
        }
    }
    assert!(asked > 12, "{asked}");
    let middle = all[all.len() / 2]["timestamp"].as_str().unwrap();
    let is_since = |entry: &&Value| entry["timestamp"].as_str().unwrap() >= middle;
    let since: Vec<Value> = all.iter().filter(is_since).cloned().collect();
    let from = pages(&auditor, &format!("dir=asc&from={middle}")).await;
    assert_eq!(from, since);
    let to = pages(&auditor, &format!("dir=asc&to={middle}")).await;
    assert_eq!(to.len() + since.len(), all.len());

    // The newest come first where nothing is said.
    let mut backwards = pages(&auditor, "resourceType=keyword_set").await;
    backwards.reverse();
    let forwards = pages(&auditor, "dir=asc&resourceType=keyword_set").await;
    assert_eq!(backwards, forwards);

    for (query, field) in [
        ("actor=somebody", "actor"),
        ("action=Exploded", "action"),
        ("action=RulesReplaced&resourceType=persona", "action"),
        ("resourceType=domain", "resourceType"),
        ("resourceId=", "resourceId"),
        ("from=yesterday", "from"),
        ("to=2026", "to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
        ("first=0", "first"),
        ("first=1001", "first"),
        ("after=e30", "after"),
        ("dir=up", "dir"),
        ("format=xml", "format"),
        ("format=csv&first=5", "first"),
        ("format=csv&after=5", "after"),
        ("colour=red", "colour"),
    ] {
        let reply = auditor.get(&format!("/audit?{query}")).send().await;
        reply.blames(400, field);
    }
    app.stop().await;
}

#[tokio::test]
async fn everybody_sees_what_he_did_and_what_happened_to_his_things() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    let root = app.user_with_role("root", Role::Admin).await;
    let (anns, bobs) = (busy(&ann, "anns").await, busy(&bob, "bobs").await);
    // An administrator changes what is hers.
    let change = json!({"description": "checked"});
    let path = format!("/keyword-sets/{anns}");
    root.put(&path).json(&change).send().await.ok(200);
    failed_log_in(&app, "ann", &root).await;

    let all = everything(&app, &root).await;
    let seen = everything(&app, &ann).await;
    let ann_id = ann.user_id.unwrap().to_string();
    let hers = |entry: &&Value| {
        entry["userId"] == *ann_id
            || [&*ann_id, &*anns]
                .iter()
                .any(|id| entry["resourceId"] == **id)
    };
    // From where and with what the administrator did it is his.
    let root_id = root.user_id.unwrap().to_string();
    let told = |entry: &Value| {
        let mut told = entry.clone();
        for field in ["ip", "userAgent", "apiKeyId", "idempotency"] {
            if told["userId"] == *root_id {
                told.as_object_mut().unwrap().remove(field);
            }
        }
        told
    };
    let expected: Vec<Value> = all.iter().filter(hers).map(told).collect();
    assert_eq!(seen, expected);
    assert!(
        all.iter()
            .any(|entry| entry["userId"] == *root_id && entry["ip"] == "127.0.0.1")
    );
    let by = |entry: &Value, who: &Client, action: &str| {
        entry["userId"] == who.user_id.unwrap().to_string() && entry["action"] == action
    };
    assert!(seen.iter().any(|entry| by(entry, &root, "Changed")));
    assert!(seen.iter().any(|entry| entry["action"] == "LoginFailed"));
    assert_eq!(pages(&ann, "dir=asc").await, seen);
    let others = pages(&ann, &format!("resourceId={bobs}")).await;
    assert_eq!(others, Vec::<Value>::new());
    assert!(all.len() > seen.len() + 3);
    app.stop().await;
}

#[tokio::test]
async fn a_download_has_everything_in_order_and_no_cell_that_a_spreadsheet_computes() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    // More than are held in memory at once.
    for number in 0..30 {
        busy(&ann, &format!("set {number}")).await;
    }
    let all = everything(&app, &ann).await;
    assert!(all.len() > 60, "{}", all.len());
    assert_eq!(pages(&ann, "dir=asc").await, all);
    let asked = ann
        .get("/audit?dir=asc")
        .header(ACCEPT.as_str(), "text/csv");
    let reply = asked.send().await;
    assert_eq!(
        reply.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    let mut table = csv::Reader::from_reader(reply.text.as_bytes());
    let headings = table.headers().unwrap().clone();
    let column = |name: &str| headings.iter().position(|heading| heading == name).unwrap();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    let listed: Vec<i64> = rows
        .iter()
        .map(|row| row[column("position")].parse().unwrap())
        .collect();
    assert_eq!(listed, positions(&all));
    let agents: BTreeSet<&str> = rows.iter().map(|row| &row[column("userAgent")]).collect();
    assert!(agents.contains("'=1+1") && !agents.contains(FORMULA));
    for (row, entry) in rows.iter().zip(&all) {
        let after: Value = serde_json::from_str(&row[column("after")]).unwrap_or_default();
        assert_eq!(after, entry["after"], "{entry}");
    }
    let accepted = ann.get("/audit?dir=asc");
    let accepted = accepted.header(ACCEPT.as_str(), "application/x-ndjson");
    assert_eq!(lines(&accepted.send().await), all);
    app.stop().await;
}
