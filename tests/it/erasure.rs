//! Personal data: sealed in the log, given to whoever it is about, and erased for good.

use aggregates::{
    Actor, Metadata,
    user::{self, Role},
};
use domainflow::{app::App, credentials::Keys, work::Network};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::{
    api_keys::key_of,
    bodies::body_of,
    campaigns,
    sse::client::Stream,
    support::{
        eventually,
        pipeline::database,
        server::{Client, PASSWORD, Reply, TestApp, email},
    },
};

/// What requests are sent with, so that it can be looked for.
const PROGRAM: &str = "a-program-like-no-other/7";

async fn count(app: &TestApp, question: &'static str) -> i64 {
    sqlx::query_scalar(question)
        .fetch_one(app.app.database.pool())
        .await
        .unwrap()
}

/// Looks for a text in the log, and in every table beside it.
async fn tables_with(pool: &PgPool, text: &str) -> Vec<String> {
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_schema, table_name FROM information_schema.tables \
         WHERE table_schema IN ('public', 'read') AND table_type = 'BASE TABLE' ORDER BY 1, 2",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut found = Vec::new();
    for (schema, table) in tables {
        let question = format!(
            "SELECT EXISTS (SELECT FROM {schema}.{table} t WHERE t::text LIKE '%' || $1 || '%')"
        );
        let has: bool = sqlx::query_scalar(&question)
            .bind(text)
            .fetch_one(pool)
            .await
            .unwrap();
        if has {
            found.push(table);
        }
    }
    found
}

/// Makes one thing of each kind.
async fn one_of_each(owner: &Client) -> String {
    for path in [
        "/personas",
        "/keyword-sets",
        "/scoring-profiles",
        "/proxies",
        "/proxy-pools",
    ] {
        let body = body_of(&format!("POST /api/v2{path}"));
        let made = owner
            .post(path)
            .header("user-agent", PROGRAM)
            .json(&body)
            .send()
            .await;
        made.ok(201);
    }
    campaigns::create(owner, &json!({"name": "mine"})).await
}

async fn erase_oneself(client: &Client, password: &str) -> Reply {
    let request = client.request(Method::DELETE, "/me");
    request.json(&json!({"password": password})).send().await
}

#[tokio::test]
async fn what_tells_who_a_user_is_stands_in_the_log_under_his_own_key_alone() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    one_of_each(&ann).await;
    key_of(&ann, "read").await;
    app.app.runtime.catch_up().await.unwrap();
    let pool = app.app.database.pool();
    let found = tables_with(pool, &email("ann")).await;
    assert_eq!(
        found,
        ["user_emails", "audit_entries", "audit_states", "users"]
    );
    let log = "SELECT count(*) FROM events WHERE payload::text || metadata::text LIKE '%ann@%' \
        OR metadata::text LIKE '%127.0.0.1%' OR metadata::text LIKE '%no-other%'";
    assert_eq!(count(&app, log).await, 0);
    let sealed = "SELECT count(*) FROM events WHERE metadata ->> 'user_agent' LIKE 'sealed:v1:%'";
    assert!(count(&app, sealed).await >= 5);
    // Whoever may see it sees it.
    let me = ann.get("/auth/me").send().await.ok(200);
    assert_eq!(me["email"], email("ann"));
    let shown = "SELECT count(*) FROM read.audit_entries WHERE user_agent = 'a-program-like-no-other/7' AND ip = '127.0.0.1'";
    assert_eq!(count(&app, shown).await, 5);
    assert_eq!(
        count(
            &app,
            "SELECT count(*) FROM personal_keys WHERE in_the_clear"
        )
        .await,
        0
    );
    app.stop().await;
}

#[tokio::test]
async fn who_is_erased_reads_as_erased_everywhere_and_the_log_proves_as_before() {
    let app = TestApp::start().await;
    let (root, ann) = (
        app.user_with_role("root", Role::Admin).await,
        app.user("ann").await,
    );
    let campaign = one_of_each(&ann).await;
    let (_, holder) = key_of(&ann, "read").await;
    app.log_in("ann", "wrong password").await.ok(401);
    let mut stream = Stream::open(&ann, "/sse/events", None).await;
    stream.any().await.expect("it is open");

    erase_oneself(&holder, PASSWORD).await.ok(403);
    erase_oneself(&ann, "wrong password")
        .await
        .blames(400, "password");
    ann.get("/auth/me").send().await.ok(200);
    erase_oneself(&ann, PASSWORD).await.ok(204);

    // Nothing of his lets anybody in, and all that he owned is gone.
    ann.get("/auth/me").send().await.ok(401);
    holder.get("/auth/me").send().await.ok(401);
    app.log_in("ann", PASSWORD).await.ok(401);
    tokio::time::timeout(crate::support::DEADLINE, async {
        while stream.any().await.is_some() {}
    })
    .await
    .expect("his stream ended");
    app.app.runtime.catch_up().await.unwrap();
    root.get(&campaign).send().await.ok(404);
    for path in [
        "/campaigns",
        "/personas",
        "/keyword-sets",
        "/scoring-profiles",
        "/proxies",
        "/proxy-pools",
    ] {
        let left = root.get(path).send().await;
        assert!(!left.text.contains("\"id\""), "{path}: {}", left.text);
    }

    // His address and his program are nowhere, and what shows them shows that.
    let pool = app.app.database.pool();
    for text in [email("ann").as_str(), PROGRAM] {
        let found = tables_with(pool, text).await;
        assert!(found.is_empty(), "{text} is in {found:?}");
    }
    let shown = "SELECT count(*) FROM read.users WHERE email = 'erased' AND username = 'erased' AND NOT active";
    assert_eq!(count(&app, shown).await, 1);
    let shown = "SELECT count(*) FROM read.audit_entries WHERE details ->> 'email' = 'erased' OR ip = 'erased'";
    assert!(count(&app, shown).await > 5);

    // A rebuild from the log reads the same.
    for projection in projections::all() {
        if ["audit", "users"].contains(&projection.name()) {
            let verified = replay::verify(&app.app.database, projection, |_| ()).await;
            let verified = verified.unwrap();
            assert!(verified.is_equal(), "{verified:?}");
        }
    }
    root.delete(&format!("/users/{}", ann.user_id.unwrap()))
        .send()
        .await
        .ok(404);

    // The address is free again.
    app.user("ann").await;
    app.stop().await;
}

#[tokio::test]
async fn an_administrator_erases_others_and_never_the_last_one() {
    let app = TestApp::start().await;
    let root = app.user_with_role("root", Role::Admin).await;
    let other = app.user_with_role("other", Role::Admin).await;
    let ann = app.user("ann").await;
    let path = |client: &Client| format!("/users/{}", client.user_id.unwrap());
    ann.delete(&path(&root)).send().await.ok(403);
    // Oneself is erased by whoever knows the password, and nobody by a key.
    root.delete(&path(&root)).send().await.ok(403);
    let (_, key) = key_of(&root, "write").await;
    key.delete(&path(&ann)).send().await.ok(403);
    root.delete(&path(&ann)).send().await.ok(204);
    ann.get("/auth/me").send().await.ok(401);
    // Two who erase each other at once leave one.
    let paths = (path(&other), path(&root));
    let both = tokio::join!(root.delete(&paths.0).send(), other.delete(&paths.1).send());
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert!(
        statuses[0] == 204 && [401, 409].contains(&statuses[1]),
        "{statuses:?}"
    );
    let left = "SELECT count(*) FROM user_access WHERE role = 'admin' AND active";
    assert_eq!(count(&app, left).await, 1);
    let last = if both.0.status == 204 { &root } else { &other };
    let refused = erase_oneself(last, PASSWORD).await.ok(409);
    assert_eq!(refused["error"]["code"], "LAST_ADMINISTRATOR");
    last.get("/auth/me").send().await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn a_user_of_whom_something_was_recorded_in_the_clear_is_not_said_to_be_erased() {
    let app = TestApp::start().await;
    let (root, ann) = (
        app.user_with_role("root", Role::Admin).await,
        app.user("ann").await,
    );
    // As a version without keys recorded it, and as a node without one does.
    sqlx::query(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
         SELECT 'user', $1, max(sequence) + 1, 'LoginFailed', '1', '{\"LoginFailed\":{\"at\":\"2026-01-01T00:00:00Z\"}}', \
                '{\"actor\":\"anonymous\",\"correlation_id\":\"1\",\"ip\":\"192.0.2.1\"}' FROM events WHERE aggregate_id = $1",
    )
    .bind(ann.user_id.unwrap().to_string())
    .execute(app.app.database.pool())
    .await
    .unwrap();
    let path = format!("/users/{}", ann.user_id.unwrap());
    let refused = root.delete(&path).send().await.ok(409);
    assert_eq!(refused["error"]["code"], "RECORDED_IN_THE_CLEAR");
    ann.get("/auth/me").send().await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn everything_that_is_kept_of_a_user_is_given_to_him_and_to_whoever_sees_everything() {
    let app = TestApp::start().await;
    let (auditor, ann, bob) = (
        app.user_with_role("auditor", Role::Auditor).await,
        app.user("ann").await,
        app.user("bob").await,
    );
    one_of_each(&ann).await;
    key_of(&ann, "read").await;
    app.app.runtime.catch_up().await.unwrap();
    let own = ann.get("/me/export").send().await.ok(200);
    assert_eq!(own["user"]["email"], email("ann"));
    for list in [
        "sessions",
        "apiKeys",
        "campaigns",
        "proxyPools",
        "proxies",
        "personas",
        "keywordSets",
        "scoringProfiles",
    ] {
        assert_eq!(own[list].as_array().map(Vec::len), Some(1), "{list}");
    }
    assert_eq!(own["campaigns"][0]["name"], "mine");
    let actions = own["actions"].as_array().unwrap();
    assert!(
        actions
            .iter()
            .any(|action| action["action"] == "Registered")
    );
    assert!(actions.iter().any(|action| action["user_agent"] == PROGRAM));
    let path = format!("/users/{}/export", ann.user_id.unwrap());
    assert_eq!(auditor.get(&path).send().await.ok(200)["user"], own["user"]);
    bob.get(&path).send().await.ok(403);
    let nobody = format!("/users/{}/export", uuid::Uuid::now_v7());
    auditor.get(&nobody).send().await.blames(404, "userId");
    let bobs = bob.get("/me/export").send().await;
    assert!(!bobs.text.contains("mine"), "{}", bobs.text);
    app.stop().await;
}

#[tokio::test]
async fn of_a_deleted_campaign_nothing_is_left_but_the_log() {
    let app = TestApp::in_sandbox(sandbox::World::scripted()).await;
    let ann = app.user("ann").await;
    let path = campaigns::create(&ann, &campaigns::shops("ab")).await;
    ann.post(&format!("{path}/start")).send().await;
    let list = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.txt\"\r\n\r\na.test\n\r\n--x--\r\n";
    let upload = ann.post(&format!("{path}/upload"));
    upload
        .body("multipart/form-data; boundary=x", list)
        .send()
        .await;
    ann.delete(&path).send().await.ok(204);
    let id = path.rsplit('/').next().unwrap().to_owned();
    let pool = app.app.database.pool();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'campaign_id' \
         AND table_schema IN ('public', 'read') ORDER BY 1, 2",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert!(tables.len() > 6, "{tables:?}");
    eventually("nothing of it is left", || async {
        for (schema, table) in &tables {
            // The gate of a run stays shut for results that come late; it tells of nothing but the run.
            if table == "run_gates" {
                continue;
            }
            let question = format!("SELECT count(*) FROM {schema}.{table} WHERE campaign_id = $1::uuid");
            let left: i64 = sqlx::query_scalar(&question).bind(&id).fetch_one(pool).await.unwrap();
            if left > 0 {
                return None;
            }
        }
        let orders = "SELECT count(*) FROM work_orders o JOIN run_gates g USING (run_id) WHERE g.campaign_id = $1::uuid";
        let left: i64 = sqlx::query_scalar(orders).bind(&id).fetch_one(pool).await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    app.stop().await;
}

/// Opens another process that seals under a key of its own.
async fn with_key(url: &str, keys: &Keys) -> App {
    let network = Network {
        keys: keys.clone(),
        ..Network::default()
    };
    App::open(url, network).await.unwrap()
}

#[tokio::test]
async fn a_missing_key_of_the_operators_is_no_erased_one_and_a_log_without_keys_reads_erased() {
    let first = database().await;
    let keys = || Keys::parse([Keys::draw().as_str()]).unwrap();
    let (operators, others) = (keys(), keys());
    let app = with_key(first.url(), &operators).await;
    let metadata = Metadata::new(Actor::Operator, "test");
    let register = user::Register {
        email: email("ann"),
        username: "ann".to_owned(),
        role: Role::User,
    };
    let id = uuid::Uuid::now_v7().to_string();
    let log = app.database.log();
    let register = user::Command::Register(register);
    log.execute::<user::User>(&id, register, &metadata, None)
        .await
        .unwrap();
    log.position_of("user", &id, 1).await.unwrap();

    // Whoever has another key shows nothing, and above all not that somebody was erased.
    let stranger = with_key(first.url(), &others).await;
    let shown = |app: &App| {
        let pool = app.database.pool().clone();
        async move {
            let emails: Vec<String> = sqlx::query_scalar("SELECT email FROM read.users")
                .fetch_all(&pool)
                .await
                .unwrap();
            emails
        }
    };
    let refused = stranger.runtime.catch_up().await.unwrap_err();
    let refused = event_store::describe(&refused);
    assert!(refused.contains("operator's key"), "{refused}");
    assert!(shown(&stranger).await.is_empty());
    app.runtime.catch_up().await.unwrap();
    assert_eq!(shown(&app).await, [email("ann")]);

    // The log alone, in another database.
    let mut text = Vec::new();
    replay::export(&app.database, &mut text, |_, _| ())
        .await
        .unwrap();
    let second = database().await;
    let moved = with_key(second.url(), &operators).await;
    let mut read = text.as_slice();
    replay::import(&moved.database, &mut read, |_, _| ())
        .await
        .unwrap();
    moved.runtime.catch_up().await.unwrap();
    assert_eq!(shown(&moved).await, ["erased"]);
}
