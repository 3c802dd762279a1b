//! Proxies through the interface: what is kept of them, what is never told, and checks that really connect.

mod checks;
mod credentials;

use domainflow::{app::App, credentials::Keys};
use sandbox::{Host, ProxyScript, World};
use serde_json::{Value, json};

use crate::support::{
    pipeline::CHECKED,
    server::{Client, TestApp},
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

#[tokio::test]
async fn a_password_is_refused_where_the_operator_named_no_key() {
    let world = World::generated(1);
    let without_keys = |app: &mut App| app.defaults.network.keys = Keys::default();
    let app = TestApp::in_sandbox_with(world, without_keys).await;
    let ann = app.user("ann").await;
    let body =
        json!({"name": "p", "address": "proxy.example:80", "username": "a", "password": PASSWORD});
    let refused = ann.post("/proxies").json(&body).send().await;
    assert!(!refused.text.contains(PASSWORD), "{}", refused.text);
    refused.blames(422, "password");
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
