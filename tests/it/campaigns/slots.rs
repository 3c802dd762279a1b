//! Workers whose slots a campaign holds for long, and what becomes of everybody else's.

use std::time::Duration;

use sandbox::World;
use serde_json::{Value, json};
use tokio::net::UdpSocket;

use super::{configure, create, discovered, reaches, shops};
use crate::support::{
    eventually,
    server::{Client, TestApp},
};

/// Starts the validation of a campaign of some names under settings of DNS besides the sandbox's resolver.
async fn validating(app: &TestApp, client: &Client, names: usize, settings: Value) -> String {
    let resolver = app.sandbox.as_ref().expect("a sandbox").dns_addr();
    let mut details = json!({"personaType": "dns", "resolvers": [resolver.to_string()], "queryTimeoutSeconds": 1,
        "maxDomainsPerRequest": 1000, "concurrentQueriesPerDomain": 1});
    for (setting, value) in settings.as_object().expect("settings") {
        details[setting] = value.clone();
    }
    let persona = json!({"name": "slow", "personaType": "dns", "configDetails": details});
    let persona = client.post("/personas").json(&persona).send().await.ok(201);
    let names: Vec<String> = (0..names).map(|n| format!("n{n}.test")).collect();
    let campaign =
        json!({"name": "slow", "configuration": {"patternConfig": {"targetDomains": names}}});
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

/// Starts a validation of as many orders as names, each of which takes minutes: whoever it asks says nothing as long as the
/// socket is open.
async fn slow(app: &TestApp, client: &Client) -> (String, UdpSocket) {
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
    let resolver = silent.local_addr().expect("an address").to_string();
    let settings =
        json!({"maxDomainsPerRequest": 1, "resolvers": [resolver], "queryTimeoutSeconds": 30});
    (validating(app, client, 20, settings).await, silent)
}

async fn leased(app: &TestApp) -> i64 {
    let open = app.app.orders.open().await.expect("orders answer");
    open.get("leased").copied().unwrap_or(0)
}

async fn status(client: &Client, path: &str) -> Value {
    client.get(path).send().await.ok(200)["status"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_campaign_with_many_orders_holds_up_nobody_else() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (slow, _silent) = slow(&app, &ann).await;
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
async fn a_campaign_that_is_paced_to_a_crawl_has_a_single_slot() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let crawling = validating(&app, &ann, 20, json!({"rateLimitDps": 0.01})).await;
    eventually("it is worked on", || async {
        (leased(&app).await > 0).then_some(())
    })
    .await;
    let small = create(&bob, &shops("ab")).await;
    configure(&bob, &small, &["espresso"]).await;
    bob.post(&format!("{small}/start")).send().await.ok(200);
    reaches(&bob, &small, "completed").await;
    assert_eq!(status(&ann, &crawling).await, "running");
    assert_eq!(leased(&app).await, 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_orders_of_a_paced_campaign_are_as_small_as_its_pace_asks_for() {
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let ann = app.user("ann").await;
    // Eight domains a second, of which eight orders have ten seconds' worth.
    let path = validating(&app, &ann, 95, json!({"rateLimitDps": 8.0})).await;
    let orders = eventually("the run is planned", || async {
        let planned = "SELECT count(*) FROM work_orders JOIN run_plans USING (run_id) WHERE phase = 'validation'";
        let planned: i64 = sqlx::query_scalar(planned)
            .fetch_one(app.app.database.pool())
            .await
            .expect("orders answer");
        (planned > 0).then_some(planned)
    })
    .await;
    assert_eq!(orders, 10);
    ann.post(&format!("{path}/stop")).send().await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_drop_the_orders_of_a_campaign_that_was_stopped() {
    // Between the third of a lease after which workers notice, and the time at which the orders are forgotten anyway.
    const SOON: Duration = Duration::from_secs(20);
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let ann = app.user("ann").await;
    let (path, _silent) = slow(&app, &ann).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_a_resume_and_a_stop_are_answered_while_workers_wait_for_the_network() {
    // Less than the half of what a worker waits for one answer.
    const SOON: Duration = Duration::from_secs(12);
    let app = TestApp::in_sandbox(World::generated(3)).await;
    let ann = app.user("ann").await;
    let (path, _silent) = slow(&app, &ann).await;
    eventually("orders are under way", || async {
        (leased(&app).await > 0).then_some(())
    })
    .await;
    for command in [
        "phases/validation/pause",
        "phases/validation/resume",
        "stop",
    ] {
        let answer = ann.post(&format!("{path}/{command}")).send();
        let answer = tokio::time::timeout(SOON, answer).await;
        answer.expect("it waits for nobody").ok(200);
    }
    app.stop().await;
}
