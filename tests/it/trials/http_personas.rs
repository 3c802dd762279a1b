//! HTTP personas that are tested.

use std::net::Ipv4Addr;

use sandbox::{Dns, Host, Record, ResolverScript, Site, Target, Tls, World};
use serde_json::{Value, json};

use super::{events, http_persona, kinds, steps, tested};
use crate::support::server::TestApp;

const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

fn world() -> World {
    let page =
        "<html lang=en><title>Fresh beans</title><h1>Beans</h1><a href=/about>us</a> and more";
    let elsewhere = |host: &str| {
        Host::new(Site::Redirect(
            302,
            Target::Https(host.to_owned(), "/".to_owned()),
        ))
    };
    World::scripted()
        .resolver(ResolverScript::healthy())
        .host(
            "shop.test",
            Host::html(page).robots("User-agent: *\nDisallow: /kept\n"),
        )
        .host("moved.test", elsewhere("shop.test"))
        .host("plain.test", Host::html(page).tls(Tls::Absent))
        .host("expired.test", Host::html(page).tls(Tls::Expired))
        .host("missing.test", Host::status(404))
        .host("reset.test", Host::new(Site::Reset(0)))
        .host("silent.test", Host::new(Site::Silent))
        .host("gone.test", Host::named(Dns::NxDomain))
        .host("inside.test", Host::html(page).record(Record::A(METADATA)))
        .host("leads.test", elsewhere("inside.test"))
        .host("asks.test", Host::html(page))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_is_told_from_the_look_up_to_what_the_page_says() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let id = http_persona(&ann, json!({})).await;
    let before = events(&app).await;
    let answer = tested(&ann, &id, &json!({"target": "moved.test"})).await;
    assert_eq!(answer["success"], true, "{answer}");
    let hop = ["chosen", "connected", "secured", "requested", "answered"];
    let mut expected = vec!["resolved"];
    // robots.txt, which there is none of; then the page, which is elsewhere.
    expected.extend(hop);
    expected.push("failed");
    expected.push("robots");
    expected.extend(hop);
    expected.extend(["redirected", "resolved"]);
    expected.extend(hop);
    expected.push("fetched");
    assert_eq!(kinds(&answer), expected, "{answer}");

    let port = app.sandbox.as_ref().unwrap().https_port();
    let results = &answer["results"];
    let fetched = &results["http"];
    for (field, value) in [
        ("statusCode", json!(200)),
        ("finalUrl", json!(format!("https://shop.test:{port}/"))),
        ("redirects", json!([format!("https://moved.test:{port}/")])),
        ("address", json!(format!("127.0.0.1:{port}"))),
        ("tlsVersion", json!("TLSv1.3")),
        ("cut", json!(false)),
    ] {
        assert_eq!(fetched[field], value, "{field}: {answer}");
    }
    assert!(fetched["certificateExpires"].is_string());
    assert_eq!(fetched["contentHash"].as_str().unwrap().len(), 64);
    let page = &fetched["page"];
    assert_eq!(
        (&page["title"], &page["language"]),
        (&json!("Fresh beans"), &json!("en"))
    );
    assert_eq!(
        (&page["h1Count"], &page["internalLinks"]),
        (&json!(1), &json!(1))
    );
    let redirected = steps(&answer, "redirected");
    assert_eq!(redirected[0]["location"], fetched["finalUrl"]);
    let times: Vec<u64> = answer["testResults"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["atMs"].as_u64().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(events(&app).await, before, "nothing of it is recorded");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_persona_sets_is_on_the_wire_of_its_test() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let id = http_persona(
        &ann,
        json!({"headers": {"X-Trial": "yes"}, "followRedirects": false,
        "robots": {"ignore": true, "reason": "our own"}}),
    )
    .await;
    let answer = tested(&ann, &id, &json!({"target": "asks.test"})).await;
    assert_eq!(answer["success"], true, "{answer}");
    let seen = app.sandbox.as_ref().unwrap().http_seen("asks.test");
    let targets: Vec<_> = seen.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["/"], "robots.txt is not asked");
    assert_eq!(seen[0].header("x-trial"), Some("yes"));
    assert_eq!(
        seen[0].header("user-agent"),
        Some("Trial/1 (me@example.com)")
    );
    assert_eq!(steps(&answer, "robots")[0]["detail"], "it is not asked");
    let answer = tested(&ann, &id, &json!({"target": "moved.test"})).await;
    assert_eq!(answer["results"]["http"]["statusCode"], 302);
    assert_eq!(
        answer["results"]["detail"],
        "status_302: the server answered 302"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_kind_of_failure_is_told_as_results_of_runs_tell_it() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let id = http_persona(&ann, json!({})).await;
    for (target, outcome, reason, code, last) in [
        ("gone.test", "error", "ERROR", "host_unresolved", "resolved"),
        ("missing.test", "error", "NOT_FOUND", "status_404", "failed"),
        (
            "reset.test",
            "error",
            "CONNECTION_RESET",
            "connection_reset",
            "failed",
        ),
        ("silent.test", "timeout", "TIMEOUT", "deadline", "robots"),
        (
            "expired.test",
            "error",
            "SSL_EXPIRED",
            "certificate_expired",
            "robots",
        ),
        ("inside.test", "error", "ERROR", "address_refused", "robots"),
        ("leads.test", "error", "ERROR", "address_refused", "failed"),
        (
            "https://shop.test/kept/x",
            "error",
            "ERROR",
            "robots_disallowed",
            "robots",
        ),
        (
            "http://169.254.169.254/latest/meta-data/",
            "error",
            "ERROR",
            "address_refused",
            "robots",
        ),
        (
            "http://[fd00:ec2::254]/latest/",
            "error",
            "ERROR",
            "address_refused",
            "robots",
        ),
    ] {
        let answer = tested(&ann, &id, &json!({"target": target})).await;
        let results = &answer["results"];
        assert_eq!(
            (&results["outcome"], &results["reason"]),
            (&json!(outcome), &json!(reason)),
            "{target}: {answer}"
        );
        let detail = results["detail"].as_str().unwrap();
        assert!(
            detail.starts_with(&format!("{code}: ")),
            "{target}: {detail}"
        );
        assert_eq!(kinds(&answer).last(), Some(&last), "{target}: {answer}");
        let connected = steps(&answer, "connected");
        let to_metadata = connected
            .iter()
            .any(|step| step["address"].to_string().contains("169.254"));
        assert!(!to_metadata, "{answer}");
    }
    // Over http where https cannot be had, with the reason why.
    let answer = tested(&ann, &id, &json!({"target": "plain.test"})).await;
    assert_eq!(answer["success"], true, "{answer}");
    assert!(
        answer["results"]["http"]["httpsFailure"]
            .as_str()
            .unwrap()
            .starts_with("TLS_ERROR")
    );
    let urls: Vec<&Value> = steps(&answer, "requested")
        .iter()
        .map(|step| &step["url"])
        .collect();
    assert!(
        urls.iter()
            .all(|url| url.as_str().unwrap().starts_with("http://")),
        "{urls:?}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_inside_is_refused_where_the_operator_does_not_allow_it() {
    let adjust = |app: &mut domainflow::app::App| app.defaults.network.allow_private = false;
    let app = TestApp::in_sandbox_with(world(), adjust).await;
    let ann = app.user("ann").await;
    let id = http_persona(&ann, json!({})).await;
    for target in [
        "shop.test",
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://10.0.0.1/",
    ] {
        let answer = tested(&ann, &id, &json!({"target": target})).await;
        let detail = answer["results"]["detail"].as_str().unwrap();
        assert!(detail.starts_with("address_refused: "), "{answer}");
        assert!(steps(&answer, "connected").is_empty(), "{answer}");
    }
    assert_eq!(app.sandbox.as_ref().unwrap().http_total(), 0);
    app.stop().await;
}
