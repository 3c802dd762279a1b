//! What the settings of pools do that no other test sees.

use std::time::Duration;

use sandbox::{Host, ProxyScript, Site};
use serde_json::json;

use crate::{
    campaigns::{create, reaches},
    pools::pool,
    proxies::{address, id_of, made, world},
    support::server::TestApp,
    trials::http_persona,
};

/// How late the page comes.
const LATE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_has_the_time_that_the_pool_gives_it() {
    let late = Site::Delayed(LATE, Box::new(Site::Html("<h1>espresso</h1>".to_owned())));
    let world = world([ProxyScript::open()])
        .host("late.test", Host::new(Site::Status(404)).path("/", late));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let proxy = made(&ann, &json!({"name": "p", "address": address(&app, 0)})).await;
    let patient = http_persona(&ann, json!({"requestTimeoutSeconds": 60})).await;
    for (seconds, status) in [(1, "timeout"), (60, "ok")] {
        let settings = json!({"name": "pool", "timeoutSeconds": seconds, "maxRetries": 0});
        let pool = pool(&ann, settings, &[(&proxy, 1)]).await;
        let body = json!({"name": "x", "mode": "full_sequence",
            "configuration": {"patternConfig": {"targetDomains": ["late.test"]}}});
        let path = create(&ann, &body).await;
        for (phase, settings) in [
            ("validation", json!({"configuration": {}})),
            (
                "extraction",
                json!({"configuration": {"keywords": ["espresso"], "httpPersonaId": patient},
                    "proxyPoolId": id_of(&pool)}),
            ),
        ] {
            let configure = ann.post(&format!("{path}/phases/{phase}/configure"));
            configure.json(&settings).send().await.ok(200);
        }
        ann.post(&format!("{path}/start")).send().await.ok(200);
        reaches(&ann, &path, "completed").await;
        let list = ann.get(&format!("{path}/domains")).send().await.ok(200);
        let found = &list["items"][0];
        assert_eq!(found["httpStatus"], status, "{seconds} s: {found}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_a_pool_is_called_is_answered() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "europe", "description": "in Paris"});
    let made = ann.post("/proxy-pools").json(&body).send().await.ok(201);
    let path = format!("/proxy-pools/{}", made["id"].as_str().unwrap());
    let shown = ann.get(&path).send().await.ok(200);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(shown[field], *value, "{field}");
    }
    app.stop().await;
}
