//! Settings that cannot be honoured, of a campaign and of its phases: refused by their names, and nothing is stored.

use serde_json::{Value, json};

use super::{create, position, with};
use crate::support::server::TestApp;

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
            pattern(json!({"projectionEstimate": {"note": "x".repeat(16 << 10)}})),
            "configuration.patternConfig.projectionEstimate",
        ),
        (
            with(json!({"patternConfig": {"keywordSetIds": vec![nobody; 2_000]}})),
            "configuration",
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
            pattern(json!({"tlds": []})),
            "configuration.patternConfig.tlds",
        ),
        (
            pattern(json!({"prefixVariableLength": 0, "variableLength": 65})),
            "configuration.patternConfig.variableLength",
        ),
        (
            pattern(json!({"constant": "a".repeat(70)})),
            "configuration.patternConfig.constant",
        ),
        (
            pattern(json!({"charset": "-"})),
            "configuration.patternConfig.charset",
        ),
        (
            pattern(json!({"targetDomains": ["a.test"]})),
            "configuration.patternConfig.constant",
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
            of(json!({"constantString": "x", "tlds": []})),
            "configuration.tlds",
        ),
        (
            "discovery",
            of(json!({"patternType": "prefix", "prefixVariableLength": 2, "characterSet": "-"})),
            "configuration.characterSet",
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
