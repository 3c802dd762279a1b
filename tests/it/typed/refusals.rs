//! What typed campaigns do not take: a refusal that names the field, and nothing stored.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{BASE, create};
use crate::support::server::TestApp;

#[tokio::test]
async fn a_setting_that_cannot_be_honoured_is_refused_by_its_name() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let bobs = create(&bob, "dns", &json!({"campaignName": "his"})).await;
    let bobs = bobs.rsplit('/').next().unwrap();
    let unknown = Uuid::now_v7();
    let pattern = |field: &str, value: Value| {
        let mut body = json!({"campaignName": "x", "constantPart": "shop", "prefixVariableLength": 1, "charSet": "ab"});
        body[field] = value;
        body
    };
    let named = |field: &str, value: Value| {
        let mut body = json!({"campaignName": "x"});
        body[field] = value;
        body
    };
    let refused = [
        ("dns", json!({}), 400, "campaignName"),
        ("dns", named("campaignName", json!(5)), 400, "campaignName"),
        ("dns", named("campaignName", json!("")), 422, "campaignName"),
        (
            "dns",
            named("description", json!("x".repeat(10_001))),
            422,
            "description",
        ),
        (
            "dns",
            named("notes", json!("x".repeat(10_001))),
            422,
            "notes",
        ),
        ("dns", named("tags", json!(["a", "a"])), 422, "tags"),
        ("dns", named("tags", json!("a")), 400, "tags"),
        ("dns", named("colour", json!("red")), 422, "colour"),
        ("dns", named("domains", json!([])), 422, "domains"),
        (
            "dns",
            named("domains", json!(["a.test", "-x.test"])),
            422,
            "domains[1]",
        ),
        ("dns", named("sourceMode", json!("direct")), 422, "domains"),
        (
            "dns",
            named("sourceMode", json!("campaigns")),
            422,
            "sourceMode",
        ),
        (
            "dns",
            named("sourceMode", json!("pigeon")),
            422,
            "sourceMode",
        ),
        (
            "dns",
            named("inputCampaignIds", json!([])),
            422,
            "inputCampaignIds",
        ),
        (
            "dns",
            named("inputCampaignIds", json!([unknown, unknown])),
            422,
            "inputCampaignIds[1]",
        ),
        (
            "dns",
            named("inputCampaignIds", json!([unknown])),
            422,
            "inputCampaignIds",
        ),
        (
            "dns",
            named("inputCampaignIds", json!([bobs])),
            422,
            "inputCampaignIds",
        ),
        (
            "dns",
            named("dnsPersonaId", json!("mine")),
            422,
            "dnsPersonaId",
        ),
        (
            "dns",
            named("dnsPersonaId", json!(unknown)),
            422,
            "dnsPersonaId",
        ),
        (
            "dns",
            named("httpPersonaId", json!("default")),
            422,
            "httpPersonaId",
        ),
        (
            "dns",
            named("recordTypes", json!(["MX", "PTR"])),
            422,
            "recordTypes[1]",
        ),
        (
            "dns",
            named("proxyAssignmentId", json!(unknown)),
            422,
            "proxyAssignmentId",
        ),
        (
            "http",
            named("httpPersonaId", json!(unknown)),
            422,
            "httpPersonaId",
        ),
        (
            "lead",
            json!({"campaignName": "x"}),
            422,
            "inputCampaignIds",
        ),
        (
            "lead",
            json!({"campaignName": "x", "inputCampaignIds": [bobs]}),
            422,
            "inputCampaignIds",
        ),
        (
            "generation",
            json!({"campaignName": "x", "pattern": "middle"}),
            422,
            "pattern",
        ),
        (
            "generation",
            pattern("constantPart", json!("a_b")),
            422,
            "constantPart",
        ),
        (
            "generation",
            pattern("prefixVariableLength", json!(65)),
            422,
            "prefixVariableLength",
        ),
        ("generation", pattern("charSet", json!("")), 422, "charSet"),
        (
            "generation",
            pattern("tlds", json!(["com", "1"])),
            422,
            "tlds[1]",
        ),
        (
            "generation",
            pattern("targetDomainsToGenerate", json!(0)),
            422,
            "targetDomainsToGenerate",
        ),
        (
            "generation",
            pattern("generationStrategy", json!("magic")),
            422,
            "generationStrategy",
        ),
        (
            "generation",
            pattern("generationStrategy", json!("dictionary")),
            422,
            "dictionary",
        ),
        (
            "generation",
            pattern("dictionary", json!(["a"])),
            422,
            "dictionary",
        ),
        (
            "generation",
            pattern("enforceUniqueness", json!(false)),
            422,
            "enforceUniqueness",
        ),
        (
            "generation",
            pattern("resumeFlag", json!(false)),
            422,
            "resumeFlag",
        ),
    ];
    for (of, body, status, field) in refused {
        let reply = ann.post(&format!("{BASE}/{of}")).json(&body).send().await;
        assert_eq!(reply.status, status, "{of} {body} {}", reply.text);
        reply.blames(status, field);
    }
    for of in ["generation", "dns", "http", "lead"] {
        let list = ann.get(&format!("{BASE}/{of}")).send().await.ok(200);
        assert_eq!(list["total"], 0, "{of}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_campaign_is_found_below_its_own_type_by_its_owner_alone() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = create(
        &ann,
        "dns",
        &json!({"campaignName": "hers", "domains": ["a.test"]}),
    )
    .await;
    let id = path.rsplit('/').next().unwrap();
    bob.get(&path).send().await.blames(404, "campaignId");
    for wrong in ["http", "generation", "lead"] {
        let elsewhere = ann.get(&format!("{BASE}/{wrong}/{id}")).send().await;
        elsewhere.blames(404, "campaignId");
    }
    for unknown in ["full", "ftp"] {
        let elsewhere = ann.get(&format!("{BASE}/{unknown}/{id}")).send().await;
        elsewhere.blames(404, "type");
    }
    let generation = json!({"campaignName": "x", "constantPart": "shop", "prefixVariableLength": 1, "charSet": "ab"});
    let generation = create(&ann, "generation", &generation).await;
    for (path, field) in [
        (format!("{generation}/retry"), "type"),
        (format!("{generation}/upload"), "type"),
    ] {
        ann.post(&path).send().await.blames(404, field);
    }
    ann.get(&format!("{path}/leads"))
        .send()
        .await
        .blames(404, "type");
    let status = ann.get(&format!("{generation}/domains?validationStatus=done"));
    status.send().await.blames(422, "validationStatus");
    let word = ann.get(&format!("{path}/domains?validationStatus=busy"));
    word.send().await.blames(400, "validationStatus");
    app.stop().await;
}
