//! Readiness.

use aggregates::{Actor, Metadata, domain::stream_id, ids::CampaignId};
use event_store::{BulkAppend, NewEvent};
use serde_json::{Value, json};

use crate::support::{eventually, server::TestApp};

#[tokio::test]
async fn a_server_whose_projection_stands_still_is_not_ready_and_names_it_without_the_event() {
    let app = TestApp::start().await;
    app.anonymous().get("/health/ready").send().await.ok(200);

    let poison = NewEvent {
        event_type: "DnsChecked".to_owned(),
        event_version: "1".to_owned(),
        payload: r#"{"DnsChecked":{"outcome":"maybe"}}"#.to_owned(),
    };
    let stream = stream_id(CampaignId(uuid::Uuid::from_u128(7)), "secret.test");
    let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
    append
        .raw_stream("domain", &stream, 0, vec![poison])
        .unwrap();
    append.append(&app.app.database).await.unwrap();

    let refused = eventually("the projection halts", || async {
        let reply = app.anonymous().get("/health/ready").send().await;
        (reply.status != 200).then_some(reply)
    })
    .await;
    assert!(!refused.text.contains("secret.test") && !refused.text.contains("maybe"));
    let body = refused.ok(503);
    assert_eq!(body["success"], false);
    assert_eq!(body["error"]["code"], "NOT_READY");
    assert_eq!(
        body["error"]["message"],
        "these projections stand still: domains"
    );
    // The server answers all the same, from what its read models have.
    for path in ["/health", "/health/live"] {
        app.anonymous().get(path).send().await.ok(200);
    }
    app.stop().await;
}

#[tokio::test]
async fn health_tells_how_everything_stands_and_what_is_late() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    let healthy = eventually("everything is level", || async {
        let told = anybody.get("/health").send().await.ok(200);
        (told["condition"] == "ok").then_some(told)
    })
    .await;
    assert_eq!(healthy["status"], "ok");
    let checks = healthy["checks"].as_array().unwrap();
    let names: Vec<&str> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    for name in [
        "database",
        "migrations",
        "sequencer",
        "tree",
        "domains",
        "work",
        "suppression_list",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    assert!(
        anybody
            .get("/health/live")
            .send()
            .await
            .ok(200)
            .get("checks")
            .is_none()
    );

    // A projection that somebody holds takes nothing in: with an event that waits since a while, that is late.
    let mut held = app.app.database.pool().begin().await.unwrap();
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext('projection'), hashtext('personas'))")
        .execute(&mut *held)
        .await
        .unwrap();
    let ann = app.user("ann").await;
    let persona =
        json!({"name": "p", "personaType": "dns", "configDetails": {"resolvers": ["9.9.9.9"]}});
    ann.post("/personas").json(&persona).send().await;
    // Nobody may rewrite the log, but who puts triggers out of force.
    let mut past = app.app.database.pool().begin().await.unwrap();
    for statement in [
        "SET LOCAL session_replication_role = replica",
        "UPDATE event_log SET committed_at = now() - interval '1 hour'",
    ] {
        sqlx::query(statement).execute(&mut *past).await.unwrap();
    }
    past.commit().await.unwrap();
    let late = eventually("the projection is late", || async {
        let told = anybody.get("/health/ready").send().await.ok(200);
        (told["condition"] == "degraded").then_some(told)
    })
    .await;
    let checks = late["checks"].as_array().unwrap();
    let personas = checks
        .iter()
        .find(|check| check["name"] == "personas")
        .unwrap();
    assert_eq!(personas["condition"], "degraded");
    assert!(personas["waiting"].as_u64().unwrap() >= 1, "{personas}");
    assert!(
        personas["waitingSeconds"].as_f64().unwrap() > 3_000.0,
        "{personas}"
    );
    held.rollback().await.unwrap();
    app.stop().await;
}

#[tokio::test]
async fn a_server_whose_schema_is_another_or_whose_database_is_gone_is_not_able_to_serve_and_says_so_soon()
 {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    let strange = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
        VALUES (9000, 'of another program', true, '\\x00', 0)";
    sqlx::query(strange)
        .execute(app.app.database.pool())
        .await
        .unwrap();
    for path in ["/health", "/health/ready"] {
        let refused = eventually("the schema is another", || async {
            let reply = anybody.get(path).send().await;
            (reply.status == 503).then_some(reply)
        })
        .await;
        assert_eq!(refused.header("retry-after"), Some("5"));
        let body = refused.json();
        assert_eq!(body["error"]["code"], "UNHEALTHY");
        assert_eq!(body["error"]["message"], "not able to serve: migrations");
    }
    app.app.database.close().await;
    eventually("the database is gone", || async {
        let reply = anybody.get("/health").send().await;
        let told = reply.status == 503 && reply.text.contains("not able to serve: database");
        told.then_some(())
    })
    .await;
    anybody.get("/health/live").send().await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn a_database_that_is_late_to_count_is_not_down_and_health_says_that_it_is_late() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    // As long as somebody has the table, the database does not say how many events wait for a position.
    let mut held = app.app.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE event_inbox IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let condition = |told: &Value, name: &str| {
        let checks = told["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name);
        check.map(|check| check["condition"].clone())
    };
    let late = eventually("the database is late", || async {
        let told = anybody.get("/health").send().await.ok(200);
        condition(&told, "status").is_some().then_some(told)
    })
    .await;
    assert_eq!(late["condition"], "degraded");
    for (name, stands) in [
        ("status", Some("degraded")),
        ("database", Some("ok")),
        ("migrations", Some("ok")),
        ("work", None),
    ] {
        assert_eq!(condition(&late, name), stands.map(Value::from), "{name}");
    }
    let ready = anybody.get("/health/ready").send().await.ok(200);
    assert_eq!(ready["condition"], "degraded");
    held.rollback().await.unwrap();
    eventually("the database tells everything again", || async {
        let told = anybody.get("/health").send().await.ok(200);
        (told["condition"] == "ok" && condition(&told, "work").is_some()).then_some(())
    })
    .await;
    app.stop().await;
}
