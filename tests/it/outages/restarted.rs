//! PostgreSQL is stopped under a running campaign and started again.

use serde_json::json;

use super::{Lived, cluster, directory, is_outage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_database_is_answered_503_and_loses_nothing() {
    let directory = directory();
    let database = cluster(directory.path()).await;
    let lived = Lived::start(&database.url("domainflow")).await;
    let path = lived.in_the_middle().await;
    let keyed = || {
        lived
            .user
            .post("/campaigns")
            .header("X-Idempotency-Key", "meanwhile")
            .json(&json!({"name": "meanwhile"}))
    };

    database.stop().await.expect("the database stops");
    is_outage(&lived.user.get(&path).send().await);
    is_outage(&keyed().send().await);
    lived
        .server
        .anonymous()
        .get("/health/live")
        .send()
        .await
        .ok(200);

    let database = cluster(directory.path()).await;
    lived.serves_again(&path).await;
    let made = keyed().send().await.ok(201);
    assert_eq!(keyed().send().await.ok(201)["id"], made["id"]);
    lived.ends_well(&path).await;
    database.stop().await.expect("the database stops");
}
