//! Workers whose slots a campaign holds for long, and what becomes of everybody else's.

use std::time::Duration;

use sandbox::World;
use serde_json::{Value, json};

use super::{configure, create, discovered, reaches, shops};
use crate::support::{
    eventually,
    server::{Client, TestApp},
};

/// Starts the validation of a campaign of twenty names and as many orders, at a pace of a question in a hundred seconds.
async fn crawling(app: &TestApp, client: &Client) -> String {
    let resolver = app.sandbox.as_ref().expect("a sandbox").dns_addr();
    let persona = json!({"name": "crawls", "personaType": "dns", "configDetails": {"personaType": "dns",
        "resolvers": [resolver.to_string()], "queryTimeoutSeconds": 1, "maxDomainsPerRequest": 1,
        "concurrentQueriesPerDomain": 1, "rateLimitDps": 0.01}});
    let persona = client.post("/personas").json(&persona).send().await.ok(201);
    let names: Vec<String> = (0..20).map(|n| format!("n{n}.test")).collect();
    let campaign =
        json!({"name": "crawls", "configuration": {"patternConfig": {"targetDomains": names}}});
    let path = create(client, &campaign).await;
    let body = json!({"configuration": {}, "personaIds": {"dnsPersonaId": persona["id"]}});
    let phase = format!("{path}/phases/validation");
    let configured = client.post(&format!("{phase}/configure")).json(&body);
    configured.send().await.ok(200);
    client.post(&format!("{path}/start")).send().await.ok(200);
    discovered(client, &path).await;
    client.post(&format!("{phase}/start")).send().await.ok(200);
    path
}

async fn leased(app: &TestApp) -> i64 {
    let open = app.app.orders.open().await.expect("orders answer");
    open.get("leased").copied().unwrap_or(0)
}

async fn status(client: &Client, path: &str) -> Value {
    client.get(path).send().await.ok(200)["status"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_that_is_paced_to_a_crawl_holds_up_nobody_else() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let slow = crawling(&app, &ann).await;
    eventually("the slow campaign has what it may have", || async {
        (leased(&app).await >= 8).then_some(())
    })
    .await;
    let small = create(&bob, &shops("ab")).await;
    configure(&bob, &small, &["espresso"]).await;
    bob.post(&format!("{small}/start")).send().await.ok(200);
    reaches(&bob, &small, "completed").await;
    assert_eq!(status(&ann, &slow).await, "running");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_drop_the_orders_of_a_campaign_that_was_stopped() {
    // Between the third of a lease after which workers notice, and the time at which the orders are forgotten anyway.
    const SOON: Duration = Duration::from_secs(20);
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let ann = app.user("ann").await;
    let path = crawling(&app, &ann).await;
    eventually("orders are under way", || async {
        (leased(&app).await > 0).then_some(())
    })
    .await;
    ann.post(&format!("{path}/stop")).send().await.ok(200);
    let dropped = eventually("nobody works for it any more", || async {
        (leased(&app).await == 0).then_some(())
    });
    tokio::time::timeout(SOON, dropped)
        .await
        .expect("the work ends soon after the stop");
    app.stop().await;
}
