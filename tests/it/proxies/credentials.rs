//! What a proxy is told: kept sealed, and told to nobody else.

use sandbox::ProxyScript;
use serde_json::json;

use super::{PASSWORD, address, id_of, made, world};
use crate::support::server::TestApp;

/// Every text that the database has, of every table.
async fn everything_kept(app: &TestApp) -> String {
    let pool = app.app.database.pool();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'read')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    let mut kept = String::new();
    for table in tables {
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT t::text FROM {table} t"))
            .fetch_all(pool)
            .await
            .unwrap();
        kept.extend(rows);
    }
    kept
}

#[tokio::test]
async fn a_password_is_kept_sealed_and_told_to_nobody_but_the_proxy() {
    let protected = ProxyScript::open().credentials("ann", PASSWORD);
    let app = TestApp::in_sandbox(world([protected])).await;
    let ann = app.user("ann").await;
    let mut told = Vec::new();
    let body =
        json!({"name": "p", "address": format!("http://ann:{PASSWORD}@{}", address(&app, 0))});
    let made = ann.post("/proxies").json(&body).send().await;
    told.push(made.text.clone());
    let made = made.ok(201);
    assert_eq!(made["username"], "ann");
    assert_eq!(made["address"], address(&app, 0));
    let path = format!("/proxies/{}", made["id"].as_str().unwrap());
    let reply = ann.post(&format!("{path}/test")).send().await;
    told.push(reply.text.clone());
    let tested = reply.ok(200);
    assert_eq!(
        (&tested["success"], &tested["statusCode"]),
        (&json!(true), &json!(200)),
        "{tested}"
    );

    // What is not said of them stays; a name alone leaves the password.
    let wrong = json!({"username": "bob"});
    told.push(ann.put(&path).json(&wrong).send().await.text);
    let tested = ann.post(&format!("{path}/test")).send().await.ok(200);
    assert_eq!(tested["success"], false, "{tested}");
    let error = tested["error"].as_str().unwrap();
    assert!(error.starts_with("proxy_credentials"), "{error}");
    let right = json!({"username": "ann", "notes": "again"});
    told.push(ann.put(&path).json(&right).send().await.text);
    let tested = ann.post(&format!("{path}/test")).send().await.ok(200);
    assert_eq!(tested["success"], true, "{tested}");

    let shown = ann.get(&path).send().await.ok(200);
    assert_eq!(
        (
            &shown["isHealthy"],
            &shown["lastStatus"],
            &shown["successCount"],
            &shown["failureCount"]
        ),
        (&json!(true), &json!("healthy"), &json!(2), &json!(1))
    );
    assert!(
        shown["lastTested"].is_string() && shown.get("lastError").is_none(),
        "{shown}"
    );
    for list in ["/proxies", "/proxies/status"] {
        told.push(ann.get(list).send().await.text);
    }
    told.push(everything_kept(&app).await);
    for text in &told {
        assert!(!text.contains(PASSWORD), "{text}");
    }

    let none = ann
        .put(&path)
        .json(&json!({"username": ""}))
        .send()
        .await
        .ok(200);
    assert!(none.get("username").is_none(), "{none}");
    let tested = ann.post(&format!("{path}/test")).send().await.ok(200);
    assert!(
        tested["error"]
            .as_str()
            .unwrap()
            .starts_with("proxy_auth_required"),
        "{tested}"
    );
    ann.put(&path)
        .json(&json!({"username": "ann", "password": "x"}))
        .send()
        .await
        .ok(200);
    ann.delete(&path).send().await.ok(204);
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM proxy_credentials) + (SELECT count(*) FROM proxy_checks)",
    )
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert_eq!(left, 0);
    app.stop().await;
}

#[tokio::test]
async fn a_refused_command_leaves_the_credentials_as_they_were() {
    let app = TestApp::in_sandbox(world([ProxyScript::open()])).await;
    let ann = app.user("ann").await;
    let body =
        json!({"name": "p", "address": address(&app, 0), "username": "ann", "password": "one"});
    let path = made(&ann, &body).await;
    let kept = async || -> (String, Vec<u8>) {
        let kept = "SELECT username, password FROM proxy_credentials";
        let pool = app.app.database.pool();
        sqlx::query_as(kept).fetch_one(pool).await.unwrap()
    };
    let before = kept().await;
    let change = json!({"username": "bob", "password": "two", "countryCode": "x"});
    ann.put(&path)
        .json(&change)
        .send()
        .await
        .blames(422, "countryCode");
    let change = json!({"username": "bob", "password": "two"});
    let stale = ann.put(&path).header("if-match", "\"9\"").json(&change);
    stale.send().await.ok(412);
    let bulk = json!({"proxyIds": [id_of(&path)], "updates": {"password": "two", "notes": "x".repeat(10_001)}});
    let refused = ann
        .put("/proxies/bulk/update")
        .json(&bulk)
        .send()
        .await
        .ok(200);
    assert_eq!(refused["errorCount"], 1, "{refused}");
    assert_eq!(kept().await, before);
    app.stop().await;
}
