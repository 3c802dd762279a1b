//! Creating, changing and configuring campaigns, and everything that is refused.

use serde_json::{Value, json};

use super::{create, shops};
use crate::support::server::{Client, TestApp};

fn with(configuration: Value) -> Value {
    json!({"name": "shops", "configuration": configuration})
}

async fn position(app: &TestApp) -> event_store::Position {
    app.app
        .database
        .feed()
        .head()
        .await
        .expect("the log answers")
}

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

#[tokio::test]
async fn a_setting_that_cannot_be_honoured_is_refused_by_its_name_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let before = position(&app).await;
    let pattern = |extra: Value| {
        let mut pattern = json!({"type": "variable", "constant": "shop", "prefixVariableLength": 2, "charset": "ab"});
        pattern
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        with(json!({"patternConfig": pattern}))
    };
    let refused = [
        (with(json!({"maxDomains": 0})), "configuration.maxDomains"),
        (
            with(json!({"maxDomains": 1_000_001})),
            "configuration.maxDomains",
        ),
        (
            with(json!({"maxDomains": "many"})),
            "configuration.maxDomains",
        ),
        (with(json!({"maxDomain": 5})), "configuration.maxDomain"),
        (with(json!("a text")), "configuration"),
        (
            with(json!({"phases": {"discovery": {"enabled": true}}})),
            "configuration.patternConfig",
        ),
        (
            with(json!({"phases": {"discovery": {"maxDepth": 2}}})),
            "configuration.phases.discovery.maxDepth",
        ),
        (
            with(json!({"phases": {"validation": {"enabled": false}}})),
            "configuration.phases.validation.enabled",
        ),
        (
            with(json!({"phases": {"analysis": {"generateReports": true}}})),
            "configuration.phases.analysis.generateReports",
        ),
        (
            with(json!({"phases": {"analysis": {"reports": true}}})),
            "configuration.phases.analysis.reports",
        ),
        (
            pattern(json!({"crawlDepth": 1})),
            "configuration.patternConfig.crawlDepth",
        ),
        (
            pattern(json!({"prefixVariableLength": 65})),
            "configuration.patternConfig.prefixVariableLength",
        ),
        (
            pattern(json!({"charset": "a_"})),
            "configuration.patternConfig.charset",
        ),
        (
            pattern(json!({"type": "constant"})),
            "configuration.patternConfig.prefixVariableLength",
        ),
        (
            pattern(json!({"tlds": ["com", "-"]})),
            "configuration.patternConfig.tlds[1]",
        ),
        (
            pattern(json!({"targetDomains": ["a.test"]})),
            "configuration.patternConfig.type",
        ),
        (
            pattern(json!({"prefixVariableLength": 30})),
            "configuration.maxDomains",
        ),
        (
            pattern(json!({"personaIds": [nobody]})),
            "configuration.patternConfig.personaIds[0]",
        ),
        (
            pattern(json!({"keywordSetIds": [nobody]})),
            "configuration.patternConfig.keywordSetIds",
        ),
        (
            with(json!({"patternConfig": {"targetDomains": ["a.test", "no domain"]}})),
            "configuration.patternConfig.targetDomains[1]",
        ),
        (
            with(
                json!({"maxDomains": 1, "patternConfig": {"targetDomains": ["a.test", "b.test"]}}),
            ),
            "configuration.patternConfig.targetDomains",
        ),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(256)}), "name"),
        (
            json!({"name": "x", "description": "y".repeat(10_001)}),
            "description",
        ),
    ];
    for (body, field) in refused {
        ann.post("/campaigns")
            .json(&body)
            .send()
            .await
            .blames(422, field);
    }
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"name": "x", "mode": "fast"}), "mode"),
        (json!({"name": "x", "more": 1}), "more"),
    ] {
        ann.post("/campaigns")
            .json(&body)
            .send()
            .await
            .blames(400, field);
    }
    ann.post("/campaigns")
        .body("application/json", "{")
        .send()
        .await
        .blames(400, "body");
    assert_eq!(ann.get("/campaigns").send().await.ok(200), json!([]));
    assert_eq!(position(&app).await, before, "nothing was stored");
    app.stop().await;
}

#[tokio::test]
async fn an_unknown_or_useless_setting_of_a_phase_is_refused_by_its_name() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(
        &ann,
        &json!({"name": "shops", "configuration": {"maxDomains": 10}}),
    )
    .await;
    let before = position(&app).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let of = |configuration: Value| json!({"configuration": configuration});
    let refused = [
        (
            "discovery",
            of(json!({"patternTyp": "prefix"})),
            "configuration.patternTyp",
        ),
        (
            "discovery",
            of(json!({"patternType": "infix"})),
            "configuration.patternType",
        ),
        (
            "discovery",
            of(json!({"constantString": "x", "characterSet": "ab"})),
            "configuration.characterSet",
        ),
        (
            "discovery",
            of(json!({"constantString": "x", "tld": "com", "tlds": ["org"]})),
            "configuration.tld",
        ),
        (
            "discovery",
            of(json!({"constantString": "x", "numDomainsToGenerate": 11})),
            "configuration.numDomainsToGenerate",
        ),
        (
            "discovery",
            of(json!({"source": "import", "tld": "com"})),
            "configuration.tld",
        ),
        (
            "validation",
            of(json!({"recordTypes": ["MX", "HINFO"]})),
            "configuration.recordTypes[1]",
        ),
        (
            "validation",
            of(json!({"batchSize": 5})),
            "configuration.batchSize",
        ),
        (
            "validation",
            json!({"configuration": {}, "personaIds": {"httpPersonaId": nobody}}),
            "personaIds.httpPersonaId",
        ),
        (
            "validation",
            json!({"configuration": {}, "personaIds": {"dnsPersonaId": nobody}}),
            "personaIds.dnsPersonaId",
        ),
        (
            "validation",
            json!({"configuration": {}, "keywordSetIds": [nobody]}),
            "keywordSetIds",
        ),
        (
            "extraction",
            json!({"configuration": {}, "keywordSetIds": [nobody]}),
            "keywordSetIds",
        ),
        (
            "extraction",
            json!({"configuration": {}, "proxyPoolId": nobody}),
            "proxyPoolId",
        ),
        (
            "extraction",
            of(json!({"keywords": ["x", " "]})),
            "configuration.keywords[1]",
        ),
        (
            "extraction",
            of(json!({"keywords": ["x".repeat(1_001)]})),
            "configuration.keywords[0]",
        ),
        (
            "analysis",
            of(json!({"scoringProfileId": nobody})),
            "configuration.scoringProfileId",
        ),
        (
            "enrichment",
            of(json!({"thresholds": {"matchScore": 2}})),
            "configuration.thresholds.matchScore",
        ),
        (
            "enrichment",
            of(json!({"thresholds": {"matchscore": 0.5}})),
            "configuration.thresholds.matchscore",
        ),
    ];
    for (phase, body, field) in refused {
        let operation = format!("{path}/phases/{phase}/configure");
        ann.post(&operation)
            .json(&body)
            .send()
            .await
            .blames(422, field);
    }
    let operation = format!("{path}/phases/validation/configure");
    ann.post(&operation)
        .json(&json!({}))
        .send()
        .await
        .blames(400, "configuration");
    ann.post(&operation)
        .json(&json!({"configuration": {}, "personaIds": {"dns": nobody}}))
        .send()
        .await
        .blames(400, "personaIds.dns");
    ann.post(&format!("{path}/phases/mining/configure"))
        .json(&of(json!({})))
        .send()
        .await
        .blames(400, "phase");
    ann.post("/campaigns/x/phases/validation/configure")
        .json(&of(json!({})))
        .send()
        .await
        .blames(400, "campaignId");
    assert_eq!(position(&app).await, before, "nothing was stored");
    app.stop().await;
}

#[tokio::test]
async fn another_users_campaign_is_not_there_whatever_is_asked() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = create(&ann, &shops("ab")).await;
    for operation in [
        "",
        "/enriched",
        "/status",
        "/progress",
        "/state",
        "/phase-executions",
        "/phase-executions/validation",
        "/configs",
        "/phases/discovery/status",
        "/domains",
        "/funnel",
        "/metrics",
        "/rejection-summary",
        "/history",
        "/export",
        "/domains/aashop.test/score-breakdown",
        "/domains/aashop.test/history",
    ] {
        bob.get(&format!("{path}{operation}")).send().await.ok(404);
    }
    for operation in [
        "/start",
        "/stop",
        "/phases/discovery/start",
        "/phases/discovery/pause",
        "/phases/discovery/resume",
        "/phases/discovery/stop",
    ] {
        bob.post(&format!("{path}{operation}")).send().await.ok(404);
    }
    bob.post(&format!("{path}/phases/validation/configure"))
        .json(&json!({"configuration": {}}))
        .send()
        .await
        .ok(404);
    bob.put(&format!("{path}/mode"))
        .json(&json!({"mode": "step_by_step"}))
        .send()
        .await
        .ok(404);
    bob.put(&path)
        .json(&json!({"name": "mine"}))
        .send()
        .await
        .ok(404);
    bob.delete(&path).send().await.ok(404);
    let file = super::upload::form("list.txt", "a.test\n");
    bob.post(&format!("{path}/upload"))
        .body(&file.0, file.1)
        .send()
        .await
        .ok(404);
    assert_eq!(bob.get("/campaigns").send().await.ok(200), json!([]));
    ann.get(&path).send().await.ok(200);
    app.stop().await;
}

async fn offset(client: &Client) -> Value {
    let body = json!({"patternType": "prefix", "prefixVariableLength": 2, "characterSet": "abc", "constantString": "shop", "tld": "test"});
    client
        .post("/campaigns/domain-generation/pattern-offset")
        .json(&body)
        .send()
        .await
        .ok(200)["currentOffset"]
        .clone()
}

#[tokio::test]
async fn a_preview_shows_the_next_names_and_takes_nothing() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let pattern = json!({"patternType": "prefix_variable", "constantString": "shop", "prefixVariableLength": 2,
        "characterSet": "abc", "tld": "test"});
    let before = position(&app).await;
    let shown = ann
        .post("/discovery/preview")
        .json(&pattern)
        .send()
        .await
        .ok(200);
    assert_eq!(shown["success"], true);
    assert_eq!(
        (
            &shown["data"]["totalCombinations"],
            &shown["data"]["nextOffset"]
        ),
        (&json!(9), &json!(0))
    );
    assert_eq!(shown["data"]["sampleDomains"][1], "abshop.test");
    assert_eq!(offset(&ann).await, 0);
    assert_eq!(position(&app).await, before, "a preview takes nothing");

    let configuration = json!({"maxDomains": 4, "patternConfig": {"constant": "shop", "prefixVariableLength": 2, "charset": "abc", "tlds": ["test"]}});
    let path = create(&ann, &with(configuration)).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    let total = crate::support::eventually("the names are generated", || async {
        let status = ann
            .get(&format!("{path}/phases/discovery/status"))
            .send()
            .await
            .ok(200);
        (status["status"] == "completed").then(|| status["progress"]["totalItems"].clone())
    })
    .await;
    assert_eq!(total, 4);
    let shown = ann
        .post("/discovery/preview")
        .json(&pattern)
        .send()
        .await
        .ok(200)["data"]
        .clone();
    assert_eq!(
        (&shown["nextOffset"], &shown["sampleDomains"][0]),
        (&json!(4), &json!("bbshop.test"))
    );
    assert_eq!(
        shown["priorCampaigns"][0]["offsetRange"],
        json!({"start": 0, "end": 4})
    );
    assert_eq!(offset(&ann).await, 4);
    // Somebody else sees how far the pattern is used up, and not by whom.
    let bob = app.user("bob").await;
    let of_bob = bob
        .post("/discovery/preview")
        .json(&pattern)
        .send()
        .await
        .ok(200)["data"]
        .clone();
    assert_eq!(
        (&of_bob["nextOffset"], &of_bob["priorCampaigns"]),
        (&json!(4), &json!([]))
    );

    for (change, field) in [
        (json!({"prefixVariableLength": 11}), "prefixVariableLength"),
        (json!({"tld": "a b"}), "tld"),
        (json!({"characterSet": ""}), "characterSet"),
        (json!({"patternType": "x"}), "patternType"),
        (json!({"more": 1}), "more"),
    ] {
        let mut body = pattern.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        ann.post("/discovery/preview")
            .json(&body)
            .send()
            .await
            .blames(400, field);
    }
    app.stop().await;
}
