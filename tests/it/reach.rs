//! From where the interface is reached: what browsers are told, which other sites are let in, how often one may ask.

use std::time::Duration;

use domainflow::http::{Limits, Rate, Settings};
use reqwest::Method;
use serde_json::json;

use crate::{
    api_keys::key_of,
    support::server::{Client, PASSWORD, Reply, TestApp, email},
};

const APP: &str = "https://app.example.com";

fn with_origin() -> Settings {
    Settings {
        origins: [APP.parse().unwrap()].into_iter().collect(),
        ..Settings::default()
    }
}

fn with_limits(limits: Limits) -> Settings {
    Settings {
        limits,
        ..Settings::default()
    }
}

/// So seldom that none comes back while a test runs.
fn seldom(burst: u32) -> Option<Rate> {
    Some(Rate {
        each: Duration::from_secs(3600),
        burst,
    })
}

#[tokio::test]
async fn every_answer_tells_browsers_not_to_frame_run_guess_name_or_keep_it() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let replies = [
        ann.get("/auth/me").send().await,
        app.log_in("ann", PASSWORD).await,
        app.anonymous().get("/auth/me").send().await,
        app.anonymous().get("/nothing").send().await,
        app.anonymous().get("/openapi.json").send().await,
        ann.request(Method::PATCH, "/personas").send().await,
    ];
    for reply in replies {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{} {name}", reply.status);
        }
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(reply.header("strict-transport-security").is_none());
    }
    app.stop().await;
}

#[tokio::test]
async fn a_server_behind_tls_holds_browsers_to_it() {
    let app = TestApp::reached(Settings::default(), true).await;
    let reply = app.anonymous().get("/ping").send().await;
    assert_eq!(
        reply.header("strict-transport-security"),
        Some("max-age=31536000")
    );
    app.user("ann").await;
    let log_in = app.log_in("ann", PASSWORD).await;
    assert!(log_in.header("set-cookie").unwrap().contains("; Secure"));
    app.stop().await;
}

#[tokio::test]
async fn the_documentation_page_needs_nothing_that_its_policy_forbids() {
    let app = TestApp::start().await;
    let page = app.anonymous().get("/docs/").send().await;
    let policy = page
        .header("content-security-policy")
        .expect("a policy")
        .to_owned();
    assert!(policy.contains("script-src 'self';"), "{policy}");
    let html = page.text;
    // No script, style or handler stands in the page itself, and what it names is here.
    for (tag, inline) in html.split('<').filter_map(|tag| tag.split_once('>')) {
        if tag.starts_with("script") {
            assert!(tag.contains("src=") && inline.trim().is_empty(), "{tag}");
        }
        assert!(!tag.starts_with("style") && !tag.contains(" on"), "{tag}");
        let named = ["src=\"", "href=\""].iter().find_map(|attribute| {
            let (_, rest) = tag.split_once(attribute)?;
            rest.split('"').next()
        });
        if let Some(name) = named {
            let name = name.trim_start_matches("./");
            assert!(!name.contains("//"), "{name}");
            let part = app.anonymous().get(&format!("/docs/{name}")).send().await;
            assert_eq!(part.status, 200, "{name}");
            assert_eq!(part.header("x-content-type-options"), Some("nosniff"));
            let kind = part.header("content-type").unwrap().to_owned();
            // Nothing is guessed, so what is run has to say that it is a script.
            assert!(
                !tag.starts_with("script") || kind.contains("javascript"),
                "{name}: {kind}"
            );
            assert!(
                !name.ends_with(".css") || kind.contains("css"),
                "{name}: {kind}"
            );
        }
    }
    let begun = app
        .anonymous()
        .get("/docs/swagger-initializer.js")
        .send()
        .await
        .text;
    assert!(begun.contains("/api/v2/openapi.json"), "{begun}");
    app.stop().await;
}

async fn preflight(client: &Client, origin: &str, method: &str) -> Reply {
    client
        .request(Method::OPTIONS, "/campaigns")
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header(
            "access-control-request-headers",
            "content-type,x-requested-with",
        )
        .send()
        .await
}

#[tokio::test]
async fn the_scripts_of_an_origin_that_is_let_in_use_the_interface_with_the_users_cookie_and_no_others()
 {
    let app = TestApp::reached(with_origin(), false).await;
    let ann = app.user("ann").await;
    let stranger = app.anonymous();
    let asked = preflight(&stranger, APP, "DELETE").await;
    assert_eq!(asked.status, 200);
    assert_eq!(asked.header("access-control-allow-origin"), Some(APP));
    assert_eq!(
        asked.header("access-control-allow-credentials"),
        Some("true")
    );
    assert!(
        asked
            .header("access-control-allow-methods")
            .unwrap()
            .contains("DELETE")
    );
    assert!(
        asked
            .header("access-control-allow-headers")
            .unwrap()
            .contains("x-requested-with")
    );
    assert!(
        asked
            .header("vary")
            .unwrap()
            .to_lowercase()
            .contains("origin")
    );
    for other in [
        "https://evil.example",
        "https://app.example.com.evil.example",
        "null",
    ] {
        let asked = preflight(&stranger, other, "GET").await;
        assert!(
            asked.header("access-control-allow-origin").is_none(),
            "{other}"
        );
    }

    let made = async |origin: &str| {
        stranger
            .post("/keyword-sets")
            .header("cookie", ann.cookie())
            .header("origin", origin)
            .header("sec-fetch-site", "same-site")
            .json(&json!({"name": "k"}))
            .send()
            .await
    };
    let reply = made(APP).await;
    assert_eq!(reply.header("access-control-allow-origin"), Some(APP));
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(
        exposed.contains("etag") && exposed.contains("x-event-cursor"),
        "{exposed}"
    );
    reply.ok(201);
    made("https://evil.example")
        .await
        .blames(403, "X-Requested-With");
    // What goes wrong can be read by the script too.
    let refused = stranger.get("/auth/me").header("origin", APP).send().await;
    assert_eq!(refused.header("access-control-allow-origin"), Some(APP));
    refused.ok(401);
    app.stop().await;

    let app = TestApp::start().await;
    let asked = preflight(&app.anonymous(), APP, "GET").await;
    assert!(asked.header("access-control-allow-origin").is_none());
    app.stop().await;
}

/// Expects a refusal that says when to come back.
fn is_too_many(reply: &Reply) {
    assert_eq!(reply.status, 429, "{}", reply.text);
    let wait: u64 = reply
        .header("retry-after")
        .expect("Retry-After")
        .parse()
        .unwrap();
    assert!((1..=3601).contains(&wait), "{wait}");
    assert_eq!(reply.json()["error"]["code"], "RATE_LIMITED");
}

#[tokio::test]
async fn a_user_a_key_and_an_address_each_have_so_many_requests_and_no_more() {
    let app = TestApp::reached(
        with_limits(Limits {
            requests: seldom(4),
            ..Limits::default()
        }),
        false,
    )
    .await;
    // Two log-ins of the address's four.
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (_, holder) = key_of(&ann, "read").await;
    for _ in 0..3 {
        ann.get("/auth/me").send().await.ok(200);
    }
    is_too_many(&ann.get("/auth/me").send().await);
    is_too_many(
        &ann.post("/campaigns")
            .json(&json!({"name": "c"}))
            .send()
            .await,
    );
    bob.get("/auth/me").send().await.ok(200);
    for _ in 0..4 {
        holder.get("/auth/me").send().await.ok(200);
    }
    is_too_many(&holder.get("/auth/me").send().await);

    let forged = Client {
        token: Some("forged".to_owned()),
        ..app.anonymous()
    };
    forged.get("/auth/me").send().await.ok(401);
    app.anonymous().get("/nothing").send().await.ok(404);
    is_too_many(&app.anonymous().get("/nothing").send().await);
    is_too_many(&app.anonymous().get("/auth/me").send().await);
    is_too_many(&forged.get("/auth/me").send().await);
    // Who is known is not among the strangers of his address.
    bob.get("/auth/me").send().await.ok(200);
    app.stop().await;
}

#[tokio::test]
async fn log_ins_are_limited_by_address_and_by_account_whether_or_not_there_is_one() {
    let app = TestApp::reached(
        with_limits(Limits {
            log_ins: seldom(9),
            log_ins_of_account: seldom(3),
            ..Limits::default()
        }),
        false,
    )
    .await;
    app.user("ann").await;
    for _ in 0..2 {
        app.log_in("ann", "wrong password").await.ok(401);
    }
    // The right password too: nobody is let try on through it.
    is_too_many(&app.log_in("ann", PASSWORD).await);
    is_too_many(&app.log_in(" ANN", PASSWORD).await);
    for _ in 0..3 {
        app.log_in("nobody", PASSWORD).await.ok(401);
    }
    is_too_many(&app.log_in("nobody", PASSWORD).await);
    // That was nine from here.
    is_too_many(&app.log_in("somebody", PASSWORD).await);
    let body = json!({"token": "x", "email": email("x"), "username": "x", "password": PASSWORD});
    is_too_many(&app.anonymous().post("/auth/setup").json(&body).send().await);
    app.stop().await;
}

#[tokio::test]
async fn a_proxy_of_the_operators_is_believed_whom_it_names_and_nobody_else_is() {
    let from = |client: &Client, forwarded: &str| {
        let body = json!({"email": email("ann"), "password": PASSWORD});
        let log_in = client.post("/auth/login").json(&body);
        log_in.header("x-forwarded-for", forwarded).send()
    };
    let seen = async |app: &TestApp| -> Vec<String> {
        app.app.runtime.catch_up().await.unwrap();
        sqlx::query_scalar(
            "SELECT DISTINCT ip FROM read.audit_entries WHERE action = 'LoggedIn' ORDER BY 1",
        )
        .fetch_all(app.app.database.pool())
        .await
        .unwrap()
    };
    let limits = Limits {
        log_ins: seldom(2),
        ..Limits::default()
    };
    let trusting = Settings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..with_limits(limits)
    };
    let app = TestApp::reached(trusting, false).await;
    app.user("ann").await;
    for client in ["198.51.100.1", "198.51.100.2"] {
        for _ in 0..2 {
            from(&app.anonymous(), &format!("203.0.113.9, {client}"))
                .await
                .ok(200);
        }
        is_too_many(&from(&app.anonymous(), client).await);
    }
    assert_eq!(
        seen(&app).await,
        ["127.0.0.1", "198.51.100.1", "198.51.100.2"]
    );
    app.stop().await;

    let app = TestApp::reached(with_limits(limits), false).await;
    app.user("ann").await;
    from(&app.anonymous(), "198.51.100.1").await.ok(200);
    is_too_many(&from(&app.anonymous(), "198.51.100.2").await);
    assert_eq!(seen(&app).await, ["127.0.0.1"]);
    app.stop().await;
}

#[tokio::test]
async fn nobodys_attempts_at_a_set_up_token_keep_the_operator_elsewhere_from_using_it() {
    let limits = Limits {
        log_ins: seldom(2),
        log_ins_of_account: seldom(1),
        ..Limits::default()
    };
    let behind_a_proxy = Settings {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        ..with_limits(limits)
    };
    let app = TestApp::reached(behind_a_proxy, false).await;
    let token = app.auth.offer_setup(&app.app).await.unwrap();
    let token = token.expect("there are no users");
    let set_up = async |token: &str, from: &str| {
        let body =
            json!({"token": token, "email": email("x"), "username": "x", "password": PASSWORD});
        let setup = app.anonymous().post("/auth/setup").json(&body);
        setup.header("x-forwarded-for", from).send().await
    };
    for _ in 0..2 {
        set_up("guessed", "198.51.100.1").await.ok(401);
    }
    is_too_many(&set_up("guessed", "198.51.100.1").await);
    set_up(token.expose(), "198.51.100.2").await.ok(201);
    app.stop().await;
}

#[tokio::test]
async fn whom_nobody_knows_is_not_read_more_of_than_a_log_in_has() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let most = 16 << 10;
    let padded = |size: usize| {
        let body = json!({"email": email("ann"), "password": PASSWORD}).to_string();
        let padding = " ".repeat(size - body.len());
        body + &padding
    };
    for path in ["/auth/login", "/auth/setup"] {
        let send = app.anonymous().post(path);
        let large = send.body("application/json", padded(most + 1)).send().await;
        large.blames_size("body", most);
    }
    let ping = app.anonymous().request(Method::GET, "/ping");
    let ping = ping.body("text/plain", " ".repeat(most + 1)).send().await;
    ping.blames_size("body", most);
    let log_in = app.anonymous().post("/auth/login");
    let log_in = log_in.body("application/json", padded(most)).send().await;
    log_in.ok(200);
    // Who is known may say more.
    let set = json!({"name": "k", "description": "x".repeat(10_000)}).to_string();
    let set = set + &" ".repeat(2 * most);
    let made = ann.post("/keyword-sets").body("application/json", set);
    made.send().await.ok(201);
    app.stop().await;
}

#[tokio::test]
async fn whatever_a_stranger_asks_counts_and_whoever_asks_how_the_server_is_counts_apart() {
    let app = TestApp::reached(
        with_limits(Limits {
            requests: seldom(6),
            ..Limits::default()
        }),
        false,
    )
    .await;
    let client = app.anonymous();
    for path in [
        "/openapi.json",
        "/docs/",
        "/docs/swagger-ui.css",
        "/nothing",
    ] {
        let reply = client.get(path).send().await;
        assert!(reply.status != 429, "{path}");
    }
    let root = format!("{}/", app.base.trim_end_matches("/api/v2"));
    client.http.get(&root).send().await.unwrap();
    client.post("/openapi.json").send().await.ok(405);
    for path in ["/openapi.json", "/docs/", "/nothing", "/auth/me"] {
        client.get(path).send().await.ok(429);
    }
    assert_eq!(client.http.get(&root).send().await.unwrap().status(), 429);
    for path in [
        "/health",
        "/health/live",
        "/health/ready",
        "/ping",
        "/health/live",
        "/ping",
    ] {
        client.get(path).send().await.ok(200);
    }
    client.get("/health/live").send().await.ok(429);
    app.stop().await;
}

#[tokio::test]
async fn whoever_brought_too_many_wrong_keys_is_refused_before_the_next_is_looked_up() {
    let app = TestApp::reached(
        with_limits(Limits {
            requests: seldom(4),
            ..Limits::default()
        }),
        false,
    )
    .await;
    let ann = app.user("ann").await;
    let (id, holder) = key_of(&ann, "read").await;
    ann.delete(&format!("/auth/api-keys/{id}"))
        .send()
        .await
        .ok(204);
    for _ in 0..3 {
        holder.get("/auth/me").send().await.ok(401);
    }
    let mut held = app.app.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *held)
        .await
        .unwrap();
    let asked = holder.get("/auth/me").send();
    let refused = tokio::time::timeout(crate::support::DEADLINE, asked).await;
    refused.expect("nothing is looked up").ok(429);
    held.rollback().await.unwrap();
    app.stop().await;
}
