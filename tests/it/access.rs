//! What holds for every operation: it needs a user, and whatever goes wrong is answered in the envelope.

use std::collections::BTreeSet;

use aggregates::user::Role;
use domainflow::http;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    bodies::{body_of, with_body},
    support::server::TestApp,
};

/// The operations that need no user; everything else does.
const PUBLIC: [&str; 6] = [
    "GET /api/v2/health",
    "GET /api/v2/health/ready",
    "GET /api/v2/health/live",
    "GET /api/v2/ping",
    "POST /api/v2/auth/login",
    "POST /api/v2/auth/setup",
];

/// Lists the operations of the document, as method and path.
pub fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(http::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            if let Ok(method) = method.to_uppercase().parse() {
                operations.push((method, path.clone()));
            }
        }
    }
    operations
}

/// Lists the references in a document.
fn references(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value.as_str()) {
                ("$ref", Some(reference)) => vec![reference.to_owned()],
                _ => references(value),
            })
            .collect(),
        serde_json::Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Fills the parameters of a path.
pub fn filled(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        parts.push(match part {
            "{phase}" | "{phaseType}" => "validation".to_owned(),
            "{domain}" => "example.com".to_owned(),
            "{position}" => "4000000000".to_owned(),
            "{type}" if path.ends_with("/leads") => "lead".to_owned(),
            "{type}" => "dns".to_owned(),
            part if part.starts_with('{') => Uuid::now_v7().to_string(),
            part => part.to_owned(),
        });
    }
    parts.join("/")
}

#[tokio::test]
async fn every_operation_but_the_public_ones_refuses_strangers() {
    let app = TestApp::start().await;
    let operations = operations();
    assert!(operations.len() > 20, "{}", operations.len());
    let mut open = BTreeSet::new();
    for (method, path) in &operations {
        let reply = app
            .anonymous()
            .request(method.clone(), &filled(path))
            .header("x-requested-with", "XMLHttpRequest")
            .json(&json!({}))
            .send()
            .await;
        let body = reply.json();
        let code = body.pointer("/error/code").unwrap_or_else(|| &body["code"]);
        if reply.status == 401 && code == "UNAUTHORIZED" {
            continue;
        }
        open.insert(format!("{method} {path}"));
    }
    assert_eq!(
        open,
        PUBLIC
            .iter()
            .map(|&operation| operation.to_owned())
            .collect()
    );
    app.stop().await;
}

#[tokio::test]
async fn an_object_that_is_not_there_is_404_for_every_operation_on_it_by_its_parameter() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let mut tried = BTreeSet::new();
    for (method, path) in operations() {
        // A type of campaign is no object.
        let parameters = path.split(['{', '}']).skip(1).step_by(2);
        let Some(parameter) = parameters.into_iter().find(|name| *name != "type") else {
            continue;
        };
        let body = body_of(&format!("{method} {path}"));
        let request = admin.request(method.clone(), &filled(&path));
        with_body(request, &body)
            .send()
            .await
            .blames(404, parameter);
        tried.insert(method.to_string());
    }
    let methods = ["DELETE", "GET", "POST", "PUT"].map(str::to_owned);
    assert_eq!(tried, methods.into());
    app.stop().await;
}

#[tokio::test]
async fn a_query_parameter_that_an_operation_does_not_know_is_refused_by_its_name() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let mut tried = 0;
    for (method, path) in operations() {
        let request = admin.request(method, &format!("{}?persona_type=dns", filled(&path)));
        let reply = request.json(&json!({})).send().await;
        reply.blames(400, "persona_type");
        tried += 1;
    }
    assert!(tried > 90, "{tried}");
    app.stop().await;
}

#[tokio::test]
async fn a_body_that_an_operation_does_not_take_is_refused_unless_it_says_nothing() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let document = serde_json::to_value(http::openapi()).unwrap();
    let mut tried = BTreeSet::new();
    for (method, path) in operations() {
        let operation = &document["paths"][&path][method.as_str().to_lowercase()];
        if !operation["requestBody"].is_null() {
            continue;
        }
        let send = async |body: &'static str| {
            let request = admin.request(method.clone(), &filled(&path));
            request.body("application/json", body).send().await
        };
        send(r#"{"name": "heeded?"}"#).await.blames(400, "body");
        if path.contains("{campaignId}") {
            for nothing in ["", " {} ", "null"] {
                send(nothing).await.blames(404, "campaignId");
            }
        }
        tried.insert(method.to_string());
    }
    let methods = ["DELETE", "GET", "POST"].map(str::to_owned);
    assert_eq!(tried, methods.into());
    app.stop().await;
}

#[tokio::test]
async fn whatever_goes_wrong_is_answered_in_the_envelope_with_the_requests_id() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let unknown = ann
        .get("/nothing/here")
        .header("x-request-id", "mine-1")
        .send()
        .await;
    assert_eq!(unknown.header("x-request-id"), Some("mine-1"));
    let body = unknown.ok(404);
    assert_eq!(body["requestId"], "mine-1");
    assert_eq!(body["success"], false);
    assert_eq!(body["error"]["code"], "NOT_FOUND");
    assert_eq!(body["error"]["path"], "/api/v2/nothing/here");
    assert!(body["error"]["timestamp"].is_string());
    assert_eq!(
        body["error"]["details"],
        json!([{"field": "path", "code": "NOT_FOUND", "message": "no such resource"}])
    );

    let unusable = ann
        .get("/nothing")
        .header("x-request-id", "a\"b")
        .send()
        .await;
    let id = unusable.header("x-request-id").unwrap().to_owned();
    assert!(Uuid::parse_str(&id).is_ok());
    assert_eq!(unusable.ok(404)["requestId"], id);

    ann.request(Method::PATCH, "/personas").send().await.ok(405);
    ann.get("/personas/not-a-uuid")
        .send()
        .await
        .blames(400, "id");
    ann.get("/keyword-sets/1").send().await.blames(400, "setId");
    ann.get("/personas?limit=0")
        .send()
        .await
        .blames(400, "limit");
    ann.get("/personas?limit=501")
        .send()
        .await
        .blames(400, "limit");
    ann.get("/personas?limit=many")
        .send()
        .await
        .blames(400, "limit");
    ann.get("/personas?offset=-1")
        .send()
        .await
        .blames(400, "offset");
    ann.get("/personas?personaType=ftp")
        .send()
        .await
        .blames(400, "personaType");
    ann.get("/personas?isEnabled=maybe")
        .send()
        .await
        .blames(400, "isEnabled");
    ann.get("/keyword-rules?rule_type=glob")
        .send()
        .await
        .blames(400, "rule_type");
    ann.get("/personas")
        .header("x-read-after", "soon")
        .send()
        .await
        .blames(400, "X-Read-After");
    ann.post("/personas")
        .body("text/plain", "{}")
        .send()
        .await
        .blames(415, "Content-Type");
    ann.post("/personas")
        .body("application/json", "{\"name\":")
        .send()
        .await
        .blames(400, "body");
    ann.post("/personas")
        .body("application/json", vec![b' '; 3 << 20])
        .send()
        .await
        .blames_size("body", 2 << 20);
    ann.post("/personas")
        .body("application/json", b"\xff\xfe".to_vec())
        .send()
        .await
        .blames(400, "body");
    app.stop().await;
}

#[tokio::test]
async fn the_document_and_its_page_are_served_from_here_and_name_no_other_host() {
    let app = TestApp::start().await;
    let document = app.anonymous().get("/openapi.json").send().await.ok(200);
    assert!(document["paths"]["/api/v2/personas/{id}"]["put"]["security"].is_array());
    assert!(document["paths"]["/api/v2/auth/login"]["post"]["security"].is_null());
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(
                names.insert(id),
                "{method} {path} has the name of another operation"
            );
            assert!(
                operation["summary"].is_string(),
                "{method} {path} has no summary"
            );
        }
    }
    for reference in references(&document) {
        let schema = document.pointer(reference.trim_start_matches('#'));
        assert!(schema.is_some(), "{reference} leads nowhere");
    }
    let mut browser = app.anonymous();
    browser.base = app.base.replace("/api/v2", "");
    let root = browser.get("/").send().await;
    assert_eq!(
        (root.status, root.header("location")),
        (307, Some("/api/v2/docs"))
    );
    let page = app.anonymous().get("/docs/").send().await;
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("https://"), "{}", page.text);
    let script = app
        .anonymous()
        .get("/docs/swagger-ui-bundle.js")
        .send()
        .await;
    assert_eq!(script.status, 200);
    app.stop().await;
}

#[tokio::test]
async fn health_and_ping_answer_anybody() {
    let app = TestApp::start().await;
    for path in ["/health", "/health/ready", "/health/live"] {
        let body = app.anonymous().get(path).send().await.ok(200);
        assert_eq!(body["status"], "ok");
        assert!(
            body["uptime"].is_string()
                && body["version"].is_string()
                && body["timestamp"].is_string()
        );
    }
    assert_eq!(
        app.anonymous().get("/ping").send().await.ok(200)["message"],
        "pong"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_query_waits_for_the_cursor_that_it_names_and_says_when_it_gave_up() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let made = ann
        .post("/keyword-sets")
        .json(&json!({"name": "words"}))
        .send()
        .await;
    let cursor = made.header("x-event-cursor").expect("a cursor").to_owned();
    assert!(made.header("x-projection-lag").is_none());
    made.ok(201);
    let other = app.another_node().await;
    let seen = ann
        .at(&other)
        .get("/keyword-sets")
        .header("x-read-after", &cursor)
        .send()
        .await;
    assert!(seen.header("x-projection-lag").is_none());
    assert_eq!(seen.ok(200).as_array().unwrap().len(), 1);
    let ahead = cursor.parse::<u64>().unwrap() + 1000;
    let late = ann
        .get("/keyword-sets")
        .header("x-read-after", ahead)
        .send()
        .await;
    assert!(
        late.header("x-projection-lag")
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1000
    );
    late.ok(200);
    other.stop().await;
    app.stop().await;
}

#[tokio::test]
async fn no_operation_shows_or_changes_what_belongs_to_somebody_else() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut objects = Vec::new();
    for path in [
        "/personas",
        "/proxies",
        "/proxy-pools",
        "/keyword-sets",
        "/scoring-profiles",
        "/campaigns",
    ] {
        let body = body_of(&format!("POST /api/v2{path}"));
        let made = ann.post(path).json(&body).send().await.ok(201);
        let id = made["id"].as_str().unwrap().to_owned();
        objects.push((format!("{path}/"), id));
    }
    let events = "SELECT count(*) FROM events";
    let before: i64 = sqlx::query_scalar(events)
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    let mut tried = 0;
    for (method, path) in operations() {
        let owned = objects.iter().find(|(prefix, _)| path.contains(prefix));
        let (Some((_, id)), Some((before, rest))) = (owned, path.split_once('{')) else {
            continue;
        };
        let (parameter, after) = rest.split_once('}').unwrap();
        let body = body_of(&format!("{method} {path}"));
        let request = bob.request(method, &filled(&format!("{before}{id}{after}")));
        // Nothing but whose it is stands in the way.
        with_body(request, &body)
            .send()
            .await
            .blames(404, parameter);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
    let after: i64 = sqlx::query_scalar(events)
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(after, before);
    app.stop().await;
}

#[tokio::test]
async fn a_description_may_be_as_long_for_one_kind_of_object_as_for_another() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    for path in [
        "/personas",
        "/proxies",
        "/proxy-pools",
        "/keyword-sets",
        "/scoring-profiles",
        "/campaigns",
    ] {
        let mut body = body_of(&format!("POST /api/v2{path}"));
        body["description"] = json!("ä".repeat(10_001));
        let refused = ann.post(path).json(&body).send().await;
        refused.blames(422, "description");
        body["description"] = json!("ä".repeat(10_000));
        ann.post(path).json(&body).send().await.ok(201);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_character_that_no_read_model_can_keep_is_refused_and_stops_nothing() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    ann.post("/keyword-sets")
        .json(&json!({"name": "a\0b"}))
        .send()
        .await
        .blames(400, "name");
    let rules =
        json!([{"pattern": "x", "ruleType": "string"}, {"pattern": "x\0", "ruleType": "string"}]);
    ann.post("/keyword-sets")
        .json(&json!({"name": "a", "rules": rules}))
        .send()
        .await
        .blames(400, "rules[1].pattern");
    let weights = json!({"name": "a", "weights": {"fresh\0ness": 1}});
    ann.post("/scoring-profiles")
        .json(&weights)
        .send()
        .await
        .blames(400, "weights.fresh\\u0000ness");
    let headers = json!({"name": "a", "personaType": "http", "configDetails": {"userAgent": "x", "headers": {"A": "\0"}}});
    ann.post("/personas")
        .json(&headers)
        .send()
        .await
        .blames(400, "configDetails.headers.A");
    ann.post("/campaigns")
        .json(&json!({"name": "a\0b"}))
        .send()
        .await
        .blames(400, "name");
    ann.get("/keyword-rules?pattern=%00")
        .send()
        .await
        .blames(400, "pattern");
    let name = format!("/campaigns/{}/domains/%00/history", Uuid::now_v7());
    ann.get(&name).send().await.blames(400, "domain");
    let login = json!({"email": "a\0@example.com", "password": "x"});
    app.anonymous()
        .post("/auth/login")
        .json(&login)
        .send()
        .await
        .blames(400, "email");
    let halted: Vec<String> =
        sqlx::query_scalar("SELECT name FROM projection_checkpoints WHERE halted IS NOT NULL")
            .fetch_all(app.app.database.pool())
            .await
            .unwrap();
    assert!(halted.is_empty(), "{halted:?}");
    app.stop().await;
}

#[tokio::test]
async fn the_page_of_the_interface_shows_the_campaign_by_hand_of_the_readme() {
    let app = TestApp::start().await;
    let document = app.anonymous().get("/openapi.json").send().await.ok(200);
    let said = document["info"]["description"].as_str().expect("a text");
    let by_hand = said.split("```bash\n").nth(1).expect("commands");
    let by_hand = by_hand.split("\n```").next().expect("their end");
    assert!(by_hand.contains("/campaigns/$campaign/start"), "{by_hand}");
    assert!(include_str!("../../README.md").contains(by_hand));
    app.stop().await;
}
