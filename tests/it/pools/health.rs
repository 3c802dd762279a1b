//! What campaigns find out about the proxies of their pools.

use sandbox::{ProxyFault, ProxyScript};
use serde_json::json;

use super::{
    campaigns::{fetched, pages},
    pool,
};
use crate::{
    proxies::{address, id_of, made},
    support::{eventually, server::TestApp},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_health_that_a_campaign_finds_its_proxies_in_is_shown_as_that_of_a_check() {
    let scripts = [ProxyScript::faulty(ProxyFault::Reset), ProxyScript::open()];
    let app = TestApp::in_sandbox(pages(scripts)).await;
    let ann = app.user("ann").await;
    let dead = made(&ann, &json!({"name": "dead", "address": address(&app, 0)})).await;
    let good = made(&ann, &json!({"name": "good", "address": address(&app, 1)})).await;
    let settings = json!({"name": "pool", "poolStrategy": "failover"});
    let pool = pool(&ann, settings, &[(&dead, 1), (&good, 1)]).await;
    let (items, _) = fetched(&ann, &pool).await;
    assert!(items.iter().all(|item| item["httpStatus"] == "ok"));
    for (path, healthy, status) in [(&dead, false, "unhealthy"), (&good, true, "healthy")] {
        let shown = eventually("the proxy is known", || async {
            let shown = ann.get(path).send().await.ok(200);
            (shown["lastStatus"] == status && shown["isHealthy"] == healthy).then_some(shown)
        })
        .await;
        let why = shown["lastError"].as_str().unwrap_or_default();
        assert_eq!(why.starts_with("proxy_closed: "), !healthy, "{shown}");
        assert!(shown["lastCheckedAt"].is_string(), "{shown}");
        // Nobody checked it.
        assert_eq!(
            (&shown["successCount"], &shown["failureCount"]),
            (&json!(0), &json!(0))
        );
        assert!(shown.get("lastTested").is_none(), "{shown}");
    }
    let told: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT aggregate_id, metadata ->> 'actor', metadata ->> 'correlation_id' FROM events \
         WHERE event_type = 'HealthChanged' ORDER BY aggregate_id",
    )
    .fetch_all(app.app.database.pool())
    .await
    .unwrap();
    let run: String = sqlx::query_scalar(
        "SELECT payload -> 'PhaseStarted' ->> 'run_id' FROM events \
         WHERE event_type = 'PhaseStarted' AND payload::text LIKE '%pool_id%'",
    )
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    for ((proxy, actor, correlation), path) in told.iter().zip([&dead, &good]) {
        assert_eq!((&**proxy, correlation), (id_of(path), &run));
        assert!(actor.starts_with("worker:proxies-of-runs-"), "{actor}");
    }
    app.stop().await;
}
