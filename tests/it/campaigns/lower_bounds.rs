//! Pages on which the search for keywords is stopped before its end.

use sandbox::{Host, World};
use serde_json::json;

use super::{create, reaches};
use crate::support::server::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_was_stopped_is_said_to_be_in_the_history_of_the_domain() {
    // An expression is counted up to 100,000 times.
    let world = World::scripted()
        .host("long.test", Host::html("x ".repeat(100_010)))
        .host("short.test", Host::html("x x x"));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let set = json!({"name": "x", "rules": [{"pattern": "x", "ruleType": "regex"}]});
    let set = ann.post("/keyword-sets").json(&set).send().await.ok(201);
    let body = json!({"name": "x", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": ["long.test", "short.test"], "keywordSetIds": [set["id"]]}}});
    let path = create(&ann, &body).await;
    ann.post(&format!("{path}/phases/validation/configure"))
        .json(&json!({"configuration": {}}))
        .send()
        .await
        .ok(200);
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    for (name, incomplete, hits) in [
        ("long.test", json!(true), 1..=100_000),
        ("short.test", json!(null), 3..=3),
    ] {
        let history = ann.get(&format!("{path}/domains/{name}/history"));
        let items = history.send().await.ok(200)["items"].clone();
        let fetched = items.as_array().unwrap().iter();
        let fetched = fetched.filter(|item| item["action"] == "HttpChecked");
        let pages: Vec<_> = fetched.map(|item| &item["details"]["page"]).collect();
        let [page] = pages[..] else {
            panic!("{name} was fetched once: {items}")
        };
        assert_eq!(page["keywords_incomplete"], incomplete, "{name}");
        let found = page["keywords"][0]["hits"].as_u64().unwrap();
        assert!(hits.contains(&found), "{name}: {found}");
    }
    app.stop().await;
}
