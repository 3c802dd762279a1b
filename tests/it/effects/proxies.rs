//! What a change of each field of a proxy does to how it is spoken to.

use sandbox::{ProxyFault, ProxyScript};
use serde_json::{Value, json};

use crate::{
    campaigns::create,
    pools::pool,
    proxies::{address, id_of, made, world},
    support::server::{Client, TestApp},
};

/// What goes wrong when a proxy is tested; nothing where a page comes.
async fn fault(ann: &Client, path: &str) -> String {
    let tested = ann.post(&format!("{path}/test")).send().await.ok(200);
    let error = tested["error"].as_str().unwrap_or_default();
    error.split(':').next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_is_spoken_to_as_it_was_changed() {
    let scripts = [
        ProxyScript::faulty(ProxyFault::Reply(1)),
        ProxyScript::open().credentials("ann", "secret"),
    ];
    let app = TestApp::in_sandbox(world(scripts)).await;
    let ann = app.user("ann").await;
    let path = made(&ann, &json!({"name": "p", "address": address(&app, 0)})).await;
    // The first answers HTTP and SOCKS each in its own way, the second wants to know who asks.
    let by_http = fault(&ann, &path).await;
    for (change, expected) in [
        (json!({"protocol": "socks5"}), "socks_failure"),
        (json!({"protocol": "http"}), &*by_http),
        (json!({"address": address(&app, 1)}), "proxy_auth_required"),
        (json!({"username": "ann"}), "proxy_credentials"),
        (json!({"password": "secret"}), ""),
        (json!({"username": "bob"}), "proxy_credentials"),
    ] {
        ann.put(&path).json(&change).send().await.ok(200);
        assert_eq!(fault(&ann, &path).await, expected, "{change}");
    }
    let shown = json!({"name": "q", "description": "d", "countryCode": "FR", "notes": "n"});
    let changed = ann.put(&path).json(&shown).send().await.ok(200);
    for (field, value) in shown.as_object().unwrap() {
        assert_eq!(changed[field], *value, "{field}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_proxy_that_is_switched_off_is_used_by_no_pool_until_it_is_switched_on() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "p", "address": "proxy.example:80", "isEnabled": false});
    let proxy = made(&ann, &body).await;
    let pool = pool(&ann, json!({"name": "pool"}), &[(&proxy, 1)]).await;
    let path = create(&ann, &json!({"name": "x"})).await;
    let configured = async || {
        let configure = ann.post(&format!("{path}/phases/extraction/configure"));
        let settings: Value = json!({"configuration": {}, "proxyPoolId": id_of(&pool)});
        configure.json(&settings).send().await
    };
    configured().await.blames(422, "proxyPoolId");
    ann.put(&proxy)
        .json(&json!({"isEnabled": true}))
        .send()
        .await
        .ok(200);
    configured().await.ok(200);
    ann.put(&proxy)
        .json(&json!({"isEnabled": false}))
        .send()
        .await
        .ok(200);
    configured().await.blames(422, "proxyPoolId");
    app.stop().await;
}
