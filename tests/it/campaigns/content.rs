//! What is told of a page beyond its text, and the further pages that are read where it gives little.

use sandbox::{Host, Record, Site, Target, World};
use serde_json::{Value, json};

use super::{configure, create, reaches};
use crate::support::server::{Client, TestApp};

/// Runs a campaign that looks for `espresso` and `roaster` on some names, up to its leads.
async fn run(ann: &Client, names: &[&str]) -> String {
    let body = json!({"name": "x", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": names}}});
    let path = create(ann, &body).await;
    configure(ann, &path, &["espresso", "roaster"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(ann, &path, "completed").await;
    path
}

/// Reads what was found when a name was fetched.
async fn fetched(ann: &Client, path: &str, name: &str) -> Value {
    let history = ann.get(&format!("{path}/domains/{name}/history"));
    let items = history.send().await.ok(200)["items"].clone();
    let fetched = items.as_array().unwrap().iter();
    let fetched: Vec<_> = fetched
        .filter(|item| item["action"] == "HttpChecked")
        .collect();
    let [one] = fetched[..] else {
        panic!("{name} was fetched once: {items}")
    };
    one["details"].clone()
}

fn little(links: &str) -> String {
    format!("<title>Home</title><h1>Home</h1><p>One espresso.</p>{links}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn technologies_and_the_language_of_a_page_are_in_the_history_of_the_domain() {
    let html = "<meta name=generator content='WordPress 6.4.2'><script src='https://code.jquery.com/jquery-3.7.1.min.js'></script>\
                <p>Wir rösten den Kaffee und mahlen ihn auch für Sie, mit der Hand und nicht mit einer Maschine.</p>\
                <p>espresso roaster</p>";
    let world = World::scripted()
        .host(
            "shop.test",
            Host::html(html).cookie("PHPSESSID=secret; Path=/"),
        )
        .host(
            "plain.test",
            Host::html("<html lang=en><p>espresso roaster"),
        );
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let path = run(&ann, &["shop.test", "plain.test"]).await;

    let page = fetched(&ann, &path, "shop.test").await["page"].clone();
    let told: Vec<_> = page["technologies"].as_array().unwrap().iter().collect();
    let find = |name: &str| *told.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(
        *find("WordPress"),
        json!({"name": "WordPress", "category": "cms", "version": "6.4.2", "evidence": "meta generator: WordPress 6.4.2"})
    );
    assert_eq!(find("jQuery")["version"], "3.7.1");
    assert_eq!(find("PHP")["evidence"], "cookie: PHPSESSID");
    assert!(!page.to_string().contains("secret"));
    assert_eq!(page["language"], Value::Null);
    assert_eq!(page["detected_language"]["language"], "de");

    let page = fetched(&ann, &path, "plain.test").await["page"].clone();
    assert_eq!(page["language"], "en");
    assert_eq!(page["detected_language"], Value::Null);
    assert_eq!(page["technologies"], Value::Null);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn name_servers_of_a_parking_service_are_a_sign_of_a_parked_page() {
    let html = "<p>espresso roaster</p>";
    let served = |server: &str| Host::html(html).record(Record::Ns(server.to_owned()));
    let world = World::scripted()
        .host("parked.test", served("ns1.parkingcrew.net"))
        .host("own.test", served("ns1.own.test"));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let body = json!({"name": "x", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": ["parked.test", "own.test"]}}});
    let path = create(&ann, &body).await;
    configure(&ann, &path, &["espresso"]).await;
    let validation = ann.post(&format!("{path}/phases/validation/configure"));
    let validation = validation.json(&json!({"configuration": {"recordTypes": ["NS"]}}));
    validation.send().await.ok(200);
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    for (name, signs) in [("parked.test", 1), ("own.test", 0)] {
        let page = fetched(&ann, &path, name).await["page"].clone();
        let told = page["parked_signals"].as_array().map_or(0, |all| {
            all.iter()
                .filter(|sign| *sign == "parking_name_server")
                .count()
        });
        assert_eq!(told, signs, "{page}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_page_gives_little_up_to_three_pages_of_its_host_are_searched() {
    let links = "<a href=/>home</a><a href=/list.pdf>list</a><a href='http://other.test/x'>other</a><a href=/shop>s</a>\
                 <a href=/gone>g</a><a href=/away>a</a><a href=/fourth>4</a>";
    let other = "<p>espresso roaster</p>";
    let world = World::scripted()
        .host(
            "little.test",
            Host::html(little(links))
                .path(
                    "/shop",
                    Site::Html("<h1>roaster</h1><p>Espresso, roaster.".to_owned()),
                )
                .path("/gone", Site::Status(404))
                .path(
                    "/away",
                    Site::Redirect(302, Target::Http("other.test".to_owned(), "/".to_owned())),
                ),
        )
        .host(
            "rich.test",
            Host::html(format!("<p>espresso roaster{links}")),
        )
        .host("same.test", Host::html(little("<a href=/again>a</a>")))
        .host(
            "large.test",
            Host::html(little(links) + &"<p>words and words</p>".repeat(3_000)),
        )
        .host(
            "parked.test",
            Host::html(format!(
                "<title>This domain is for sale</title><h1>Buy this domain</h1>{links}"
            )),
        )
        .host("other.test", Host::html(other));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let names = [
        "little.test",
        "rich.test",
        "same.test",
        "large.test",
        "parked.test",
    ];
    let path = run(&ann, &names).await;

    let seen = |host: &str| -> Vec<String> {
        let asked = app.sandbox.as_ref().unwrap().http_seen(host).into_iter();
        asked
            .map(|seen| seen.target)
            .filter(|path| path != "/robots.txt")
            .collect()
    };
    assert_eq!(seen("little.test"), ["/", "/shop", "/gone", "/away"]);
    for host in ["rich.test", "large.test", "parked.test"] {
        assert_eq!(seen(host), ["/"], "{host}");
    }

    let checked = fetched(&ann, &path, "little.test").await;
    let page = &checked["page"];
    let pages = page["micro_crawl"]["pages"].as_array().unwrap();
    assert_eq!(pages.len(), 1);
    assert!(pages[0].as_str().unwrap().ends_with("/shop"), "{pages:?}");
    let missed = page["micro_crawl"]["missed"].as_array().unwrap();
    let why: Vec<_> = missed
        .iter()
        .map(|one| one["detail"].as_str().unwrap().split(':').next().unwrap())
        .collect();
    assert_eq!(why, ["status_404", "left_host"]);
    let keyword = |pattern: &str| {
        let all = page["keywords"].as_array().unwrap().iter();
        all.clone()
            .find(|one| one["pattern"] == pattern)
            .unwrap()
            .clone()
    };
    let espresso = keyword("espresso");
    assert_eq!(
        (&espresso["hits"], &espresso["places"]["microcrawl"]),
        (&json!(2), &json!(1))
    );
    let roaster = keyword("roaster");
    assert_eq!(
        (&roaster["hits"], &roaster["places"]["microcrawl"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(roaster["contexts"].as_array().unwrap().len(), 2);

    // Of two keywords one is a gain, and lists are sorted by it.
    for (dir, at) in [("desc", 0), ("asc", -1)] {
        let sorted =
            format!("{path}/domains?sort=microcrawl_gain&dir={dir}&rejectionReason=qualified");
        let rows = ann.get(&sorted).send().await.ok(200)["items"].clone();
        let rows = rows.as_array().unwrap();
        let gainer = if at == 0 { rows.first() } else { rows.last() };
        assert!(rows.len() > 1);
        assert_eq!(gainer.unwrap()["domain"], "little.test", "{dir}");
    }
    let rows = ann.get(&format!("{path}/domains")).send().await.ok(200);
    let row = rows["items"].as_array().unwrap().iter();
    let row = row
        .clone()
        .find(|row| row["domain"] == "little.test")
        .unwrap();
    assert_eq!(row["features"]["microcrawl"]["gain_ratio"], 0.5);
    assert_eq!(row["features"]["keywords"]["unique_count"], 2);

    let same = fetched(&ann, &path, "same.test").await["page"].clone();
    assert_eq!(same["keywords"][0]["hits"], 1);
    assert!(
        same["micro_crawl"]["missed"][0]["detail"]
            .as_str()
            .unwrap()
            .starts_with("same_page")
    );
    for name in ["rich.test", "large.test", "parked.test"] {
        let page = fetched(&ann, &path, name).await["page"].clone();
        assert_eq!(page["micro_crawl"], Value::Null, "{name}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn robots_txt_is_followed_unless_a_persona_says_why_not() {
    let page = || Host::html(little("<a href=/open>o</a><a href=/closed/x>c</a>"));
    let world = World::scripted()
        .host("open.test", page())
        .host(
            "parts.test",
            page()
                .robots(
                    "User-agent: *\nDisallow: /\n\nUser-agent: domainflow\nDisallow: /closed/\n",
                )
                .path("/open", Site::Html("<p>roaster</p>".to_owned()))
                .path("/closed/x", Site::Html("<p>roaster</p>".to_owned())),
        )
        .host("shut.test", page().robots("User-agent: *\nDisallow: /\n"))
        .host(
            "failing.test",
            page().path("/robots.txt", Site::Status(503)),
        );
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let names = ["open.test", "parts.test", "shut.test", "failing.test"];
    let path = run(&ann, &names).await;
    let sandbox = app.sandbox.as_ref().unwrap();
    let seen = |host: &str| -> Vec<String> {
        let asked = sandbox.http_seen(host).into_iter();
        asked.map(|seen| seen.target).collect()
    };
    assert_eq!(seen("parts.test"), ["/robots.txt", "/", "/open"]);
    assert_eq!(seen("shut.test"), ["/robots.txt"]);
    assert_eq!(seen("failing.test"), ["/robots.txt"]);
    assert_eq!(fetched(&ann, &path, "open.test").await["outcome"], "ok");
    assert_eq!(fetched(&ann, &path, "parts.test").await["attempts"], 3);
    for (name, says) in [
        ("shut.test", "robots_disallowed: /robots.txt disallows it"),
        (
            "failing.test",
            "robots_disallowed: /robots.txt answered 503",
        ),
    ] {
        let checked = fetched(&ann, &path, name).await;
        assert_eq!(
            (&checked["outcome"], &checked["reason"]),
            (&json!("error"), &json!("ERROR"))
        );
        assert_eq!(
            (&checked["detail"], &checked["attempts"]),
            (&json!(says), &json!(1))
        );
    }

    let persona = json!({"name": "ours", "personaType": "http", "configDetails": {"personaType": "http",
        "userAgent": "DomainFlow", "robots": {"ignore": true}}});
    ann.post("/personas")
        .json(&persona)
        .send()
        .await
        .blames(422, "configDetails.robots.reason");
    let mut persona = persona;
    persona["configDetails"]["robots"]["reason"] = json!("our own sites");
    let persona = ann.post("/personas").json(&persona).send().await.ok(201);
    let body = json!({"name": "y", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": ["shut.test"]}}});
    let path = create(&ann, &body).await;
    configure(&ann, &path, &["espresso"]).await;
    ann.post(&format!("{path}/phases/extraction/configure"))
        .json(&json!({"configuration": {"keywords": ["espresso", "roaster"]}, "personaIds": {"httpPersonaId": persona["id"]}}))
        .send()
        .await
        .ok(200);
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    assert_eq!(fetched(&ann, &path, "shut.test").await["outcome"], "ok");
    assert_eq!(seen("shut.test")[..2], ["/robots.txt", "/"]);
    assert!(!seen("shut.test")[1..].contains(&"/robots.txt".to_owned()));
    app.stop().await;
}
