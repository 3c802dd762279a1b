//! Checks that really connect, and what they change.

use std::collections::BTreeSet;

use sandbox::{ProxyFault, ProxyScript};
use serde_json::{Value, json};

use super::{PASSWORD, address, id_of, made, world};
use crate::{sse::client::Stream, support::server::TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_connect_by_every_protocol_and_say_what_is_wrong() {
    let scripts = [
        ProxyScript::open(),
        ProxyScript::faulty(ProxyFault::Unavailable),
        ProxyScript::faulty(ProxyFault::Reset),
    ];
    let app = TestApp::in_sandbox(world(scripts)).await;
    let ann = app.user("ann").await;
    let mut good = Vec::new();
    for protocol in ["http", "https", "socks5", "socks4"] {
        let body = json!({"name": protocol, "protocol": protocol, "address": address(&app, 0)});
        good.push(made(&ann, &body).await);
    }
    let mut bad = Vec::new();
    for (name, address) in [
        ("unavailable", address(&app, 1)),
        ("reset", address(&app, 2)),
        ("nobody", "127.0.0.1:9".to_owned()),
    ] {
        bad.push(made(&ann, &json!({"name": name, "address": address})).await);
    }
    let ids: Vec<&str> = good.iter().chain(&bad).map(|path| id_of(path)).collect();
    let body = json!({"proxyIds": ids});
    let tested = ann
        .post("/proxies/bulk/test")
        .json(&body)
        .send()
        .await
        .ok(200);
    assert_eq!(
        (
            &tested["totalRequested"],
            &tested["successCount"],
            &tested["errorCount"]
        ),
        (&json!(7), &json!(4), &json!(3)),
        "{tested}"
    );
    for (at, result) in tested["results"].as_array().unwrap().iter().enumerate() {
        assert_eq!(result["proxyId"], ids[at]);
        assert_eq!(result["success"], at < good.len(), "{result}");
        assert_eq!(result.get("error").is_none(), at < good.len(), "{result}");
        assert!(result["responseTime"].is_number(), "{result}");
    }
    let checked = ann
        .post("/proxies/health-check")
        .json(&json!({}))
        .send()
        .await
        .ok(202);
    assert_eq!(checked["totalProxies"], 7);
    assert_eq!(checked["healthyProxies"], 4, "{checked}");
    let one = ann
        .post(&format!("{}/health-check", bad[2]))
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&one["success"], &one["status"]),
        (&json!(false), &json!("unhealthy"))
    );
    assert!(
        one["message"].as_str().unwrap().starts_with("proxy_"),
        "{one}"
    );
    let healthy = ann.get("/proxies?isHealthy=true").send().await;
    assert_eq!(healthy.header("x-total-count"), Some("4"));
    let statuses = ann.get("/proxies/status").send().await.ok(200);
    let unhealthy = |status: &&Value| status["status"] == "unhealthy";
    let statuses = statuses.as_array().unwrap();
    assert_eq!(statuses.iter().filter(unhealthy).count(), 3, "{statuses:?}");
    assert!(app.sandbox.as_ref().unwrap().proxy_tunnels(0) >= 8);

    // Only what is other than before is in the log, however often was looked.
    let changes: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'HealthChanged'")
            .fetch_one(app.app.database.pool())
            .await
            .unwrap();
    assert_eq!(changes, 7);
    app.stop().await;
}

#[tokio::test]
async fn without_a_page_of_the_operators_nothing_is_checked_and_that_is_said() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = made(&ann, &json!({"name": "p", "address": "proxy.example:80"})).await;
    let setting = "DOMAINFLOW_PROXY_CHECK_URL";
    for of in ["test", "health-check"] {
        let refused = ann.post(&format!("{path}/{of}")).send().await;
        refused.blames(422, setting);
    }
    let ids = json!({"proxyIds": [id_of(&path)]});
    ann.post("/proxies/bulk/test")
        .json(&ids)
        .send()
        .await
        .blames(422, setting);
    let pool = json!({"name": "pool", "healthCheckEnabled": true});
    ann.post("/proxy-pools")
        .json(&pool)
        .send()
        .await
        .blames(422, "healthCheckEnabled");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_health_is_told_to_its_owner_and_to_nobody_else() {
    let script = ProxyScript::open().credentials("ann", PASSWORD);
    let app = TestApp::in_sandbox(world([script])).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = made(&ann, &json!({"name": "p", "address": address(&app, 0)})).await;
    let mut anns = Stream::open(&ann, "/sse/events", None).await;
    let mut bobs = Stream::open(&bob, "/sse/events", None).await;
    let checked = async || {
        let check = ann.post(&format!("{path}/health-check"));
        check.send().await.ok(200)["status"].clone()
    };
    assert_eq!(checked().await, "unhealthy");
    assert_eq!(checked().await, "unhealthy");
    let login = json!({"username": "ann", "password": PASSWORD});
    ann.put(&path).json(&login).send().await.ok(200);
    assert_eq!(checked().await, "healthy");
    let told = anns
        .until(|message| message.payload()["isHealthy"] == true)
        .await;
    let told: Vec<_> = told
        .iter()
        .filter(|message| message.kind == "proxy_health_changed")
        .map(|message| message.payload().clone())
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0]["proxyId"], id_of(&path));
    assert_eq!(told[0]["reason"], "proxy_auth_required");
    assert!(
        !told
            .iter()
            .any(|payload| payload.to_string().contains(PASSWORD))
    );

    // Whatever comes to bob is his own.
    bob.post("/keyword-sets")
        .json(&json!({"name": "w"}))
        .send()
        .await
        .ok(201);
    let heard = bobs
        .until(|message| message.kind == "keyword_set_created")
        .await;
    let kinds: BTreeSet<_> = heard.iter().map(|message| message.kind.as_str()).collect();
    assert!(!kinds.contains("proxy_health_changed"), "{kinds:?}");
    app.stop().await;
}
