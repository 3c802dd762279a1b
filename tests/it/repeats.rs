//! Every command, repeated with its key by somebody who never got the answer, after everything is gone.

use std::collections::BTreeSet;

use aggregates::user::Role;
use domainflow::http;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    access::operations,
    bodies::{body_of, with_body},
    campaigns::{
        control::slow,
        reaches,
        reruns::{finished, world},
    },
    support::server::{Client, Reply, TestApp},
    typed::slow_check,
};

/// Operations that change nothing, or whose requests and answers must not be kept.
const UNKEYED: [&str; 19] = [
    "POST /api/v2/auth/setup",
    "POST /api/v2/auth/api-keys",
    "DELETE /api/v2/auth/api-keys/{keyId}",
    "DELETE /api/v2/auth/sessions",
    "DELETE /api/v2/auth/sessions/{sessionId}",
    "POST /api/v2/auth/login",
    "POST /api/v2/auth/logout",
    "POST /api/v2/auth/refresh",
    "POST /api/v2/auth/change-password",
    "POST /api/v2/change-password",
    "POST /api/v2/discovery/preview",
    // Who was erased is gone, and what was answered about him with him.
    "DELETE /api/v2/me",
    "DELETE /api/v2/users/{userId}",
    // A trial that comes again is another trial, and a check another check.
    "POST /api/v2/extract/keywords",
    "POST /api/v2/personas/{id}/test",
    "POST /api/v2/proxies/bulk/test",
    "POST /api/v2/proxies/health-check",
    "POST /api/v2/proxies/{proxyId}/health-check",
    "POST /api/v2/proxies/{proxyId}/test",
];
const OFFSET: &str = "POST /api/v2/campaigns/domain-generation/pattern-offset";

/// A command as it was given: the operation, its path and its body.
struct Given {
    operation: &'static str,
    path: String,
    body: Value,
    reply: Reply,
}

/// Gives commands, each with a key of its own, and remembers them.
struct Giver {
    client: Client,
    /// The proxy of a path that names a pool first.
    proxy: String,
    given: Vec<Given>,
    /// Operations that are first given under a version that their object is not at.
    versioned: BTreeSet<String>,
}

/// Lists the operations that take the version that was seen.
fn versioned() -> BTreeSet<String> {
    let document = serde_json::to_value(http::openapi()).unwrap();
    let takes_version = |operation: &(Method, String)| {
        let (method, path) = operation;
        let method = method.as_str().to_lowercase();
        let parameters = document["paths"][path][method]["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "If-Match"))
    };
    let operations = operations().into_iter().filter(takes_version);
    operations
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

/// Gives a command that would be carried out, under a version that its object is not at.
async fn refused_under_another_version(client: &Client, operation: &str, path: &str, body: &Value) {
    let method: Method = operation.split(' ').next().unwrap().parse().unwrap();
    let request = client
        .request(method, path)
        .header("if-match", "\"999999\"");
    let refused = with_body(request, body).send().await;
    assert_eq!(refused.status, 412, "{operation}: {}", refused.text);
}

async fn send(client: &Client, key: &str, operation: &str, path: &str, body: &Value) -> Reply {
    let method: Method = operation.split(' ').next().unwrap().parse().unwrap();
    let request = client
        .request(method, path)
        .header("x-idempotency-key", key);
    with_body(request, body).send().await
}

impl Giver {
    /// Gives a command to the object at `id`, and returns what is answered.
    async fn give(&mut self, operation: &'static str, id: &str) -> Value {
        self.give_with(operation, id, body_of(operation)).await
    }

    async fn give_with(&mut self, operation: &'static str, id: &str, body: Value) -> Value {
        let template = operation.split_once(' ').unwrap().1;
        let template = template.replace("{type}", "dns");
        let path = match template.split_once('{') {
            Some((before, rest)) => format!("{before}{id}{}", rest.split_once('}').unwrap().1),
            None => template.clone(),
        };
        let path = path.replace("{phase}", "validation");
        let path = path.replace("{proxyId}", &self.proxy);
        let mut path = path.replace("{phaseType}", "validation");
        if operation.ends_with("/suppression/upload") {
            path.push_str("?reason=given");
        }
        if self.versioned.contains(operation) {
            refused_under_another_version(&self.client, operation, &path, &body).await;
        }
        let key = format!("key-{}", self.given.len());
        let reply = send(&self.client, &key, operation, &path, &body).await;
        assert!(reply.status < 300, "{operation}: {}", reply.text);
        let answer = reply.json();
        self.given.push(Given {
            operation,
            path,
            body,
            reply,
        });
        answer
    }

    /// Makes an object, changes it and removes it.
    async fn object(&mut self, create: &'static str, change: &'static str, delete: &'static str) {
        let id = self.give(create, "").await["id"].clone();
        let id = id.as_str().unwrap();
        self.give(change, id).await;
        self.give(delete, id).await;
    }
}

/// Gives every command on proxies and pools.
async fn proxies(ann: &mut Giver) {
    let pool = ann.give("POST /api/v2/proxy-pools", "").await["id"].clone();
    let pool = pool.as_str().unwrap();
    let (create, mut proxies) = ("POST /api/v2/proxies", Vec::new());
    for _ in 0..2 {
        proxies.push(ann.give(create, "").await["id"].clone());
    }
    let add = "POST /api/v2/proxy-pools/{poolId}/proxies";
    ann.give_with(add, pool, json!({"proxyId": proxies[0]}))
        .await;
    ann.proxy = proxies[0].as_str().unwrap().to_owned();
    let remove = "DELETE /api/v2/proxy-pools/{poolId}/proxies/{proxyId}";
    ann.give(remove, pool).await;
    ann.give("PUT /api/v2/proxy-pools/{poolId}", pool).await;
    ann.give("DELETE /api/v2/proxy-pools/{poolId}", pool).await;

    let update = json!({"proxyIds": proxies, "updates": {"notes": "both"}});
    ann.give_with("PUT /api/v2/proxies/bulk/update", "", update)
        .await;
    let second = json!({"proxyIds": [proxies[1]]});
    ann.give_with("DELETE /api/v2/proxies/bulk/delete", "", second)
        .await;
    ann.object(
        create,
        "PUT /api/v2/proxies/{proxyId}",
        "DELETE /api/v2/proxies/{proxyId}",
    )
    .await;
}

/// What is told as it stands at this moment: counters, what is in the way of a restart's later phases, and what is shown
/// beside a typed campaign.
const TOLD_AS_IT_IS_NOW: [&str; 7] = [
    "totalItems",
    "progress",
    "restartErrors",
    "processedDomainsCount",
    "auditLog",
    "uploadHistory",
    "domainInputSource",
];

/// Gives every command on typed campaigns; returns the path of one whose runs may be over
/// before their answers.
async fn typed(ann: &mut Giver) -> String {
    let client = ann.client.clone();
    let made = ann.give("POST /api/v1/campaigns/{type}", "").await;
    let id = made["campaignId"].as_str().unwrap().to_owned();
    let id = id.as_str();
    ann.give("PUT /api/v1/campaigns/{type}/{campaignId}", id)
        .await;
    let upload = "POST /api/v1/campaigns/{type}/{campaignId}/upload";
    ann.give_with(upload, id, json!("good.test\nill.test\n"))
        .await;
    ann.give("POST /api/v1/campaigns/{type}/{campaignId}/start", id)
        .await;
    let path = format!("/api/v1/campaigns/dns/{id}");
    reaches(&client, &path, "completed").await;
    ann.give("POST /api/v1/campaigns/{type}/{campaignId}/retry", id)
        .await;
    reaches(&client, &path, "completed").await;

    let slow = slow_check(&client).await;
    let id = slow.rsplit('/').next().unwrap();
    client.post(&format!("{slow}/start")).send().await.ok(200);
    for operation in [
        "POST /api/v1/campaigns/{type}/{campaignId}/pause",
        "POST /api/v1/campaigns/{type}/{campaignId}/resume",
        "POST /api/v1/campaigns/{type}/{campaignId}/cancel",
    ] {
        ann.give(operation, id).await;
    }
    for path in [&slow, &path] {
        let id = path.rsplit('/').next().unwrap();
        ann.give("DELETE /api/v1/campaigns/{type}/{campaignId}", id)
            .await;
    }
    path
}

/// Leaves out what is told as it stands at this moment.
fn as_decided(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(fields) => {
            for now in TOLD_AS_IT_IS_NOW {
                fields.remove(now);
            }
            for field in fields.values_mut() {
                *field = as_decided(field.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = as_decided(item.take());
            }
        }
        _ => {}
    }
    answer
}

/// Gives every command there is; returns the campaign that takes lists, and the path of the typed campaign whose runs may
/// be over before their answers.
async fn live(ann: &mut Giver) -> (String, String) {
    let client = ann.client.clone();
    ann.object(
        "POST /api/v2/personas",
        "PUT /api/v2/personas/{id}",
        "DELETE /api/v2/personas/{id}",
    )
    .await;
    ann.object(
        "POST /api/v2/keyword-sets",
        "PUT /api/v2/keyword-sets/{setId}",
        "DELETE /api/v2/keyword-sets/{setId}",
    )
    .await;
    ann.object(
        "POST /api/v2/scoring-profiles",
        "PUT /api/v2/scoring-profiles/{profileId}",
        "DELETE /api/v2/scoring-profiles/{profileId}",
    )
    .await;

    proxies(ann).await;

    let entry = ann.give("POST /api/v2/suppression", "").await["id"].clone();
    let remove = "DELETE /api/v2/suppression/{id}";
    ann.give(remove, entry.as_str().unwrap()).await;
    ann.give("POST /api/v2/suppression/upload", "").await;

    let lists = ann.give("POST /api/v2/campaigns", "").await;
    let id = lists["id"].as_str().unwrap();
    ann.give("PUT /api/v2/campaigns/{campaignId}", id).await;
    let mode = "PUT /api/v2/campaigns/{campaignId}/mode";
    ann.give_with(mode, id, json!({"mode": "full_sequence"}))
        .await;
    for operation in [
        mode,
        "POST /api/v2/campaigns/{campaignId}/upload",
        "POST /api/v2/campaigns/{campaignId}/phases/{phase}/configure",
        "POST /api/v2/campaigns/{campaignId}/start",
    ] {
        ann.give(operation, id).await;
    }
    let lists = id.to_owned();

    let path = slow(&client).await;
    let id = path.rsplit('/').next().unwrap();
    for operation in [
        "POST /api/v2/campaigns/{campaignId}/phases/{phase}/start",
        "POST /api/v2/campaigns/{campaignId}/phases/{phase}/pause",
        "POST /api/v2/campaigns/{campaignId}/phases/{phase}/resume",
        "POST /api/v2/campaigns/{campaignId}/phases/{phase}/stop",
    ] {
        ann.give(operation, id).await;
    }
    client
        .post(&format!("{path}/phases/validation/start"))
        .send()
        .await
        .ok(200);
    ann.give("POST /api/v2/campaigns/{campaignId}/stop", id)
        .await;
    for operation in [
        "PUT /api/v2/campaigns/{campaignId}/phase-executions/{phaseType}",
        "PUT /api/v2/campaigns/{campaignId}/state",
        "DELETE /api/v2/campaigns/{campaignId}/phase-executions/{phaseType}",
    ] {
        ann.give(operation, id).await;
    }
    client
        .post(&format!("{path}/phases/validation/start"))
        .send()
        .await
        .ok(200);
    ann.give("DELETE /api/v2/campaigns/{campaignId}/state", id)
        .await;
    let finished = finished(&client).await;
    let done = finished.rsplit('/').next().unwrap();
    for operation in [
        "POST /api/v2/campaigns/{campaignId}/phases/analysis/restart",
        "POST /api/v2/campaigns/{campaignId}/retry",
        "POST /api/v2/campaigns/{campaignId}/restart",
    ] {
        ann.give(operation, done).await;
        reaches(&client, &finished, "completed").await;
    }
    let profile = json!({"name": "kept", "weights": {"freshness": 1}});
    let profile = client.post("/scoring-profiles").json(&profile).send().await;
    let profile = json!({"profileId": profile.ok(201)["id"]});
    let assign = "POST /api/v2/campaigns/{campaignId}/scoring-profile";
    ann.give_with(assign, done, profile).await;
    for operation in [
        "POST /api/v2/campaigns/{campaignId}/rescore",
        "POST /api/v2/campaigns/{campaignId}/duplicate",
    ] {
        ann.give(operation, done).await;
        reaches(&client, &finished, "completed").await;
    }
    for id in [id, &lists, done] {
        ann.give("DELETE /api/v2/campaigns/{campaignId}", id).await;
    }
    let typed = typed(ann).await;
    ann.give("PUT /api/v2/config/stealth", "").await;
    ann.give("PUT /api/v2/config/reconciliation", "").await;
    ann.give("PUT /api/v2/config/politeness", "").await;
    ann.give("PUT /api/v2/config/requests", "").await;
    (lists, typed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_is_answered_again_after_a_process_died_whatever_became_of_its_object() {
    let app = TestApp::in_sandbox(world()).await;
    let client = app.user_with_role("ann", Role::Admin).await;
    let mut ann = Giver {
        client: client.clone(),
        proxy: String::new(),
        given: Vec::new(),
        versioned: BTreeSet::new(),
    };
    let (lists, typed) = live(&mut ann).await;

    let tried: BTreeSet<String> = ann
        .given
        .iter()
        .map(|given| given.operation.to_owned())
        .collect();
    let all: BTreeSet<String> = operations()
        .into_iter()
        .filter(|(method, _)| method != Method::GET)
        .map(|(method, path)| format!("{method} {path}"))
        .filter(|operation| !UNKEYED.contains(&operation.as_str()) && operation != OFFSET)
        .collect();
    assert_eq!(tried, all);

    // As if nothing after each commit had happened.
    sqlx::query("UPDATE idempotency_keys SET status = NULL, response = NULL")
        .execute(app.app.database.pool())
        .await
        .unwrap();
    for (at, given) in ann.given.iter().enumerate() {
        let key = format!("key-{at}");
        let repeat = send(&client, &key, given.operation, &given.path, &given.body).await;
        let first = &given.reply;
        assert_eq!(
            repeat.status, first.status,
            "{}: {}",
            given.operation, repeat.text
        );
        assert_eq!(
            repeat.header("etag"),
            first.header("etag"),
            "{}",
            given.operation
        );
        // What is discovered may be there before the answer is.
        let discovers = given.path.ends_with(&format!("{lists}/start"));
        if !discovers && !given.path.starts_with(&format!("{typed}/")) {
            let (repeat, first) = (as_decided(repeat.json()), as_decided(first.json()));
            assert_eq!(repeat, first, "{}", given.operation);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_that_takes_a_version_is_refused_under_one_that_its_object_is_not_at() {
    let app = TestApp::in_sandbox(world()).await;
    let mut ann = Giver {
        client: app.user_with_role("ann", Role::Admin).await,
        proxy: String::new(),
        given: Vec::new(),
        versioned: versioned(),
    };
    live(&mut ann).await;
    let given = ann.given.iter().map(|given| given.operation.to_owned());
    let untried: Vec<&String> = {
        let given: BTreeSet<String> = given.collect();
        let versioned = ann.versioned.iter();
        versioned
            .filter(|operation| !given.contains(*operation))
            .collect()
    };
    assert_eq!(untried, Vec::<&String>::new());
    app.stop().await;
}
