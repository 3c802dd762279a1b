//! What users do to their own things, as the read models show it, live and rebuilt.

use std::sync::Arc;

use projections::runtime::{Projection, Rebuild};
use serde_json::json;

use crate::support::server::{Client, PASSWORD, Server, TestApp, email};

/// Rebuilds a projection and compares it with the live one.
async fn rebuilt_equals_live(server: &Server, projection: Arc<dyn Projection>) {
    let name = projection.name();
    let mut rebuild = Rebuild::begin(server.app.database.clone(), projection)
        .await
        .unwrap();
    let comparison = rebuild.compare().await.unwrap();
    assert!(comparison.rows > 0, "{name} has no rows");
    assert_eq!(
        comparison.differing, 0,
        "{name}: {:?}",
        comparison.differences
    );
    rebuild.discard().await.unwrap();
}

/// Makes a proxy and a pool with it, changes both, and for one name deletes them one after the other.
async fn proxy_in_pools(client: &Client, name: &str) {
    let body = json!({"name": name, "address": "proxy.example:80", "countryCode": "DE"});
    let made = client.post("/proxies").json(&body).send().await.ok(201);
    let proxy = format!("/proxies/{}", made["id"].as_str().unwrap());
    let change = json!({"address": "socks5://proxy.example:1080", "isEnabled": name != "two", "notes": "moved"});
    client.put(&proxy).json(&change).send().await.ok(200);
    let pool = client.post("/proxy-pools").json(&json!({"name": name}));
    let pool = pool.send().await.ok(201);
    let pool = format!("/proxy-pools/{}", pool["id"].as_str().unwrap());
    for weight in [1, 3] {
        let add = json!({"proxyId": made["id"], "weight": weight});
        let add = client.post(&format!("{pool}/proxies")).json(&add);
        add.send().await.ok(201);
    }
    let change = json!({"name": "renamed", "poolStrategy": "weighted", "maxRetries": 5});
    client.put(&pool).json(&change).send().await.ok(200);
    if name == "three" {
        client.delete(&proxy).send().await.ok(204);
        client.delete(&pool).send().await.ok(204);
    }
}

#[tokio::test]
async fn whatever_was_done_is_the_same_live_and_rebuilt() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    let sets = ["one", "two", "three"];
    for name in sets {
        let body = json!({"name": name, "rules": [{"pattern": "x", "ruleType": "string"}]});
        let made = ann.post("/keyword-sets").json(&body).send().await.ok(201);
        let path = format!("/keyword-sets/{}", made["id"].as_str().unwrap());
        let change = json!({"description": "changed", "isEnabled": name != "two", "rules": []});
        ann.put(&path).json(&change).send().await.ok(200);
        if name == "three" {
            ann.delete(&path).send().await.ok(204);
        }
        let body = json!({"name": name, "weights": {"freshness": 1.0}});
        let made = bob
            .post("/scoring-profiles")
            .json(&body)
            .send()
            .await
            .ok(201);
        let path = format!("/scoring-profiles/{}", made["id"].as_str().unwrap());
        bob.put(&path)
            .json(&json!({"name": "renamed", "weights": {"tf_lite": 2.0}}))
            .send()
            .await
            .ok(200);
        if name == "three" {
            bob.delete(&path).send().await.ok(204);
        }
        proxy_in_pools(&bob, name).await;
    }
    for _ in 0..5 {
        app.log_in("bob", "wrong password").await.ok(401);
    }
    let change = json!({"oldPassword": PASSWORD, "newPassword": "another horse"});
    ann.post("/auth/logout").send().await.ok(204);
    let again = app.log_in("ann", PASSWORD).await.ok(200);
    let ann = Client {
        token: again["token"].as_str().map(str::to_owned),
        ..ann
    };
    ann.post("/auth/change-password")
        .json(&change)
        .send()
        .await
        .ok(200);

    let head = app.app.database.feed().head().await.unwrap();
    app.app
        .runtime
        .wait_for(head, crate::support::DEADLINE)
        .await
        .unwrap();
    let pool = app.app.database.pool();
    let ann_row = projections::users::by_email(pool, &email("ANN"))
        .await
        .unwrap()
        .unwrap();
    let bob_row = projections::users::by_email(pool, &email("bob"))
        .await
        .unwrap()
        .unwrap();
    // Registered, logged in and out and in again, another password.
    assert_eq!((ann_row.version, ann_row.locked_until), (5, None));
    // Registered, logged in, five failures, for which an address is locked out and not he.
    assert_eq!((bob_row.version, bob_row.locked_until), (7, None));
    assert_eq!(
        projections::users::list(pool, 10, 0).await.unwrap().len(),
        2
    );

    rebuilt_equals_live(&app, Arc::new(projections::audit::Audit)).await;
    rebuilt_equals_live(&app, Arc::new(projections::users::Users)).await;
    rebuilt_equals_live(&app, Arc::new(projections::proxies::Proxies)).await;
    rebuilt_equals_live(&app, Arc::new(projections::proxy_pools::ProxyPools)).await;
    rebuilt_equals_live(&app, Arc::new(projections::keyword_sets::KeywordSets)).await;
    rebuilt_equals_live(
        &app,
        Arc::new(projections::scoring_profiles::ScoringProfiles),
    )
    .await;
    app.stop().await;
}
