//! Keywords of several pages with one request.

use std::time::Duration;

use aggregates::user::Role;
use domainflow::{app::App, work::trials::Trials};
use sandbox::{Dns, Host, ResolverScript, Site, Target, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{dns_persona, events, http_persona, keyword_set};
use crate::{
    api_keys::key_of,
    support::server::{Client, TestApp},
};

const PAGE: &str = "<title>Espresso bar</title><body><p>Our espresso, and our roaster.</p>\
    <script>var tea = 1</script></body>";

fn world() -> World {
    let elsewhere = Target::Http("shop.test".to_owned(), "/".to_owned());
    World::scripted()
        .resolver(ResolverScript::healthy())
        .host("shop.test", Host::html(PAGE))
        .host("moved.test", Host::new(Site::Redirect(301, elsewhere)))
        .host("missing.test", Host::status(404))
        .host(
            "image.test",
            Host::new(Site::Raw("image/png".to_owned(), vec![0; 100])),
        )
        .host("gone.test", Host::named(Dns::NxDomain))
        .host("silent.test", Host::new(Site::Silent))
        .wildcard(
            "slow.test",
            Host::new(Site::Delayed(
                Duration::from_millis(100),
                Box::new(Site::Html(PAGE.to_owned())),
            )),
        )
}

async fn extracted(client: &Client, items: &Value) -> Vec<Value> {
    let extract = client
        .post("/extract/keywords")
        .json(&json!({"items": items}));
    let answer = extract.send().await.ok(200);
    answer["results"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_answered_in_the_order_of_the_request_with_what_was_found_or_why_not() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let (set, other) = (keyword_set(&ann).await, keyword_set(&ann).await);
    let resolver = app.sandbox.as_ref().unwrap().resolvers()[0].to_string();
    let (dns, http) = (
        dns_persona(&ann, json!([resolver])).await,
        http_persona(&ann, json!({})).await,
    );
    let before = events(&app).await;
    let pages = [
        "moved.test",
        "missing.test",
        "gone.test",
        "image.test",
        "shop.test",
    ];
    let items: Vec<Value> = pages
        .iter()
        .zip([&set, &set, &other, &set, &other])
        .map(|(host, set)| {
            json!({"url": format!("http://{host}/"), "keywordSetId": set, "dnsPersonaId": dns, "httpPersonaId": http})
        })
        .collect();
    let results = extracted(&ann, &json!(items)).await;
    let urls: Vec<_> = results.iter().map(|result| &result["url"]).collect();
    let asked: Vec<_> = items.iter().map(|item| &item["url"]).collect();
    assert_eq!(urls, asked);
    let port = app.sandbox.as_ref().unwrap().http_port();
    let moved = &results[0];
    assert_eq!(moved["finalURL"], format!("http://shop.test:{port}/"));
    assert_eq!(moved["statusCode"], 200);
    assert_eq!(
        (
            &moved["keywordSetIdUsed"],
            &moved["dnsPersonaIdUsed"],
            &moved["httpPersonaIdUsed"]
        ),
        (&json!(set), &json!(dns), &json!(http))
    );
    assert!(
        moved.get("proxyIdUsed").is_none() && moved.get("error").is_none(),
        "{moved}"
    );
    // Each rule that matched; tea is in a script alone.
    assert_eq!(
        moved["matches"],
        json!([
            {"matchedPattern": "espresso", "matchedText": "Espresso", "category": "drinks",
                "contexts": ["Espresso bar", "Our espresso, an"]},
            {"matchedPattern": "roast(er|ing)", "matchedText": "roaster",
                "contexts": ["Our espresso, and our roaster."]},
        ])
    );
    assert_eq!(results[4]["matches"], moved["matches"]);
    for (at, status, says) in [
        (1, json!(404), "status_404: "),
        (2, Value::Null, "host_unresolved: "),
    ] {
        let failed = &results[at];
        assert_eq!(failed["statusCode"], status, "{failed}");
        assert!(
            failed["error"].as_str().unwrap().starts_with(says),
            "{failed}"
        );
        assert!(failed.get("matches").is_none(), "{failed}");
    }
    assert_eq!(results[3]["matches"], json!([]), "an image has no words");
    assert_eq!(events(&app).await, before, "nothing of it is recorded");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_the_callers_or_no_page_refuses_the_request_before_anything_is_fetched() {
    let app = TestApp::in_sandbox(world()).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (set, bobs) = (keyword_set(&ann).await, keyword_set(&bob).await);
    let (http, bobs_http) = (
        http_persona(&ann, json!({})).await,
        http_persona(&bob, json!({})).await,
    );
    let off = http_persona(&ann, json!({})).await;
    let disable = json!({"isEnabled": false});
    ann.put(&format!("/personas/{off}"))
        .json(&disable)
        .send()
        .await
        .ok(200);
    let good = json!({"url": "http://shop.test/", "keywordSetId": set});
    let with = |more: Value| {
        let mut item = good.clone();
        item.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        item
    };
    for (bad, status, field) in [
        (
            with(json!({"keywordSetId": bobs})),
            422,
            "items[1].keywordSetId",
        ),
        (
            with(json!({"keywordSetId": Uuid::now_v7()})),
            422,
            "items[1].keywordSetId",
        ),
        (
            with(json!({"httpPersonaId": bobs_http})),
            422,
            "items[1].httpPersonaId",
        ),
        (
            with(json!({"httpPersonaId": off})),
            422,
            "items[1].httpPersonaId",
        ),
        (
            with(json!({"dnsPersonaId": http})),
            422,
            "items[1].dnsPersonaId",
        ),
        (
            with(json!({"url": "ftp://shop.test/"})),
            422,
            "items[1].url",
        ),
        (
            with(json!({"url": "http://a:b@shop.test/"})),
            422,
            "items[1].url",
        ),
        (with(json!({"url": "shop.test"})), 422, "items[1].url"),
        (
            with(json!({"keywordSetId": "x"})),
            400,
            "items[1].keywordSetId",
        ),
        (with(json!({"proxyId": set})), 400, "items[1].proxyId"),
    ] {
        let body = json!({"items": [good, bad]});
        ann.post("/extract/keywords")
            .json(&body)
            .send()
            .await
            .blames(status, field);
    }
    for count in [0, 101] {
        let body = json!({"items": vec![good.clone(); count]});
        let said = ann
            .post("/extract/keywords")
            .json(&body)
            .send()
            .await
            .says(422, "items");
        assert!(said.contains("100"), "{said}");
    }
    ann.post("/extract/keywords")
        .json(&json!({}))
        .send()
        .await
        .blames(400, "items");
    assert_eq!(app.sandbox.as_ref().unwrap().http_total(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_inside_is_refused_alone() {
    let adjust = |app: &mut App| app.defaults.network.allow_private = false;
    let app = TestApp::in_sandbox_with(world(), adjust).await;
    let ann = app.user("ann").await;
    let set = keyword_set(&ann).await;
    let pages = [
        "http://shop.test/",
        "http://127.0.0.1:8080/",
        "http://169.254.169.254/",
    ];
    let items = pages.map(|url| json!({"url": url, "keywordSetId": set}));
    for result in extracted(&ann, &json!(items)).await {
        assert!(
            result["error"]
                .as_str()
                .unwrap()
                .starts_with("address_refused: "),
            "{result}"
        );
    }
    assert_eq!(app.sandbox.as_ref().unwrap().http_total(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_eight_pages_are_fetched_at_once() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let set = keyword_set(&ann).await;
    let http = http_persona(
        &ann,
        json!({"robots": {"ignore": true, "reason": "our own"}}),
    )
    .await;
    // One host, so that the sandbox counts its requests at the same time.
    let items: Vec<Value> = (0..40)
        .map(
            |_| json!({"url": "http://one.slow.test/", "keywordSetId": set, "httpPersonaId": http}),
        )
        .collect();
    let results = extracted(&ann, &json!(items)).await;
    assert!(
        results.iter().all(|result| result["statusCode"] == 200),
        "{results:?}"
    );
    let sandbox = app.sandbox.as_ref().unwrap();
    assert_eq!(sandbox.http_requests("one.slow.test"), 40);
    let peak = sandbox.http_peak("one.slow.test");
    assert!((2..=8).contains(&peak), "{peak}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_done_within_the_requests_time_is_told_of_the_page_alone() {
    let adjust = |app: &mut App| app.trials = Trials::new(2, 2, Duration::from_secs(3));
    let app = TestApp::in_sandbox_with(world(), adjust).await;
    let ann = app.user("ann").await;
    let set = keyword_set(&ann).await;
    let http = http_persona(&ann, json!({"requestTimeoutSeconds": 60})).await;
    let items = ["silent.test", "shop.test"].map(|host| {
        json!({"url": format!("http://{host}/"), "keywordSetId": set, "httpPersonaId": http})
    });
    let results = extracted(&ann, &json!(items)).await;
    assert_eq!(
        results[0]["error"], "the request's time of 3 s was over",
        "{results:?}"
    );
    assert_eq!(results[1]["statusCode"], 200, "{results:?}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_tries_what_is_somebodys_and_who_only_reads_tries_nothing() {
    let app = TestApp::in_sandbox(world()).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let admin = app.user_with_role("root", Role::Admin).await;
    let auditor = app.user_with_role("eve", Role::Auditor).await;
    let (_, reader) = key_of(&ann, "read").await;
    let set = keyword_set(&ann).await;
    let persona = http_persona(&ann, json!({})).await;
    let item = json!({"url": "http://shop.test/", "keywordSetId": set, "httpPersonaId": persona});
    let batch = json!({"items": [item]});
    let follow = format!(
        "/extract/keywords/stream?url=http%3A%2F%2Fshop.test%2F&keywordSetId={set}&httpPersonaId={persona}"
    );
    let found = extracted(&admin, &json!([item])).await;
    assert_eq!(found[0]["statusCode"], 200, "{found:?}");
    let followed = admin.get(&follow).send().await;
    assert!(followed.text.contains("event: done"), "{}", followed.text);
    let strange = bob.post("/extract/keywords").json(&batch).send().await;
    strange.blames(422, "items[0].httpPersonaId");

    let asked = app.sandbox.as_ref().unwrap().http_requests("shop.test");
    for reading in [&auditor, &reader] {
        let extract = reading.post("/extract/keywords").json(&batch);
        extract.send().await.ok(403);
        reading.get(&follow).send().await.ok(403);
        let test = reading.post(&format!("/personas/{persona}/test"));
        test.json(&json!({"target": "shop.test"}))
            .send()
            .await
            .ok(403);
    }
    let still = app.sandbox.as_ref().unwrap().http_requests("shop.test");
    assert_eq!(still, asked);
    app.stop().await;
}

/// A page of forty words, each five times among so much else that its contexts are a thousand characters.
fn wide() -> String {
    let words = (0..40).map(|n| {
        format!(
            "<p>{} word{n:02}x {}</p>",
            "w ".repeat(250),
            "z ".repeat(250)
        )
    });
    words.collect::<String>().repeat(5)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_texts_of_an_answer_are_bounded_and_what_has_no_room_is_told_by_page() {
    let world = world().host("wide.test", Host::html(wide()));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let rules: Vec<Value> = (0..40)
        .map(|n| json!({"pattern": format!("word{n:02}x"), "ruleType": "string", "contextChars": 500}))
        .collect();
    let set = ann
        .post("/keyword-sets")
        .json(&json!({"name": "wide", "rules": rules}));
    let set = set.send().await.ok(201)["id"].clone();
    let http = http_persona(
        &ann,
        json!({"robots": {"ignore": true, "reason": "our own"}}),
    )
    .await;
    let item = json!({"url": "HTTP://Wide.test", "keywordSetId": set, "httpPersonaId": http});
    let contexts = |result: &Value| -> usize {
        let matches = result["matches"].as_array().unwrap().iter();
        let texts = matches.flat_map(|found| found["contexts"].as_array().unwrap());
        texts.map(|text| text.as_str().unwrap().len()).sum()
    };
    // Alone a page has room for all of it.
    let one = extracted(&ann, &json!([item])).await;
    assert!(
        one[0].get("contextsLeftOut").is_none(),
        "{}",
        one[0]["contextsLeftOut"]
    );
    let whole = contexts(&one[0]);
    assert!(whole > 150_000, "{whole}");
    assert_eq!(one[0]["url"], "HTTP://Wide.test", "as it was asked for");

    let all = extracted(&ann, &json!(vec![item; 100])).await;
    for result in &all {
        assert_eq!(result["matches"].as_array().unwrap().len(), 40);
        assert!(result["contextsLeftOut"].as_u64().unwrap() > 0);
        assert!(result.get("matchesLeftOut").is_none());
    }
    let together: usize = all.iter().map(contexts).sum();
    assert!((4 << 20..=8 << 20).contains(&together), "{together}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_not_read_or_searched_to_its_end_says_so() {
    let long = format!("<p>espresso</p>{}", "<p>long</p>".repeat(600_000));
    let world = world().host("long.test", Host::html(long)).host(
        "stuck.test",
        Host::html(format!("<p>{}</p>", "a".repeat(1 << 19))),
    );
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let set = keyword_set(&ann).await;
    // Literals inside one another, whose search is stopped at its bound.
    let rules: Vec<Value> = (1..=1_000)
        .map(|n| json!({"pattern": "a".repeat(n), "ruleType": "string"}))
        .collect();
    let slow = ann
        .post("/keyword-sets")
        .json(&json!({"name": "slow", "rules": rules}));
    let slow = slow.send().await.ok(201)["id"].clone();
    let items = json!([
        {"url": "http://long.test/", "keywordSetId": set},
        {"url": "http://stuck.test/", "keywordSetId": slow},
        {"url": "http://shop.test/", "keywordSetId": set},
    ]);
    let results = extracted(&ann, &items).await;
    let told: Vec<_> = results
        .iter()
        .map(|result| (&result["truncated"], &result["incomplete"]))
        .collect();
    let (yes, absent) = (json!(true), Value::Null);
    assert_eq!(
        told,
        [(&yes, &absent), (&absent, &yes), (&absent, &absent)],
        "{results:?}"
    );
    app.stop().await;
}
