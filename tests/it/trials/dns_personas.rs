//! DNS personas that are tested.

use sandbox::{Always, Dns, Host, ResolverScript, World};
use serde_json::{Value, json};

use super::{dns_persona, events, http_persona, persona, steps, tested};
use crate::support::server::TestApp;

fn world() -> World {
    World::scripted()
        .host("shop.test", Host::page(&[]))
        .host("cut.test", Host::named(Dns::Truncated))
        .host("gone.test", Host::named(Dns::NxDomain))
        .resolver(ResolverScript::healthy())
        .resolver(ResolverScript::always(Always::Refused))
        .resolver(ResolverScript::always(Always::Silent))
}

fn resolvers(app: &TestApp) -> Vec<String> {
    let sandbox = app.sandbox.as_ref().unwrap();
    sandbox
        .resolvers()
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_resolver_is_asked_by_itself_and_then_all_of_them_as_a_run_asks() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let asked = resolvers(&app);
    // Both that fail are asked at most once a question before the one that answers.
    let config = json!({"resolvers": asked, "queryTimeoutSeconds": 1, "maxDomainsPerRequest": 1,
        "concurrentQueriesPerDomain": 2, "attempts": 3});
    let id = persona(&ann, "dns", config).await;
    let before = events(&app).await;
    let answer = tested(&ann, &id, &json!({"target": "Shop.test"})).await;
    assert_eq!(answer["success"], true, "{answer}");
    assert_eq!(answer["personaType"], "dns");
    assert_eq!(answer["message"], "shop.test is at 127.0.0.1");

    let alone = steps(&answer, "resolver");
    let said: Vec<_> = alone
        .iter()
        .map(|step| (&step["resolver"], &step["outcome"], &step["reason"]))
        .collect();
    let (ok, error, timeout) = (json!("ok"), json!("error"), json!("timeout"));
    let (refused, silent) = (json!("REFUSED"), json!("TIMEOUT"));
    let names: Vec<Value> = asked.iter().map(|name| json!(name)).collect();
    assert_eq!(
        said,
        [
            (&names[0], &ok, &Value::Null),
            (&names[1], &error, &refused),
            (&names[2], &timeout, &silent),
        ]
    );
    assert_eq!(alone[0]["addresses"], json!(["127.0.0.1"]));
    assert_eq!(
        (&alone[0]["transport"], &alone[0]["attempts"]),
        (&json!("udp"), &json!(2))
    );
    assert!(alone[2]["elapsedMs"].as_u64().unwrap() >= 1_000, "{answer}");

    let found = &answer["results"]["dns"];
    assert_eq!(found["addresses"], json!(["127.0.0.1"]));
    assert_eq!(found["resolver"], names[0], "the one that answers");
    assert_eq!(steps(&answer, "lookup").len(), 1);
    assert_eq!(events(&app).await, before, "nothing of it is recorded");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_to_a_resolver_is_told() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let sandbox = app.sandbox.as_ref().unwrap();
    let tls = format!("tls://{}", sandbox.dot_addr());
    let asked = json!([resolvers(&app)[0], tls, sandbox.doh_url()]);
    let id = dns_persona(&ann, asked).await;
    let answer = tested(&ann, &id, &json!({"target": "https://cut.test/page"})).await;
    assert_eq!(answer["results"]["target"], "cut.test");
    let ways: Vec<_> = steps(&answer, "resolver")
        .iter()
        .map(|step| (&step["transport"], &step["outcome"]))
        .collect();
    let ok = json!("ok");
    let (tcp, tls, https) = (json!("tcp"), json!("tls"), json!("https"));
    assert_eq!(ways, [(&tcp, &ok), (&tls, &ok), (&https, &ok)], "{answer}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persona_that_finds_nothing_is_answered_with_what_it_met() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let asked = resolvers(&app);
    for (resolver, target, outcome, reason) in [
        (0, "gone.test", "error", "NXDOMAIN"),
        (1, "shop.test", "error", "REFUSED"),
        (2, "shop.test", "timeout", "TIMEOUT"),
    ] {
        let id = dns_persona(&ann, json!([asked[resolver]])).await;
        let answer = tested(&ann, &id, &json!({"target": target})).await;
        assert_eq!(answer["success"], false, "{answer}");
        let results = &answer["results"];
        assert_eq!(
            (&results["outcome"], &results["reason"]),
            (&json!(outcome), &json!(reason))
        );
        assert!(
            answer["message"].as_str().unwrap().contains(reason),
            "{answer}"
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_is_none_is_refused_by_its_name_and_the_operators_is_taken_where_none_is_named()
 {
    let adjust = |app: &mut domainflow::app::App| {
        app.defaults.network.persona_test_target = Some("shop.test".parse().unwrap());
    };
    let app = TestApp::in_sandbox_with(world(), adjust).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = dns_persona(&ann, json!([resolvers(&app)[0]])).await;
    let path = format!("/personas/{id}/test");
    for target in [
        "",
        "localhost",
        "ftp://shop.test/",
        "http://a:b@shop.test/",
        "http://shop.test:22/",
        "http://127.0.0.1/",
    ] {
        let refused = ann
            .post(&path)
            .json(&json!({"target": target}))
            .send()
            .await;
        refused.blames(422, "target");
    }
    ann.post(&path)
        .json(&json!({"goal": "x"}))
        .send()
        .await
        .blames(400, "goal");
    ann.post(&path)
        .json(&json!({"target": 1}))
        .send()
        .await
        .blames(400, "target");
    bob.post(&path).send().await.blames(404, "id");

    let bare = ann.post(&path).send().await.ok(200);
    assert_eq!(bare["results"]["target"], "shop.test", "{bare}");
    let answer = tested(&ann, &id, &json!({})).await;
    assert_eq!(answer["results"]["target"], "shop.test");
    // One that no phase may use can be tested before it is switched on.
    ann.put(&format!("/personas/{id}"))
        .json(&json!({"isEnabled": false}))
        .send()
        .await
        .ok(200);
    assert_eq!(tested(&ann, &id, &json!({})).await["success"], true);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_ends_with_its_time_and_says_so() {
    let adjust = |app: &mut domainflow::app::App| {
        app.trials = domainflow::work::trials::Trials::new(2, 2, std::time::Duration::from_secs(1));
    };
    let app = TestApp::in_sandbox_with(world(), adjust).await;
    let ann = app.user("ann").await;
    let config = json!({"resolvers": [resolvers(&app)[2]], "queryTimeoutSeconds": 30, "maxDomainsPerRequest": 1,
        "concurrentQueriesPerDomain": 2});
    let id = persona(&ann, "dns", config).await;
    let answer = tested(&ann, &id, &json!({"target": "shop.test"})).await;
    assert_eq!(answer["results"]["outcome"], "timeout", "{answer}");
    assert!(
        answer["message"].as_str().unwrap().contains("1 s"),
        "{answer}"
    );
    assert_eq!(
        steps(&answer, "resolver")[0]["outcome"],
        "timeout",
        "{answer}"
    );
    assert!(answer["results"]["elapsedMs"].as_u64().unwrap() < 20_000);

    let http = http_persona(&ann, json!({"rateLimitDps": 0.001})).await;
    let answer = tested(&ann, &http, &json!({"target": "shop.test"})).await;
    assert_eq!(
        answer["results"]["outcome"], "timeout",
        "its pace is kept: {answer}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resolvers_whose_turn_does_not_come_are_told_as_not_asked() {
    let adjust = |app: &mut domainflow::app::App| {
        app.trials = domainflow::work::trials::Trials::new(2, 2, std::time::Duration::from_secs(2));
    };
    let world = (0..12).fold(
        World::scripted().host("shop.test", Host::page(&[])),
        |world, _| world.resolver(ResolverScript::always(Always::Silent)),
    );
    let app = TestApp::in_sandbox_with(world, adjust).await;
    let ann = app.user("ann").await;
    let config = json!({"resolvers": resolvers(&app), "queryTimeoutSeconds": 30, "maxDomainsPerRequest": 1,
        "concurrentQueriesPerDomain": 2});
    let id = persona(&ann, "dns", config).await;
    let answer = tested(&ann, &id, &json!({"target": "shop.test"})).await;
    let alone = steps(&answer, "resolver");
    let (asked, skipped) = alone.split_at(8);
    assert_eq!((asked.len(), skipped.len()), (8, 4), "{answer}");
    for step in asked {
        let detail = step["detail"].as_str().unwrap();
        assert_eq!(step["outcome"], "timeout", "{step}");
        assert!(detail.contains("first 1 s"), "{detail}");
    }
    for step in skipped {
        assert_eq!(step["outcome"], "skipped", "{step}");
        assert!(
            step["detail"].as_str().unwrap().contains("not asked"),
            "{step}"
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persona_of_very_many_resolvers_is_for_campaigns_and_refused_by_trials() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let many: Vec<String> = (1..=65).map(|n| format!("127.0.1.{n}")).collect();
    let id = dns_persona(&ann, json!(many)).await;
    let refused = ann.post(&format!("/personas/{id}/test")).send().await;
    let said = refused.says(422, "resolvers");
    assert!(said.contains("65") && said.contains("64"), "{said}");
    let set = super::keyword_set(&ann).await;
    let item = json!({"url": "http://shop.test/", "keywordSetId": set, "dnsPersonaId": id});
    let batch = ann
        .post("/extract/keywords")
        .json(&json!({"items": [item]}));
    batch.send().await.blames(422, "items[0].dnsPersonaId");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_may_be_left_out_is_json_of_bounded_size_where_it_is_not() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let id = http_persona(&ann, json!({})).await;
    let campaign = crate::campaigns::create(&ann, &json!({"name": "x"})).await;
    for path in [
        format!("/personas/{id}/test"),
        format!("{campaign}/rescore"),
    ] {
        let text = ann.post(&path).body("text/plain", "{}");
        text.send().await.blames(415, "Content-Type");
        let large = format!("{{\"target\":\"{}\"}}", "x".repeat(3 << 20));
        let large = ann.post(&path).body("application/json", large);
        large.send().await.blames(413, "body");
    }
    app.stop().await;
}
