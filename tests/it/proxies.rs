//! Proxies through the interface: what is kept of them, what is never told, and checks that really connect.

use std::collections::BTreeSet;

use sandbox::{Host, ProxyFault, ProxyScript, World};
use serde_json::{Value, json};

use crate::{
    sse::client::Stream,
    support::{
        pipeline::CHECKED,
        server::{Client, TestApp},
    },
};

/// A password that must be found nowhere.
const PASSWORD: &str = "tr0ub4dor-and-3";

/// A world with the page that checks fetch, and proxies.
pub fn world(proxies: impl IntoIterator<Item = ProxyScript>) -> World {
    let world = World::scripted().host(CHECKED, Host::page(&[]));
    proxies.into_iter().fold(world, World::proxy)
}

/// Makes a proxy and returns its path.
pub async fn made(client: &Client, body: &Value) -> String {
    let made = client.post("/proxies").json(body).send().await.ok(201);
    format!("/proxies/{}", made["id"].as_str().expect("an id"))
}

/// The id at the end of a path.
pub fn id_of(path: &str) -> &str {
    path.rsplit('/').next().expect("an id")
}

/// Where a proxy of the sandbox listens.
pub fn address(app: &TestApp, proxy: usize) -> String {
    let sandbox = app.sandbox.as_ref().expect("a sandbox");
    sandbox.proxies()[proxy].to_string()
}

#[tokio::test]
async fn a_proxy_lives_from_its_creation_to_its_deletion() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let body = json!({"name": "office", "description": "in the cellar", "address": "Proxy.Example:3128",
        "protocol": "https", "countryCode": "de", "notes": "slow"});
    let made = ann.post("/proxies").json(&body).send().await;
    assert_eq!(made.header("etag"), Some("\"1\""));
    assert!(made.header("x-event-cursor").is_some());
    let made = made.ok(201);
    for (field, value) in [
        ("address", json!("proxy.example:3128")),
        ("host", json!("proxy.example")),
        ("port", json!(3128)),
        ("protocol", json!("https")),
        ("countryCode", json!("DE")),
        ("isEnabled", json!(true)),
        ("isHealthy", json!(false)),
        ("successCount", json!(0)),
    ] {
        assert_eq!(made[field], value, "{field}");
    }
    let path = format!("/proxies/{}", made["id"].as_str().unwrap());
    assert_eq!(ann.get(&path).send().await.ok(200), made);
    assert_eq!(ann.get("/proxies").send().await.ok(200), json!([made]));

    let change =
        json!({"address": "socks5://[2606:4700::1]:1080", "isEnabled": false, "notes": "quick"});
    let put = |version: &str| ann.put(&path).header("if-match", version).json(&change);
    put("\"7\"").send().await.ok(412);
    let changed = put("\"1\"").send().await;
    assert_eq!(changed.header("etag"), Some("\"3\""));
    let changed = changed.ok(200);
    assert_eq!(changed["address"], "[2606:4700::1]:1080");
    assert_eq!(changed["protocol"], "socks5");
    assert_eq!(changed["name"], "office");
    assert_eq!(ann.get(&path).send().await.ok(200), changed);
    ann.delete(&path).send().await.ok(204);
    ann.get(&path).send().await.ok(404);
    ann.put(&path).json(&change).send().await.ok(404);
    app.stop().await;
}

#[tokio::test]
async fn the_list_of_proxies_answers_its_filters() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    for (name, protocol, country, on) in [
        ("a", "http", "DE", true),
        ("b", "socks4", "FR", true),
        ("c", "http", "FR", false),
    ] {
        let body = json!({"name": name, "address": "192.0.2.1:80", "protocol": protocol,
            "countryCode": country, "isEnabled": on});
        // Documentation's addresses are nobody's.
        let refused = ann.post("/proxies").json(&body).send().await;
        refused.blames(422, "address");
        let body = json!({"name": name, "address": "proxy.example:80", "protocol": protocol,
            "countryCode": country, "isEnabled": on});
        ann.post("/proxies").json(&body).send().await.ok(201);
    }
    for (query, names, total) in [
        ("", "a b c", "3"),
        ("?limit=1&offset=1", "b", "3"),
        ("?protocol=http", "a c", "2"),
        ("?countryCode=fr", "b c", "2"),
        ("?isEnabled=false", "c", "1"),
        ("?isHealthy=true", "", "0"),
        ("?isHealthy=false&protocol=socks4", "b", "1"),
    ] {
        let list = ann.get(&format!("/proxies{query}")).send().await;
        assert_eq!(list.header("x-total-count"), Some(total), "{query}");
        let list = list.ok(200);
        let found: Vec<&str> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|proxy| proxy["name"].as_str().unwrap())
            .collect();
        assert_eq!(found.join(" "), names, "{query}");
    }
    let bob = app.user("bob").await;
    for path in ["/proxies", "/proxies/status"] {
        assert_eq!(bob.get(path).send().await.ok(200), json!([]));
    }
    app.stop().await;
}

#[tokio::test]
async fn what_a_proxy_cannot_be_is_refused_by_its_field_and_its_password_is_not_repeated() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let of = |fields: Value| {
        let mut body = json!({"name": "p", "address": "proxy.example:80"});
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        body
    };
    let secret = format!("http://ann:{PASSWORD}@nowhere");
    let cases = [
        (of(json!({"name": " "})), 422, "name"),
        (of(json!({"address": "proxy.example"})), 422, "address"),
        (of(json!({"address": secret})), 422, "address"),
        (of(json!({"address": "127.0.0.1:80"})), 422, "address"),
        (of(json!({"address": "169.254.169.254:80"})), 422, "address"),
        (
            of(json!({"address": "socks5://proxy.example:80", "protocol": "http"})),
            422,
            "protocol",
        ),
        (of(json!({"protocol": "ftp"})), 400, "protocol"),
        (of(json!({"password": PASSWORD})), 422, "username"),
        (of(json!({"username": "a:b"})), 422, "username"),
        (
            of(json!({"username": "a", "password": PASSWORD, "protocol": "socks4"})),
            422,
            "password",
        ),
        (
            of(json!({"username": "a", "protocol": "socks5"})),
            422,
            "password",
        ),
        (
            of(json!({"address": "a:b@proxy.example:80", "username": "c"})),
            422,
            "username",
        ),
        // The operator of this server named no key.
        (
            of(json!({"username": "a", "password": PASSWORD})),
            422,
            "password",
        ),
        (of(json!({"countryCode": "DEU"})), 422, "countryCode"),
        (of(json!({"notes": "x".repeat(10_001)})), 422, "notes"),
        (of(json!({"host": "x"})), 400, "host"),
        (json!({"name": "p"}), 400, "address"),
    ];
    for (body, status, field) in cases {
        let refused = ann.post("/proxies").json(&body).send().await;
        assert!(!refused.text.contains(PASSWORD), "{}", refused.text);
        refused.blames(status, field);
    }
    assert_eq!(ann.get("/proxies").send().await.ok(200), json!([]));
    app.stop().await;
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_connect_by_every_protocol_and_say_what_is_wrong() {
    let scripts = [
        ProxyScript::open(),
        ProxyScript::faulty(ProxyFault::Unavailable),
        ProxyScript::faulty(ProxyFault::Reset),
    ];
    let app = TestApp::in_sandbox(world(scripts)).await;
    let ann = app.user("ann").await;
    let mut good = Vec::new();
    for protocol in ["http", "https", "socks5", "socks4"] {
        let body = json!({"name": protocol, "protocol": protocol, "address": address(&app, 0)});
        good.push(made(&ann, &body).await);
    }
    let mut bad = Vec::new();
    for (name, address) in [
        ("unavailable", address(&app, 1)),
        ("reset", address(&app, 2)),
        ("nobody", "127.0.0.1:9".to_owned()),
    ] {
        bad.push(made(&ann, &json!({"name": name, "address": address})).await);
    }
    let ids: Vec<&str> = good.iter().chain(&bad).map(|path| id_of(path)).collect();
    let body = json!({"proxyIds": ids});
    let tested = ann
        .post("/proxies/bulk/test")
        .json(&body)
        .send()
        .await
        .ok(200);
    assert_eq!(
        (
            &tested["totalRequested"],
            &tested["successCount"],
            &tested["errorCount"]
        ),
        (&json!(7), &json!(4), &json!(3)),
        "{tested}"
    );
    for (at, result) in tested["results"].as_array().unwrap().iter().enumerate() {
        assert_eq!(result["proxyId"], ids[at]);
        assert_eq!(result["success"], at < good.len(), "{result}");
        assert_eq!(result.get("error").is_none(), at < good.len(), "{result}");
        assert!(result["responseTime"].is_number(), "{result}");
    }
    let checked = ann
        .post("/proxies/health-check")
        .json(&json!({}))
        .send()
        .await
        .ok(202);
    assert_eq!(checked["totalProxies"], 7);
    assert_eq!(checked["healthyProxies"], 4, "{checked}");
    let one = ann
        .post(&format!("{}/health-check", bad[2]))
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&one["success"], &one["status"]),
        (&json!(false), &json!("unhealthy"))
    );
    assert!(
        one["message"].as_str().unwrap().starts_with("proxy_"),
        "{one}"
    );
    let healthy = ann.get("/proxies?isHealthy=true").send().await;
    assert_eq!(healthy.header("x-total-count"), Some("4"));
    let statuses = ann.get("/proxies/status").send().await.ok(200);
    let unhealthy = |status: &&Value| status["status"] == "unhealthy";
    let statuses = statuses.as_array().unwrap();
    assert_eq!(statuses.iter().filter(unhealthy).count(), 3, "{statuses:?}");
    assert!(app.sandbox.as_ref().unwrap().proxy_tunnels(0) >= 8);

    // Only what is other than before is in the log, however often was looked.
    let changes: i64 =
        sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'HealthChanged'")
            .fetch_one(app.app.database.pool())
            .await
            .unwrap();
    assert_eq!(changes, 7);
    app.stop().await;
}

#[tokio::test]
async fn without_a_page_of_the_operators_nothing_is_checked_and_that_is_said() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = made(&ann, &json!({"name": "p", "address": "proxy.example:80"})).await;
    let setting = "DOMAINFLOW_PROXY_CHECK_URL";
    for of in ["test", "health-check"] {
        let refused = ann.post(&format!("{path}/{of}")).send().await;
        refused.blames(422, setting);
    }
    let ids = json!({"proxyIds": [id_of(&path)]});
    ann.post("/proxies/bulk/test")
        .json(&ids)
        .send()
        .await
        .blames(422, setting);
    let pool = json!({"name": "pool", "healthCheckEnabled": true});
    ann.post("/proxy-pools")
        .json(&pool)
        .send()
        .await
        .blames(422, "healthCheckEnabled");
    app.stop().await;
}

#[tokio::test]
async fn several_proxies_are_changed_or_deleted_with_one_request() {
    let app = TestApp::start().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let body = json!({"name": "p", "address": "proxy.example:80"});
    let (one, two) = (made(&ann, &body).await, made(&ann, &body).await);
    let bobs = made(&bob, &body).await;
    let ids = json!([id_of(&one), id_of(&bobs), id_of(&two), id_of(&one)]);
    let change = json!({"proxyIds": ids, "updates": {"notes": "both", "isEnabled": false}});
    let changed = ann.put("/proxies/bulk/update").json(&change).send().await;
    assert!(changed.header("x-event-cursor").is_some());
    let changed = changed.ok(200);
    assert_eq!(
        (
            &changed["totalRequested"],
            &changed["successCount"],
            &changed["errorCount"]
        ),
        (&json!(3), &json!(2), &json!(1)),
        "{changed}"
    );
    assert_eq!(changed["failedProxies"][0]["proxyId"], id_of(&bobs));
    assert_eq!(changed["results"][1]["statusCode"], 404);
    for path in [&one, &two] {
        let shown = ann.get(path).send().await.ok(200);
        assert_eq!(
            (&shown["notes"], &shown["isEnabled"]),
            (&json!("both"), &json!(false))
        );
    }
    assert!(bob.get(&bobs).send().await.ok(200).get("notes").is_none());

    let delete = async |ids: Value| {
        let delete = ann.delete("/proxies/bulk/delete");
        delete.json(&json!({"proxyIds": ids})).send().await
    };
    delete(json!([id_of(&one), id_of(&bobs)]))
        .await
        .blames(422, "proxyIds[1]");
    ann.get(&one).send().await.ok(200);
    delete(json!([])).await.blames(422, "proxyIds");
    delete(json!([id_of(&one), id_of(&two)])).await.ok(204);
    assert_eq!(ann.get("/proxies").send().await.ok(200), json!([]));
    bob.get(&bobs).send().await.ok(200);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_health_is_told_to_its_owner_and_to_nobody_else() {
    let script = ProxyScript::open().credentials("ann", PASSWORD);
    let app = TestApp::in_sandbox(world([script])).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = made(&ann, &json!({"name": "p", "address": address(&app, 0)})).await;
    let mut anns = Stream::open(&ann, "/sse/events", None).await;
    let mut bobs = Stream::open(&bob, "/sse/events", None).await;
    let checked = async || {
        let check = ann.post(&format!("{path}/health-check"));
        check.send().await.ok(200)["status"].clone()
    };
    assert_eq!(checked().await, "unhealthy");
    assert_eq!(checked().await, "unhealthy");
    let login = json!({"username": "ann", "password": PASSWORD});
    ann.put(&path).json(&login).send().await.ok(200);
    assert_eq!(checked().await, "healthy");
    let told = anns
        .until(|message| message.payload()["isHealthy"] == true)
        .await;
    let told: Vec<_> = told
        .iter()
        .filter(|message| message.kind == "proxy_health_changed")
        .map(|message| message.payload().clone())
        .collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0]["proxyId"], id_of(&path));
    assert_eq!(told[0]["reason"], "proxy_auth_required");
    assert!(
        !told
            .iter()
            .any(|payload| payload.to_string().contains(PASSWORD))
    );

    // Whatever comes to bob is his own.
    bob.post("/keyword-sets")
        .json(&json!({"name": "w"}))
        .send()
        .await
        .ok(201);
    let heard = bobs
        .until(|message| message.kind == "keyword_set_created")
        .await;
    let kinds: BTreeSet<_> = heard.iter().map(|message| message.kind.as_str()).collect();
    assert!(!kinds.contains("proxy_health_changed"), "{kinds:?}");
    app.stop().await;
}
