//! A body that is taken, for every operation that changes something: one table for the tests that try all of them.

use serde_json::{Value, json};

use crate::{campaigns::upload::form, support::server::Request};

/// Returns a body that the operation takes: a JSON object, a text for a list that is uploaded, a list of a media type and a
/// text for another, null for none.
#[track_caller]
pub fn body_of(operation: &str) -> Value {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    let path = path.trim_start_matches("/api/v2");
    match (method, path) {
        ("DELETE", "/proxies/bulk/delete") => json!({"proxyIds": [uuid::Uuid::nil()]}),
        ("DELETE", "/me") => json!({"password": "wrong password"}),
        ("GET" | "DELETE", _) => Value::Null,
        ("POST", "/personas") => json!({"name": "p", "personaType": "dns", "configDetails": {
            "resolvers": ["9.9.9.9"], "queryTimeoutSeconds": 2, "maxDomainsPerRequest": 1,
            "concurrentQueriesPerDomain": 1}}),
        ("PUT", "/personas/{id}") => json!({"name": "q"}),
        ("POST", "/extract/keywords") => json!({"items": [
            {"url": "http://shop.test/", "keywordSetId": uuid::Uuid::nil()}]}),
        ("POST", "/keyword-sets") => json!({"name": "k"}),
        ("PUT", "/keyword-sets/{setId}") => json!({"name": "l"}),
        ("POST", "/scoring-profiles") => json!({"name": "s", "weights": {"freshness": 1}}),
        ("PUT", "/scoring-profiles/{profileId}") => json!({"name": "t"}),
        ("POST", "/proxies") => json!({"name": "p", "address": "proxy.example:3128"}),
        ("PUT", "/proxies/{proxyId}") => json!({"name": "q"}),
        ("PUT", "/proxies/bulk/update") => {
            json!({"proxyIds": [uuid::Uuid::nil()], "updates": {"notes": "n"}})
        }
        ("POST", "/proxies/bulk/test") => json!({"proxyIds": [uuid::Uuid::nil()]}),
        ("POST", "/auth/api-keys") => json!({"name": "k", "scope": "read"}),
        ("POST", "/auth/logout" | "/auth/refresh") => Value::Null,
        // Taken as far as who asks matters, and then refused for what it says.
        ("POST", "/personas/{id}/test") => json!({"target": "no domain"}),
        ("POST", "/auth/change-password" | "/change-password") => {
            json!({"oldPassword": "wrong password", "newPassword": "another horse"})
        }
        (
            "POST",
            "/auth/login"
            | "/auth/setup"
            | "/discovery/preview"
            | "/campaigns/domain-generation/pattern-offset",
        ) => {
            json!({})
        }
        ("POST", "/proxies/health-check") => json!({}),
        ("POST", "/proxies/{proxyId}/test" | "/proxies/{proxyId}/health-check") => Value::Null,
        ("POST", "/proxy-pools") => json!({"name": "pool"}),
        ("PUT", "/proxy-pools/{poolId}") => json!({"name": "other pool"}),
        ("POST", "/proxy-pools/{poolId}/proxies") => json!({"proxyId": uuid::Uuid::nil()}),
        ("PUT", "/config/reconciliation") => json!({"intervalMinutes": 720}),
        ("PUT", "/config/politeness") => json!({"requestsPerSecond": 1000}),
        ("PUT", "/config/requests") => json!({"requestsPerSecond": 0}),
        ("PUT", "/config/stealth") => json!({"enabled": true}),
        ("POST", "/suppression") => {
            json!({"kind": "domain", "value": "left-alone.test", "reason": "asked for it"})
        }
        ("POST", "/suppression/upload") => json!(["text/plain", "one.test\ntwo.test\n"]),
        ("POST", "/campaigns") => json!({"name": "lists"}),
        ("PUT", "/campaigns/{campaignId}") => json!({"name": "others"}),
        ("PUT", "/campaigns/{campaignId}/state") => json!({"currentState": "paused"}),
        ("PUT", "/campaigns/{campaignId}/phase-executions/{phaseType}") => {
            json!({"status": "in_progress"})
        }
        ("PUT", "/campaigns/{campaignId}/mode") => json!({"mode": "step_by_step"}),
        (
            "POST",
            "/campaigns/{campaignId}/upload" | "/api/v1/campaigns/{type}/{campaignId}/upload",
        ) => {
            json!("a.test\nb.test\n")
        }
        ("POST", "/api/v1/campaigns/{type}") => json!({"campaignName": "lists"}),
        ("PUT", "/api/v1/campaigns/{type}/{campaignId}") => json!({"campaignName": "others"}),
        ("POST", "/campaigns/{campaignId}/phases/{phase}/configure") => {
            json!({"configuration": {}})
        }
        ("POST", path)
            if [
                "/start",
                "/pause",
                "/resume",
                "/stop",
                "/cancel",
                "/restart",
                "/retry",
                "/duplicate",
            ]
            .iter()
            .any(|end| path.ends_with(end)) =>
        {
            Value::Null
        }
        ("POST", "/campaigns/{campaignId}/rescore") => json!({}),
        ("POST", "/campaigns/{campaignId}/scoring-profile") => {
            json!({"profileId": uuid::Uuid::nil()})
        }
        _ => panic!("{operation} has no body here"),
    }
}

/// Puts a body of the table into a request.
pub fn with_body(request: Request, body: &Value) -> Request {
    match body {
        Value::Null => request,
        Value::Array(typed) => {
            let texts: Vec<&str> = typed.iter().filter_map(Value::as_str).collect();
            let [kind, text] = texts.as_slice() else {
                panic!("{body} is no media type with its text")
            };
            request.body(kind, (*text).to_owned())
        }
        Value::String(list) => {
            let (kind, body) = form("list.txt", list);
            request.body(&kind, body)
        }
        body => request.json(body),
    }
}
