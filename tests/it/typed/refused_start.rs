//! A phase of a typed campaign that should start by itself and cannot.

use serde_json::{Value, json};

use super::{BASE, create, each, run};
use crate::{
    campaigns::{reaches, reruns::world},
    support::server::TestApp,
};

const DISABLED: &str = "httpPersonaId: the persona is disabled";

#[tokio::test]
async fn a_campaign_whose_next_phase_cannot_start_stands_at_error_with_the_reason_until_it_is_gone()
{
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let source = json!({"campaignName": "names", "domains": ["good.test", "plain.test"]});
    let source = create(&ann, "dns", &source).await;
    run(&ann, &source).await;
    let persona = json!({"name": "one", "personaType": "http", "configDetails": {"personaType": "http", "userAgent": "x"}});
    let persona = ann.post("/personas").json(&persona).send().await.ok(201)["id"].clone();
    let rules = json!({"name": "coffee", "rules": [{"pattern": "espresso", "ruleType": "string"}]});
    let rules = ann.post("/keyword-sets").json(&rules).send().await.ok(201)["id"].clone();
    let enable = async |enabled: bool| {
        let path = format!("/personas/{}", persona.as_str().unwrap());
        let body = json!({ "isEnabled": enabled });
        ann.put(&path).json(&body).send().await.ok(200);
    };
    let inputs = json!([source.rsplit('/').next().unwrap()]);
    let pages =
        json!({"campaignName": "pages", "inputCampaignIds": inputs, "httpPersonaId": persona});
    let mut leads = pages.clone();
    leads["keywordSetIds"] = json!([rules]);
    let made = [
        (
            "http",
            create(&ann, "http", &pages).await,
            "domains",
            "validationStatus",
        ),
        (
            "lead",
            create(&ann, "lead", &leads).await,
            "leads",
            "extractionStatus",
        ),
    ];
    enable(false).await;
    for (of, path, list, field) in &made {
        ann.post(&format!("{path}/start")).send().await.ok(200);
        let shown = reaches(&ann, path, "error").await;
        assert_eq!(shown["errorDetails"], DISABLED, "{of}");
        // The change log is a read model of its own.
        let last = crate::support::eventually("the change log says it", || async {
            let last = ann.get(path).send().await.ok(200)["auditLog"][0].clone();
            (last["action"] == "PhaseStartRefused").then_some(last)
        })
        .await;
        assert!(
            last["description"].as_str().unwrap().contains(DISABLED),
            "{last}"
        );
        let found = ann.get(&format!("{BASE}/{of}?status=error")).send().await;
        assert_eq!(found.ok(200)["total"], 1, "{of}");
        let waiting = ann.get(&format!("{path}/{list}?{field}=pending"));
        let waiting = waiting.send().await.ok(200)["items"]
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(each(&waiting, field), ["pending", "pending"], "{of}");
        ann.post(&format!("{path}/pause")).send().await.ok(409);
    }
    enable(true).await;
    for (of, path, ..) in &made {
        let done = reaches(&ann, path, "completed").await;
        assert_eq!(done.get("errorDetails"), None::<&Value>, "{of}");
    }
    app.stop().await;
}
