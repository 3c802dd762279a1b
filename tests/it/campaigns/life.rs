//! A campaign from its creation over its configuration to its deletion.

use serde_json::json;

use super::{create, shops};
use crate::support::server::TestApp;

#[tokio::test]
async fn a_campaign_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let made = ann.post("/campaigns").json(&shops("ab")).send().await;
    assert!(made.header("etag").is_some() && made.header("x-event-cursor").is_some());
    let made = made.ok(201);
    assert_eq!(
        (&made["status"], &made["currentPhase"], &made["mode"]),
        (
            &json!("draft"),
            &json!("discovery"),
            &json!("full_sequence")
        )
    );
    assert_eq!(made["configuration"], shops("ab")["configuration"]);
    assert_eq!(made["progress"]["totalDomains"], 0);
    let path = format!("/campaigns/{}", made["id"].as_str().unwrap());
    assert_eq!(ann.get(&path).send().await.ok(200), made);
    let list = ann.get("/campaigns").send().await;
    assert_eq!(list.header("x-total-count"), Some("1"));
    assert_eq!(list.ok(200), json!([made]));

    let shown = ann.get(&path).send().await;
    let etag = shown.header("etag").unwrap().to_owned();
    let change =
        json!({"name": "cafés", "configuration": {"phases": {"validation": {"enabled": true}}}});
    let changed = ann
        .put(&path)
        .header("if-match", &etag)
        .json(&change)
        .send()
        .await
        .ok(200);
    assert_eq!(changed["name"], "cafés");
    ann.put(&path)
        .header("if-match", &etag)
        .json(&change)
        .send()
        .await
        .ok(412);
    let configs = ann.get(&format!("{path}/configs")).send().await.ok(200);
    assert_eq!(
        configs["configsPresent"],
        json!({"discovery": true, "validation": true, "extraction": false,
        "analysis": false, "enrichment": false})
    );
    assert_eq!(configs["configs"]["discovery"]["characterSet"], "ab");

    let mode = ann
        .put(&format!("{path}/mode"))
        .json(&json!({"mode": "step_by_step"}))
        .send()
        .await
        .ok(200);
    assert_eq!(mode["mode"], "step_by_step");
    let enriched = ann.get(&format!("{path}/enriched")).send().await.ok(200);
    assert_eq!(enriched["state"]["mode"], "step_by_step");
    assert_eq!(enriched["phaseExecutions"].as_array().unwrap().len(), 5);
    let one = ann
        .get(&format!("{path}/phase-executions/dns_validation"))
        .send()
        .await
        .ok(200);
    assert_eq!(one, enriched["phaseExecutions"][1]);
    assert_eq!(
        ann.get(&format!("{path}/phase-executions"))
            .send()
            .await
            .ok(200)["campaignState"],
        enriched["state"]
    );
    assert_eq!(
        ann.get(&format!("{path}/state")).send().await.ok(200),
        enriched["state"]
    );

    let history = ann
        .get(&format!("{path}/history?limit=2"))
        .send()
        .await
        .ok(200);
    assert_eq!(history["items"][0]["action"], "Created");
    assert_eq!(
        history["items"][0]["userId"],
        json!(ann.user_id.unwrap().to_string())
    );
    let rest = ann
        .get(&format!("{path}/history?after={}", history["nextAfter"]))
        .send()
        .await
        .ok(200);
    assert_eq!(
        rest["items"].as_array().unwrap().last().unwrap()["action"],
        "ModeChanged"
    );
    let progress = ann.get(&format!("{path}/progress")).send().await.ok(200);
    assert_eq!(progress["timeline"][0]["type"], "created");

    ann.delete(&path).send().await.ok(204);
    ann.get(&path).send().await.ok(404);
    ann.delete(&path).send().await.ok(404);
    app.stop().await;
}

#[tokio::test]
async fn what_is_configured_can_be_sent_back_as_it_is_answered() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "all of it"})).await;
    let given = [
        (
            "discovery",
            json!({"type": "both", "constant": "x", "prefixVariableLength": 1, "suffixVariableLength": 2,
            "charset": "abc", "tlds": ["com", "co.uk"], "numDomainsToGenerate": 7}),
        ),
        ("validation", json!({"recordTypes": ["mx", "TXT", "MX"]})),
        (
            "extraction",
            json!({"keywords": [" espresso ", "espresso", "tea"]}),
        ),
        ("analysis", json!({})),
        (
            "enrichment",
            json!({"thresholds": {"matchScore": 0.5, "minBytes": 10}}),
        ),
    ];
    for (phase, configuration) in given {
        let operation = format!("{path}/phases/{phase}/configure");
        let once = ann
            .post(&operation)
            .json(&json!({"configuration": configuration}))
            .send()
            .await;
        let etag = once.header("etag").unwrap().to_owned();
        let once = once.ok(200);
        assert_eq!(once["status"], "configured");
        // The same again is the same, and no event.
        let again = ann
            .post(&operation)
            .json(&json!({"configuration": once["configuration"]}))
            .send()
            .await;
        assert_eq!(again.header("etag"), Some(etag.as_str()), "{phase}");
        assert_eq!(again.ok(200), once);
    }
    let configs = ann.get(&format!("{path}/configs")).send().await.ok(200)["configs"].clone();
    assert_eq!(configs["validation"]["recordTypes"], json!(["MX", "TXT"]));
    assert_eq!(
        configs["extraction"]["keywords"],
        json!(["espresso", "tea"])
    );
    assert_eq!(configs["enrichment"]["thresholds"]["matchScore"], 0.5);
    assert_eq!(configs["discovery"]["numDomainsToGenerate"], 7);
    app.stop().await;
}
