//! JSON as clients write it: objects are objects, and what is wrong is said in the words of JSON.

use serde_json::{Value, json};

use crate::{
    campaigns::{create, position},
    support::server::TestApp,
};

#[tokio::test]
async fn a_list_is_nowhere_taken_for_an_object() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "shops"})).await;
    let before = position(&app).await;
    let enrichment = format!("{path}/phases/enrichment/configure");
    let refused: [(&str, Value, u16, &str); 9] = [
        ("/campaigns", json!(["evil", null, null, null]), 400, "body"),
        (
            "/campaigns",
            json!({"name": "x", "configuration": [5]}),
            422,
            "configuration",
        ),
        (
            "/campaigns",
            json!({"name": "x", "configuration": {"phases": [[true]]}}),
            422,
            "configuration.phases",
        ),
        (
            "/keyword-sets",
            json!({"name": "k", "rules": [["telecom", "string"]]}),
            400,
            "rules[0]",
        ),
        (
            "/personas",
            json!({"name": "p", "personaType": "http", "configDetails": ["http", "agent"]}),
            400,
            "configDetails",
        ),
        (
            "/scoring-profiles",
            json!(["s", {"freshness": 1}]),
            400,
            "body",
        ),
        (&enrichment, json!([{}]), 400, "body"),
        (
            &enrichment,
            json!({"configuration": {"thresholds": [0.5, true, 0.5, 1, 0.5]}}),
            422,
            "configuration.thresholds",
        ),
        (
            &enrichment,
            json!({"configuration": {}, "personaIds": [null]}),
            400,
            "personaIds",
        ),
    ];
    for (operation, body, status, field) in refused {
        ann.post(operation)
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    app.anonymous()
        .post("/auth/login")
        .json(&json!(["ann@example.com", "a long password"]))
        .send()
        .await
        .blames(400, "body");
    assert_eq!(position(&app).await, before, "nothing was stored");
    app.stop().await;
}

#[tokio::test]
async fn what_does_not_read_is_named_by_its_field_and_said_without_words_of_rust() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let with = |configuration: &str| format!(r#"{{"name":"x","configuration":{configuration}}}"#);
    let whole = "must be a whole number of at least 0";
    let refused = [
        ("null".to_owned(), 400, "body", "must be an object"),
        (r#"{"name":5}"#.to_owned(), 400, "name", "must be a text"),
        (
            r#"{"name":"x","mode":5}"#.to_owned(),
            400,
            "mode",
            "must be one of the texts",
        ),
        (
            r#"{"name":"\ud800"}"#.to_owned(),
            400,
            "name",
            "has half of a surrogate pair",
        ),
        (
            with(r#"{"maxDomains":-1}"#),
            422,
            "configuration.maxDomains",
            whole,
        ),
        (
            with(r#"{"maxDomains":1.5}"#),
            422,
            "configuration.maxDomains",
            whole,
        ),
        (
            with(r#"{"maxDomains":1e400}"#),
            400,
            "configuration.maxDomains",
            "is a number out of range",
        ),
        (
            with(r#"{"patternConfig":[]}"#),
            422,
            "configuration.patternConfig",
            "must be an object, not a list",
        ),
    ];
    for (body, status, field, message) in refused {
        let said = ann
            .post("/campaigns")
            .body("application/json", body)
            .send()
            .await
            .says(status, field);
        assert!(said.starts_with(message), "{field}: {said}");
    }
    let path = create(&ann, &json!({"name": "shops"})).await;
    let thresholds = json!({"configuration": {"thresholds": {"matchScore": 0.1}}});
    let said = ann
        .post(&format!("{path}/phases/enrichment/configure"))
        .json(&thresholds)
        .send()
        .await
        .says(422, "configuration.thresholds.borderlineScore");
    assert_eq!(said, "borderlineScore must not be greater than matchScore");
    for (query, field, message) in [
        (
            "limit=99999999999999999999",
            "limit",
            "is too great a number",
        ),
        ("limit=ten", "limit", whole),
        ("notParked=perhaps", "notParked", "must be true or false"),
    ] {
        let said = ann
            .get(&format!("{path}/domains?{query}"))
            .send()
            .await
            .says(400, field);
        assert_eq!(said, message);
    }
    app.stop().await;
}
