//! Keyword sets and their rules through the interface.

use aggregates::campaign::{Campaign, Phase};
use domainflow::commands::pin;
use serde_json::{Value, json};

use crate::{
    campaigns::{create, shops as shops_of},
    support::server::{Client, TestApp},
};

fn shops() -> Value {
    json!({"name": "shops", "description": "where one buys", "rules": [
        {"pattern": "cart", "ruleType": "string", "category": "trade"},
        {"pattern": "\\bsale\\b", "ruleType": "regex", "isCaseSensitive": true, "contextChars": 20, "weight": 2.5},
    ]})
}

#[tokio::test]
async fn a_keyword_set_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let made = ann.post("/keyword-sets").json(&shops()).send().await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.ok(201);
    assert_eq!(made["ruleCount"], 2);
    assert_eq!(made["rules"][1]["pattern"], "\\bsale\\b");
    assert_eq!(made["rules"][1]["contextChars"], 20);
    assert_eq!(made["rules"][0]["keywordSetId"], made["id"]);
    assert!(made["rules"][0]["createdAt"].is_string());
    let path = format!("/keyword-sets/{}", made["id"].as_str().unwrap());
    assert_eq!(ann.get(&path).send().await.ok(200), made);
    assert_eq!(
        ann.get(&format!("{path}/rules")).send().await.ok(200),
        made["rules"]
    );

    // A rule that stays keeps its id; a changed one is another.
    let rules = json!({"rules": [{"pattern": "cart", "ruleType": "string"}, {"pattern": "basket", "ruleType": "string"}]});
    ann.put(&path)
        .header("if-match", "\"2\"")
        .json(&rules)
        .send()
        .await
        .ok(412);
    let changed = ann
        .put(&path)
        .header("if-match", "\"1\"")
        .json(&rules)
        .send()
        .await
        .ok(200);
    assert_eq!(changed["rules"][0]["id"], made["rules"][0]["id"]);
    assert_ne!(changed["rules"][1]["id"], made["rules"][1]["id"]);
    assert_eq!(ann.get(&path).send().await.ok(200), changed);

    let off = ann
        .put(&path)
        .json(&json!({"isEnabled": false}))
        .send()
        .await
        .ok(200);
    assert_eq!(off["isEnabled"], false);
    assert_eq!(off["rules"], changed["rules"]);
    ann.delete(&path).send().await.ok(204);
    ann.get(&path).send().await.ok(404);
    ann.get(&format!("{path}/rules")).send().await.ok(404);
    assert_eq!(ann.get("/keyword-rules").send().await.ok(200), json!([]));
    app.stop().await;
}

#[tokio::test]
async fn lists_of_sets_and_rules_answer_their_filters() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let first = ann
        .post("/keyword-sets")
        .json(&shops())
        .send()
        .await
        .ok(201);
    let second = json!({"name": "contact", "isEnabled": false, "rules": [{"pattern": "Imprint", "ruleType": "string"}]});
    ann.post("/keyword-sets").json(&second).send().await.ok(201);

    let plain = ann.get("/keyword-sets").send().await;
    assert_eq!(plain.header("x-total-count"), Some("2"));
    let plain = plain.ok(200);
    assert_eq!(
        (&plain[0]["ruleCount"], &plain[0]["rules"]),
        (&json!(2), &Value::Null)
    );
    let full = ann
        .get("/keyword-sets?includeRules=true&isEnabled=true")
        .send()
        .await
        .ok(200);
    assert_eq!(full, json!([first]));

    for most in [501, 10_000] {
        let rules = ann
            .get(&format!("/keyword-rules?limit={most}"))
            .send()
            .await;
        assert_eq!(rules.ok(200).as_array().map(Vec::len), Some(3));
    }
    let too_many = ann.get("/keyword-rules?limit=10001").send().await;
    too_many.blames(400, "limit");

    let patterns = |query: String| {
        let ann = ann.clone();
        async move {
            let found = ann
                .get(&format!("/keyword-rules?{query}"))
                .send()
                .await
                .ok(200);
            let patterns: Vec<_> = found
                .as_array()
                .unwrap()
                .iter()
                .map(|rule| rule["pattern"].as_str().unwrap().to_owned())
                .collect();
            patterns.join(" ")
        }
    };
    assert_eq!(patterns(String::new()).await, "cart \\bsale\\b Imprint");
    assert_eq!(patterns("limit=1&offset=1".to_owned()).await, "\\bsale\\b");
    assert_eq!(
        patterns(format!("keyword_set_id={}", first["id"].as_str().unwrap())).await,
        "cart \\bsale\\b"
    );
    assert_eq!(patterns("rule_type=regex".to_owned()).await, "\\bsale\\b");
    assert_eq!(patterns("category=trade".to_owned()).await, "cart");
    assert_eq!(
        patterns("is_case_sensitive=true".to_owned()).await,
        "\\bsale\\b"
    );
    assert_eq!(patterns("pattern=iMPr".to_owned()).await, "Imprint");
    let bob = app.user("bob").await;
    assert_eq!(bob.get("/keyword-rules").send().await.ok(200), json!([]));
    app.stop().await;
}

#[tokio::test]
async fn a_rule_that_cannot_be_searched_with_is_refused_by_its_place_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let rule = |rule: Value| json!({"name": "x", "rules": [{"pattern": "fine", "ruleType": "string"}, rule]});
    let cases = [
        (
            rule(json!({"pattern": "(open", "ruleType": "regex"})),
            422,
            "rules[1].pattern",
        ),
        (
            rule(json!({"pattern": "(?=x)", "ruleType": "regex"})),
            422,
            "rules[1].pattern",
        ),
        (
            rule(json!({"pattern": "", "ruleType": "string"})),
            422,
            "rules[1].pattern",
        ),
        // Nothing is left of it once a page's invisible characters are gone.
        (
            rule(json!({"pattern": "\u{200b}\u{ad}", "ruleType": "string"})),
            422,
            "rules[1].pattern",
        ),
        // More than one expression may take in a run, 512 KiB, and less than 1 MiB.
        (
            rule(json!({"pattern": "\\w{20}", "ruleType": "regex"})),
            422,
            "rules[1].pattern",
        ),
        (
            rule(json!({"pattern": "x", "ruleType": "string", "contextChars": 501})),
            422,
            "rules[1].contextChars",
        ),
        (
            rule(json!({"pattern": "x", "ruleType": "string", "contextChars": -1})),
            400,
            "rules[1].contextChars",
        ),
        (
            rule(json!({"pattern": "x", "ruleType": "glob"})),
            400,
            "rules[1].ruleType",
        ),
        (rule(json!({"pattern": "x"})), 400, "rules[1].ruleType"),
        (
            rule(json!({"pattern": 7, "ruleType": "string"})),
            400,
            "rules[1].pattern",
        ),
        (json!({"name": " "}), 422, "name"),
        (json!({"name": null}), 400, "name"),
        (json!({}), 400, "name"),
    ];
    for (body, status, field) in cases {
        ann.post("/keyword-sets")
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    assert_eq!(ann.get("/keyword-sets").send().await.ok(200), json!([]));
    app.stop().await;
}

#[tokio::test]
async fn somebody_elses_keyword_set_is_not_there() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let made = ann
        .post("/keyword-sets")
        .json(&shops())
        .send()
        .await
        .ok(201);
    let path = format!("/keyword-sets/{}", made["id"].as_str().unwrap());
    bob.get(&path).send().await.ok(404);
    bob.get(&format!("{path}/rules")).send().await.ok(404);
    bob.put(&path)
        .json(&json!({"name": "mine"}))
        .send()
        .await
        .ok(404);
    bob.delete(&path).send().await.ok(404);
    assert_eq!(ann.get(&path).send().await.ok(200), made);
    app.stop().await;
}

async fn large_set(ann: &Client, name: &str, rules: usize) -> Value {
    let rules: Vec<Value> = (0..rules)
        .map(|at| json!({"pattern": format!("{name} {at}"), "ruleType": "string"}))
        .collect();
    let body = json!({"name": name, "rules": rules});
    ann.post("/keyword-sets").json(&body).send().await.ok(201)["id"].clone()
}

#[tokio::test]
async fn sets_that_are_too_many_rules_together_are_refused_when_they_are_chosen_and_when_a_run_starts()
 {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let mut sets = vec![
        large_set(&ann, "first", 5_000).await,
        large_set(&ann, "second", 4_999).await,
    ];
    let path = create(&ann, &shops_of("abcdef")).await;
    let configure = format!("{path}/phases/extraction/configure");
    let body = |sets: &[Value]| json!({"configuration": {}, "keywordSetIds": sets});
    ann.post(&configure).json(&body(&sets)).send().await.ok(200);
    sets.push(large_set(&ann, "third", 2).await);
    ann.post(&configure)
        .json(&body(&sets))
        .send()
        .await
        .blames(422, "keywordSetIds");
    let nothing = json!({"configuration": {"keywords": ["fibre", "\u{200b}"]}});
    ann.post(&configure)
        .json(&nothing)
        .send()
        .await
        .blames(422, "configuration.keywords[1]");

    // What was fine when it was chosen has grown since.
    sets.truncate(2);
    sets.push(large_set(&ann, "fourth", 1).await);
    ann.post(&configure).json(&body(&sets)).send().await.ok(200);
    let grown = json!({"rules": [{"pattern": "a", "ruleType": "string"}, {"pattern": "b", "ruleType": "string"}]});
    let fourth = format!("/keyword-sets/{}", sets[2].as_str().unwrap());
    ann.put(&fourth).json(&grown).send().await.ok(200);
    let stream = path.trim_start_matches("/campaigns/");
    let inside = &app.app;
    let (campaign, _) = inside
        .database
        .log()
        .load::<Campaign>(stream)
        .await
        .unwrap();
    let pinned = pin::pin(
        &inside.database,
        &campaign,
        Phase::Extraction,
        &inside.defaults,
    );
    let refused = pinned.await.unwrap_err().to_string();
    assert!(
        refused.contains("keywordSetIds: 10001 keyword rules"),
        "{refused}"
    );
    let planned = json!({"name": "x", "mode": "step_by_step", "configuration":
        {"patternConfig": {"targetDomains": ["a.test"], "keywordSetIds": sets}}});
    ann.post("/campaigns")
        .json(&planned)
        .send()
        .await
        .blames(422, "configuration.patternConfig.keywordSetIds");
    app.stop().await;
}
