//! Campaigns that are made like others.

use sandbox::World;
use serde_json::{Value, json};

use super::{configure, create, discovered, shops, walk};
use crate::support::server::TestApp;

fn offsets(rows: &[Value]) -> Vec<i64> {
    rows.iter()
        .map(|row| row["offset"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn a_copy_has_the_configuration_no_runs_and_names_of_its_own() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let ann = app.user("ann").await;
    let mut body = shops("abcd");
    body["mode"] = json!("step_by_step");
    body["description"] = json!("of a town");
    let source = create(&ann, &body).await;
    configure(&ann, &source, &["espresso"]).await;
    let discovery = json!({"configuration": {"constant": "shop", "prefixVariableLength": 2, "charset": "abcd",
        "type": "prefix", "tlds": ["test"], "numDomainsToGenerate": 6}});
    ann.post(&format!("{source}/phases/discovery/configure"))
        .json(&discovery)
        .send()
        .await
        .ok(200);
    ann.post(&format!("{source}/start")).send().await.ok(200);
    discovered(&ann, &source).await;

    let operation = format!("{source}/duplicate");
    ann.post(&operation)
        .header("if-match", "\"1\"")
        .send()
        .await
        .ok(412);
    let first = ann.post(&operation).header("x-idempotency-key", "one copy");
    let made = first.send().await.ok(201);
    let repeat = ann.post(&operation).header("x-idempotency-key", "one copy");
    assert_eq!(repeat.send().await.ok(201), made);
    assert_eq!(
        (
            &made["name"],
            &made["description"],
            &made["status"],
            &made["mode"]
        ),
        (
            &json!("shops (copy)"),
            &json!("of a town"),
            &json!("draft"),
            &json!("step_by_step")
        )
    );
    assert_eq!(made["configuration"], body["configuration"]);
    assert_eq!(made["progress"]["totalDomains"], 0);
    let copy = format!("/campaigns/{}", made["id"].as_str().unwrap());
    let configs = async |path: &str| {
        ann.get(&format!("{path}/configs")).send().await.ok(200)["configs"].clone()
    };
    assert_eq!(configs(&copy).await, configs(&source).await);
    let history = ann.get(&format!("{copy}/history")).send().await.ok(200);
    let duplicated = history["items"].as_array().unwrap().iter();
    let duplicated = duplicated.filter(|entry| entry["action"] == "Duplicated");
    let sources: Vec<_> = duplicated
        .map(|entry| entry["details"]["source"].clone())
        .collect();
    assert_eq!(sources, [json!(source.trim_start_matches("/campaigns/"))]);

    ann.post(&format!("{copy}/start")).send().await.ok(200);
    discovered(&ann, &copy).await;
    let theirs = offsets(&walk(&ann, &source, "", 100).await);
    let own = offsets(&walk(&ann, &copy, "", 100).await);
    assert_eq!((theirs.len(), own.len()), (6, 6));
    assert!(
        own.iter().all(|offset| !theirs.contains(offset)),
        "{theirs:?} {own:?}"
    );
    super::reruns::all_agrees(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn a_copy_of_a_campaign_that_lists_its_names_has_them_too() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "two", "configuration": {"patternConfig": {"targetDomains": ["a.test", "b.test"]}}});
    let source = create(&ann, &body).await;
    let made = ann
        .post(&format!("{source}/duplicate"))
        .send()
        .await
        .ok(201);
    assert_eq!(made["progress"]["totalDomains"], 2);

    // What its configuration object still names, and its phases do without, keeps nobody from copying it.
    let persona = json!({"name": "one", "personaType": "dns", "configDetails": {"personaType": "dns",
        "resolvers": ["9.9.9.9"], "queryTimeoutSeconds": 5, "maxDomainsPerRequest": 1, "concurrentQueriesPerDomain": 1}});
    let persona = ann.post("/personas").json(&persona).send().await.ok(201)["id"].clone();
    let body = json!({"name": "one", "configuration": {"patternConfig": {
        "type": "constant", "targetDomains": ["a.test"], "personaIds": [persona]}}});
    let source = create(&ann, &body).await;
    let without = json!({"configuration": {}});
    let configure = ann.post(&format!("{source}/phases/validation/configure"));
    configure.json(&without).send().await.ok(200);
    let delete = ann.delete(&format!("/personas/{}", persona.as_str().unwrap()));
    delete.send().await.ok(204);
    let copy = ann.post(&format!("{source}/duplicate"));
    let made = copy.send().await.ok(201);
    assert_eq!(made["progress"]["totalDomains"], 1);
    assert_eq!(made["configuration"], body["configuration"]);
    app.stop().await;
}
