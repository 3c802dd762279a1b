//! What each setting of the phases after discovery does.

use sandbox::{Host, ProxyScript, ResolverScript, Sandbox, Site, Target, World};
use serde_json::{Value, json};

use crate::{
    campaigns::{create, reaches},
    pools::pool,
    proxies::{address, id_of, made, world},
    support::server::{Client, TestApp},
    trials::{dns_persona, http_persona},
};

/// Runs a campaign over one name, with these settings of its phases, and returns what became of the name.
async fn run(ann: &Client, name: &str, phases: &[(&str, Value)]) -> Value {
    let body = json!({"name": "x", "mode": "full_sequence",
        "configuration": {"patternConfig": {"targetDomains": [name]}}});
    let path = create(ann, &body).await;
    let standing = [
        ("validation", json!({"configuration": {}})),
        (
            "extraction",
            json!({"configuration": {"keywords": ["espresso"]}}),
        ),
    ];
    let settings = phases.iter().chain(
        standing
            .iter()
            .filter(|(phase, _)| phases.iter().all(|(named, _)| named != phase)),
    );
    for (phase, settings) in settings {
        let configure = ann.post(&format!("{path}/phases/{phase}/configure"));
        configure.json(settings).send().await.ok(200);
    }
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(ann, &path, "completed").await;
    let list = ann.get(&format!("{path}/domains")).send().await.ok(200);
    list["items"][0].clone()
}

fn sandbox(app: &TestApp) -> &Sandbox {
    app.sandbox.as_ref().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_types_of_validation_are_asked_for() {
    let world = World::scripted()
        .host("two.test", Host::page(&[]))
        .host("four.test", Host::page(&[]));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    run(&ann, "two.test", &[]).await;
    assert_eq!(sandbox(&app).dns_queries("two.test"), 2);
    let settings = json!({"configuration": {"recordTypes": ["MX", "TXT"]}});
    run(&ann, "four.test", &[("validation", settings)]).await;
    assert_eq!(sandbox(&app).dns_queries("four.test"), 4);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_resolver_of_a_phases_dns_persona_is_asked_wherever_the_persona_is_named() {
    const WAYS: usize = 3;
    let moved = Site::Redirect(302, Target::Http("shop.test".to_owned(), "/".to_owned()));
    let world = World::scripted()
        .resolvers([ResolverScript::healthy(); 2 * WAYS])
        .host("shop.test", Host::html("<h1>espresso</h1>"))
        .host("moved.test", Host::new(moved));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let packets = || -> Vec<u64> {
        let resolvers = 0..2 * WAYS;
        resolvers
            .map(|nth| sandbox(&app).dns_packets(nth))
            .collect()
    };
    for nth in 0..2 * WAYS {
        let resolver = sandbox(&app).resolvers()[nth].to_string();
        let persona = dns_persona(&ann, json!([resolver])).await;
        let mut settings = match nth % WAYS {
            0 => json!({"configuration": {}, "personaIds": {"dnsPersonaId": persona}}),
            1 => json!({"configuration": {"dnsPersonaId": persona}}),
            _ => json!({"configuration": {"personaIds": [persona]}}),
        };
        // Validation asks for every name; extraction for those that pages lead to.
        let (phase, name) = match nth / WAYS {
            0 => ("validation", "shop.test"),
            _ => ("extraction", "moved.test"),
        };
        if phase == "extraction" {
            settings["configuration"]["keywords"] = json!(["espresso"]);
        }
        let before = packets();
        let found = run(&ann, name, &[(phase, settings)]).await;
        assert_eq!(found["httpStatus"], "ok", "{found}");
        for (resolver, (before, after)) in before.into_iter().zip(packets()).enumerate() {
            assert_eq!(
                after > before,
                resolver == nth,
                "{phase}, way {nth}: {resolver}"
            );
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_fetched_as_the_http_persona_says_wherever_it_is_named() {
    let world = World::scripted().host("shop.test", Host::html("<h1>espresso</h1>"));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    for way in 0..3 {
        let persona = http_persona(&ann, json!({"headers": {"X-Way": way.to_string()}})).await;
        let mut settings = match way {
            0 => json!({"configuration": {}, "personaIds": {"httpPersonaId": persona}}),
            1 => json!({"configuration": {"httpPersonaId": persona}}),
            _ => json!({"configuration": {"personaIds": [persona]}}),
        };
        settings["configuration"]["keywords"] = json!(["espresso"]);
        run(&ann, "shop.test", &[("extraction", settings)]).await;
        let seen = sandbox(&app).http_seen("shop.test").pop().unwrap();
        assert_eq!(seen.header("x-way"), Some(&*way.to_string()));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_fetched_through_the_proxies_of_the_pool_wherever_it_is_named() {
    let world = world([ProxyScript::open(), ProxyScript::open()])
        .host("shop.test", Host::html("<h1>espresso</h1>"));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    for way in 0..2 {
        let body = json!({"name": "p", "address": address(&app, way)});
        let proxy = made(&ann, &body).await;
        let pool = pool(&ann, json!({"name": "pool"}), &[(&proxy, 1)]).await;
        let mut settings = match way {
            0 => json!({"configuration": {}, "proxyPoolId": id_of(&pool)}),
            _ => json!({"configuration": {"proxyPoolId": id_of(&pool)}}),
        };
        settings["configuration"]["keywords"] = json!(["espresso"]);
        let found = run(&ann, "shop.test", &[("extraction", settings)]).await;
        assert_eq!(found["httpStatus"], "ok", "{found}");
        assert!(sandbox(&app).proxy_tunnels(way) > 0, "way {way}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_searched_for_keywords_wherever_they_are_named() {
    let page = "<h1>espresso</h1><p>roaster, grinder and filter</p>";
    let app = TestApp::in_sandbox(World::scripted().host("shop.test", Host::html(page))).await;
    let ann = app.user("ann").await;
    let set = async |word: &str| {
        let body = json!({"name": word, "rules": [{"pattern": word, "ruleType": "string"}]});
        let made = ann.post("/keyword-sets").json(&body).send().await.ok(201);
        made["id"].clone()
    };
    let (roaster, grinder) = (set("roaster").await, set("grinder").await);
    for (settings, word) in [
        (
            json!({"configuration": {"keywords": ["espresso"]}}),
            "espresso",
        ),
        (
            json!({"configuration": {"adHocKeywords": ["filter"]}}),
            "filter",
        ),
        (
            json!({"configuration": {}, "keywordSetIds": [roaster]}),
            "roaster",
        ),
        (
            json!({"configuration": {"keywordSetIds": [grinder]}}),
            "grinder",
        ),
    ] {
        let found = run(&ann, "shop.test", &[("extraction", settings)]).await;
        assert_eq!(
            found["features"]["keywords"]["top3"],
            json!([word]),
            "{found}"
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_is_scored_by_the_profile_of_the_analysis() {
    let page = "<title>espresso</title><h1>espresso</h1>";
    let app = TestApp::in_sandbox(World::scripted().host("shop.test", Host::html(page))).await;
    let ann = app.user("ann").await;
    for (component, score) in [("title_keyword", 100.0), ("unique_keyword_coverage", 20.0)] {
        let body = json!({"name": component, "weights": {component: 1}});
        let made = ann
            .post("/scoring-profiles")
            .json(&body)
            .send()
            .await
            .ok(201);
        let settings = json!({"configuration": {"scoringProfileId": made["id"]}});
        let found = run(&ann, "shop.test", &[("analysis", settings)]).await;
        assert_eq!(found["domainScore"], score, "{found}");
    }
    app.stop().await;
}

/// Three pages: one that is small and good, one without structure, and one that may be parked. Thresholds are read as the
/// log spells them, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_threshold_of_the_enrichment_decides_about_a_lead() {
    let parked =
        "<title>This domain is for sale</title><h1>Buy this domain</h1><p>espresso espresso</p>";
    let small = "<title>espresso</title><h1>espresso</h1>";
    let bare = "<title>espresso</title><p>espresso</p>";
    let world = World::scripted()
        .host("small.test", Host::html(small))
        .host("bare.test", Host::html(bare))
        .host("parked.test", Host::html(parked));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    for (name, thresholds, reason) in [
        ("small.test", json!({}), "qualified"),
        ("small.test", json!({"matchScore": 1}), "low_score"),
        ("small.test", json!({"match_score": 1}), "low_score"),
        (
            "small.test",
            json!({"matchScore": 1, "minBytes": 10}),
            "qualified",
        ),
        (
            "small.test",
            json!({"matchScore": 1, "min_bytes": 10}),
            "qualified",
        ),
        (
            "small.test",
            json!({"matchScore": 1, "minBytes": 10, "borderlineScore": 1}),
            "low_score",
        ),
        (
            "small.test",
            json!({"matchScore": 1, "minBytes": 10, "borderline_score": 1}),
            "low_score",
        ),
        ("bare.test", json!({}), "no_keywords"),
        (
            "bare.test",
            json!({"requireStructuralSignals": false}),
            "qualified",
        ),
        (
            "bare.test",
            json!({"require_structural_signals": false}),
            "qualified",
        ),
        ("parked.test", json!({}), "parked"),
        (
            "parked.test",
            json!({"parkedConfidence": 1, "matchScore": 0, "borderlineScore": 0}),
            "qualified",
        ),
        (
            "parked.test",
            json!({"parked_confidence": 1, "matchScore": 0, "borderlineScore": 0}),
            "qualified",
        ),
    ] {
        let settings = json!({"configuration": {"thresholds": thresholds}});
        let found = run(&ann, name, &[("enrichment", settings)]).await;
        assert_eq!(found["rejectionReason"], reason, "{thresholds}: {found}");
    }
    app.stop().await;
}
