//! Pools of proxies: through the interface, by themselves, and in campaigns.

mod campaigns;
mod health;

use aggregates::proxy_pool::ProxyPool;
use sandbox::{ProxyFault, ProxyScript};
use serde_json::{Value, json};

use crate::{
    proxies::{address, id_of, made, world},
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

/// Makes a pool of proxies with these weights, and returns its path.
pub async fn pool(client: &Client, settings: Value, proxies: &[(&str, u32)]) -> String {
    let made = client
        .post("/proxy-pools")
        .json(&settings)
        .send()
        .await
        .ok(201);
    let path = format!("/proxy-pools/{}", made["id"].as_str().expect("an id"));
    for (proxy, weight) in proxies {
        let add = json!({"proxyId": id_of(proxy), "weight": weight});
        let add = client.post(&format!("{path}/proxies")).json(&add);
        add.send().await.ok(201);
    }
    path
}

#[tokio::test]
async fn a_pool_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let body = json!({"name": "p", "address": "proxy.example:80"});
    let (one, two) = (made(&ann, &body).await, made(&ann, &body).await);
    let path = pool(&ann, json!({"name": "europe"}), &[]).await;
    let shown = ann.get(&path).send().await;
    assert_eq!(shown.header("etag"), Some("\"1\""));
    let shown = shown.ok(200);
    for (field, value) in [
        ("poolStrategy", json!("round_robin")),
        ("isEnabled", json!(true)),
        ("healthCheckEnabled", json!(false)),
        ("healthCheckIntervalSeconds", json!(300)),
        ("maxRetries", json!(2)),
        ("timeoutSeconds", json!(10)),
        ("proxies", json!([])),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    let add = async |proxy: &str, weight: Option<u32>| {
        let mut body = json!({"proxyId": id_of(proxy)});
        if let Some(weight) = weight {
            body["weight"] = json!(weight);
        }
        ann.post(&format!("{path}/proxies"))
            .json(&body)
            .send()
            .await
    };
    let membership = add(&two, None).await.ok(201);
    assert_eq!(
        (&membership["weight"], &membership["isActive"]),
        (&json!(1), &json!(true))
    );
    add(&one, Some(3)).await.ok(201);
    let again = add(&two, Some(5)).await.ok(201);
    assert_eq!(again["addedAt"], membership["addedAt"]);
    add(&one, Some(0)).await.blames(422, "weight");
    let bobs = made(&bob, &body).await;
    add(&bobs, None).await.blames(422, "proxyId");

    let change = json!({"name": "asia", "poolStrategy": "failover", "maxRetries": 0});
    let changed = ann.put(&path).json(&change).send().await.ok(200);
    assert_eq!(changed["timeoutSeconds"], 10);
    let members: Vec<_> = changed["proxies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| {
            (
                member["proxyId"].as_str().unwrap(),
                member["weight"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(members, [(id_of(&two), 5), (id_of(&one), 3)]);
    assert_eq!(ann.get(&path).send().await.ok(200), changed);
    let list = ann.get("/proxy-pools").send().await;
    assert_eq!(list.header("x-total-count"), Some("1"));
    assert_eq!(list.ok(200), json!([changed]));
    assert_eq!(bob.get("/proxy-pools").send().await.ok(200), json!([]));

    // A proxy that is deleted leaves its pools, which is a change of theirs; one that is taken out stays a proxy.
    let tag = ann
        .get(&path)
        .send()
        .await
        .header("etag")
        .map(str::to_owned);
    ann.delete(&one).send().await.ok(204);
    let left = ann.get(&path).send().await;
    assert_ne!(left.header("etag").map(str::to_owned), tag);
    assert_eq!(left.ok(200)["proxies"].as_array().unwrap().len(), 1);
    let log = app.app.database.log();
    let (recorded, _) = log.load::<ProxyPool>(id_of(&path)).await.unwrap();
    assert_eq!(recorded.members().len(), 1);
    let member = format!("{path}/proxies/{}", id_of(&two));
    ann.delete(&member).send().await.ok(204);
    ann.delete(&member).send().await.blames(404, "proxyId");
    ann.get(&two).send().await.ok(200);
    ann.delete(&path).send().await.ok(204);
    ann.get(&path).send().await.ok(404);
    app.stop().await;
}

#[tokio::test]
async fn a_setting_that_cannot_be_honoured_is_refused_by_its_field() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    for (body, status, field) in [
        (json!({"name": ""}), 422, "name"),
        (json!({}), 400, "name"),
        (
            json!({"name": "p", "poolStrategy": "fastest"}),
            422,
            "poolStrategy",
        ),
        (
            json!({"name": "p", "healthCheckIntervalSeconds": 4}),
            422,
            "healthCheckIntervalSeconds",
        ),
        (
            json!({"name": "p", "healthCheckIntervalSeconds": -1}),
            400,
            "healthCheckIntervalSeconds",
        ),
        (json!({"name": "p", "maxRetries": 11}), 422, "maxRetries"),
        (
            json!({"name": "p", "timeoutSeconds": 0}),
            422,
            "timeoutSeconds",
        ),
        (
            json!({"name": "p", "timeoutSeconds": 121}),
            422,
            "timeoutSeconds",
        ),
        (json!({"name": "p", "proxies": []}), 400, "proxies"),
    ] {
        ann.post("/proxy-pools")
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxies_of_a_pool_are_checked_again_and_again_by_themselves() {
    let scripts = [ProxyScript::open(), ProxyScript::faulty(ProxyFault::Reset)];
    let app = TestApp::in_sandbox(world(scripts)).await;
    let other = app.another_node().await;
    let ann = app.user("ann").await;
    let mut paths = Vec::new();
    for proxy in 0..2 {
        let body = json!({"name": "p", "address": address(&app, proxy)});
        paths.push(made(&ann, &body).await);
    }
    let off = json!({"name": "off", "address": address(&app, 0), "isEnabled": false});
    let off = made(&ann, &off).await;
    let members = [(&*paths[0], 1), (&*paths[1], 1), (&*off, 1)];
    let settings =
        json!({"name": "pool", "healthCheckEnabled": true, "healthCheckIntervalSeconds": 5});
    let began = std::time::Instant::now();
    pool(&ann, settings, &members).await;
    let status = async |path: &str, field: &str, least: u64| {
        let shown = ann.get(path).send().await.ok(200);
        (shown[field].as_u64() >= Some(least)).then_some(shown)
    };
    let good = eventually("it was checked twice", || {
        status(&paths[0], "successCount", 2)
    })
    .await;
    assert_eq!(
        (&good["isHealthy"], &good["lastStatus"]),
        (&json!(true), &json!("healthy"))
    );
    let bad = eventually("it was checked twice", || {
        status(&paths[1], "failureCount", 2)
    })
    .await;
    assert_eq!(
        (&bad["isHealthy"], &bad["lastStatus"]),
        (&json!(false), &json!("unhealthy"))
    );
    assert!(bad["lastError"].is_string(), "{bad}");
    // Of two nodes one makes each check: not more of them than there were intervals.
    let most = 2 + began.elapsed().as_secs() / 5;
    let shown = ann.get(&paths[0]).send().await.ok(200);
    assert!(
        shown["successCount"].as_u64().unwrap() <= most,
        "{shown} {most}"
    );
    let shown = ann.get(&off).send().await.ok(200);
    assert!(shown.get("lastCheckedAt").is_none(), "{shown}");
    let actor: String = sqlx::query_scalar(
        "SELECT DISTINCT metadata ->> 'actor' FROM events WHERE event_type = 'HealthChanged'",
    )
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert!(actor.starts_with("worker:proxy-checks"), "{actor}");
    other.stop().await;
    app.stop().await;
}
