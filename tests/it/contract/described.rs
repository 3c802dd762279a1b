//! What the document has to say in words, because its schemas do not: it is held against what the system knows.

use aggregates::{campaign::Phase, lead::Thresholds, scoring::Component};
use serde_json::{Value, json};

use crate::{campaigns::create, support::server::TestApp};

fn document() -> Value {
    serde_json::to_value(domainflow::http::openapi()).unwrap()
}

#[test]
fn every_answer_is_described() {
    let document = document();
    let mut silent = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let answers = operation["responses"].as_object().into_iter().flatten();
            for (status, answer) in answers {
                if answer["description"].as_str().is_none_or(str::is_empty) {
                    silent.push(format!("{method} {path} {status}"));
                }
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[tokio::test]
async fn the_components_of_a_score_are_named_where_weights_are_taken_and_where_they_are_refused() {
    let document = document();
    let weights =
        &document["components"]["schemas"]["CreateScoringProfileRequest"]["properties"]["weights"];
    let described = weights["description"].as_str().unwrap();
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let said = ann
        .post("/scoring-profiles")
        .json(&json!({"name": "x", "weights": {"charm": 1}}))
        .send()
        .await
        .says(422, "weights.charm");
    for component in Component::ALL {
        let name = component.name();
        assert!(said.contains(name), "{said}");
        let weight = component.default_weight();
        let in_short = format!("`{name}` ({weight})");
        let at_length = format!("`{name}` ({weight:.2})");
        let is_named = described.contains(&in_short) || described.contains(&at_length);
        assert!(is_named, "{at_length} in {described}");
    }
    app.stop().await;
}

#[tokio::test]
async fn every_setting_of_a_phase_is_described_with_its_default() {
    let document = document();
    let operation = "/paths/~1api~1v2~1campaigns~1{campaignId}~1phases~1{phase}~1configure/post";
    let described = document.pointer(&format!("{operation}/description"));
    let described = described.and_then(Value::as_str).unwrap();
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "shops"})).await;
    let unknown = |phase: Phase, configuration: Value| {
        ann.post(&format!("{path}/phases/{phase}/configure"))
            .json(&json!({"configuration": configuration}))
            .send()
    };
    let mut refusals = Vec::new();
    for phase in Phase::ALL {
        let answer = unknown(phase, json!({"nothing": 1})).await;
        refusals.push(answer.says(422, "configuration.nothing"));
    }
    let answer = unknown(Phase::Enrichment, json!({"thresholds": {"nothing": 1}})).await;
    refusals.push(answer.says(422, "configuration.thresholds.nothing"));
    let mut settings = 0;
    for refusal in &refusals {
        // «unknown field `nothing`, expected one of `source`, `patternType`, …»
        let (_, expected) = refusal.split_once("expected").expect(refusal);
        for setting in expected.split('`').skip(1).step_by(2) {
            let known = [format!("`{setting}`"), format!(".{setting}`")];
            assert!(
                known.iter().any(|name| described.contains(name)),
                "{setting} is not described"
            );
            settings += 1;
        }
    }
    assert!(settings > 20, "{refusals:?}");

    let defaults = Thresholds::default();
    for (threshold, default) in [
        ("matchScore", defaults.match_score.to_string()),
        ("borderlineScore", defaults.borderline_score.to_string()),
        ("parkedConfidence", defaults.parked_confidence.to_string()),
        ("minBytes", "1,024".to_owned()),
        (
            "requireStructuralSignals",
            defaults.require_structural_signals.to_string(),
        ),
    ] {
        let row = described
            .lines()
            .find(|line| line.contains(&format!("`thresholds.{threshold}`")));
        let row = row.unwrap_or_default();
        assert!(
            row.contains(&format!("{default} where absent")),
            "{threshold}: {row}"
        );
    }
    assert_eq!(defaults.min_bytes, 1_024);
    app.stop().await;
}
