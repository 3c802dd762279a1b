//! Histories of campaigns and domains: the whole life of a domain on one page.

use reqwest::header::ACCEPT;
use sandbox::{Host, ProxyScript};
use serde_json::{Value, json};

use crate::{
    campaigns::{create, reaches, shops, upload::form},
    pools::pool,
    proxies::{address, id_of, made, world},
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

/// Waits until the history of a domain tells the decision about it.
async fn decided(client: &Client, path: &str) -> Value {
    eventually(&format!("{path} is whole"), || async {
        let history = client.get(path).send().await.ok(200);
        let items = history["items"].as_array().unwrap();
        let is_whole = items.len() == 4 && items[3]["run"].is_object();
        is_whole.then_some(history)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_page_tells_the_whole_life_of_a_domain() {
    let world = world([ProxyScript::open()]).host("bashop.test", Host::page(&["espresso"]));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let proxy = made(&ann, &json!({"name": "proxy", "address": address(&app, 0)})).await;
    let pool = pool(&ann, json!({"name": "pool"}), &[(&proxy, 1)]).await;
    let path = create(&ann, &shops("ab")).await;
    for (phase, body) in [
        ("validation", json!({"configuration": {}})),
        (
            "extraction",
            json!({"configuration": {"keywords": ["espresso"]}, "proxyPoolId": id_of(&pool)}),
        ),
    ] {
        let configure = ann.post(&format!("{path}/phases/{phase}/configure"));
        configure.json(&body).send().await.ok(200);
    }
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    let page = format!("{path}/domains/bashop.test/history");
    let history = decided(&ann, &page).await;
    let user = format!("user:{}", ann.user_id.unwrap());

    // Generated from which offset of which pattern: of aa, ab, ba, bb it is the third.
    let origin = &history["origin"];
    assert_eq!(origin["action"], "DomainsGenerated");
    assert_eq!(
        (&origin["offset"], &origin["ordinal"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(origin["pattern"]["constant"], "shop");
    assert_eq!(origin["pattern"]["charset"], "ab");
    assert_eq!(origin["generatorVersion"], 1);
    assert_eq!(origin["run"]["phase"], "discovery");
    assert_eq!(origin["run"]["commanded"]["actor"], *user);

    let items = history["items"].as_array().unwrap();
    let [dns, http, scored, lead] = items.as_slice() else {
        panic!("{items:?}");
    };
    // Answered by which resolver in how many attempts.
    let resolver = app.sandbox.as_ref().unwrap().dns_addr().to_string();
    assert_eq!(dns["action"], "DnsChecked");
    assert_eq!(dns["details"]["outcome"], "ok");
    assert_eq!(dns["details"]["resolver"], *resolver);
    assert!(dns["details"]["attempts"].as_u64().unwrap() >= 1);
    // Fetched through which proxy, matched what.
    assert_eq!(http["action"], "HttpChecked");
    assert_eq!(http["details"]["proxy"], *id_of(&proxy));
    let keywords = http["details"]["page"]["keywords"].as_array().unwrap();
    assert_eq!(keywords[0]["pattern"], "espresso");
    assert!(keywords[0]["hits"].as_u64().unwrap() >= 1);
    // Scored how, decided why.
    assert_eq!(scored["action"], "Scored");
    assert!(
        scored["details"]["score"]["components"].is_object(),
        "{scored}"
    );
    assert_eq!(lead["action"], "LeadDecided");
    assert_eq!(lead["details"]["reason"], "qualified");
    assert_eq!(
        lead["details"]["leadScore"],
        scored["details"]["domainScore"]
    );
    // In which run, on whose command: the phases started each other, and she started the first.
    for (entry, phase) in [
        (dns, "validation"),
        (http, "extraction"),
        (scored, "analysis"),
        (lead, "enrichment"),
    ] {
        let run = &entry["run"];
        assert_eq!(
            (&run["phase"], &run["runNumber"]),
            (&json!(phase), &json!(1))
        );
        assert_eq!(run["runId"], entry["runId"]);
        assert_eq!(
            (&run["auto"], &run["started"]["actor"]),
            (&json!(true), &json!("worker:coordinator"))
        );
        assert_eq!(run["commanded"]["actor"], *user);
        assert_eq!(run["commanded"]["userName"], "ann");
        assert!(entry["actor"].as_str().unwrap().starts_with("worker:"));
    }
    pages_and_downloads_of_a_domain(&ann, &page, &history).await;
    history_of_the_campaign(&ann, &path).await;
    app.stop().await;
}

async fn pages_and_downloads_of_a_domain(ann: &Client, page: &str, history: &Value) {
    let items = history["items"].as_array().unwrap();
    let (mut walked, mut after) = (Vec::new(), String::new());
    loop {
        let part = ann
            .get(&format!("{page}?first=3{after}"))
            .send()
            .await
            .ok(200);
        walked.extend(part["items"].as_array().unwrap().clone());
        if part["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
        let cursor = part["pageInfo"]["endCursor"].as_str().unwrap();
        after = format!("&after={cursor}");
    }
    assert_eq!(walked, *items);
    let run = items[1]["runId"].as_str().unwrap();
    let worker = items[2]["actor"].as_str().unwrap();
    let since = items[3]["timestamp"].as_str().unwrap();
    for (filter, passing) in [
        ("action=Scored".to_owned(), &items[2..3]),
        (format!("runId={run}"), &items[1..2]),
        (format!("actor={worker}"), &items[..]),
        ("actor=operator".to_owned(), &items[..0]),
        (format!("from={since}"), &items[3..]),
        (format!("to={since}"), &items[..3]),
    ] {
        let part = ann.get(&format!("{page}?{filter}")).send().await.ok(200);
        assert_eq!(part["items"], json!(passing), "{filter}");
    }
    for (query, field) in [
        ("action=Created", "action"),
        ("actor=x", "actor"),
        ("runId=x", "runId"),
        ("from=x", "from"),
        ("first=0", "first"),
        ("limit=0", "limit"),
        ("first=2&limit=3", "first"),
        ("format=csv&limit=3", "limit"),
        ("after=x", "after"),
    ] {
        let reply = ann.get(&format!("{page}?{query}")).send().await;
        reply.blames(400, field);
    }
    let whole = ann.get(&format!("{page}?format=ndjson")).send().await;
    let lines: Vec<Value> = whole
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["details"], history["origin"]);
    assert_eq!(lines[1..], items[..]);
    let table = ann
        .get(page)
        .header(ACCEPT.as_str(), "text/csv")
        .send()
        .await;
    assert_eq!(table.text.lines().count(), 6, "{}", table.text);
}

async fn history_of_the_campaign(ann: &Client, path: &str) {
    let page = format!("{path}/history");
    let whole = ann.get(&format!("{page}?limit=1000")).send().await.ok(200);
    let items = whole["items"].as_array().unwrap();
    assert_eq!(whole["pageInfo"]["hasNextPage"], false);
    let started = |entry: &&Value| entry["action"] == "PhaseStarted";
    let starts: Vec<Value> = items.iter().filter(started).cloned().collect();
    assert_eq!(starts.len(), 5);
    assert_eq!(
        starts[1]["after"]["phases.validation.state"], "running",
        "{}",
        starts[1]["after"]
    );
    let part = ann.get(&format!("{page}?action=PhaseStarted")).send().await;
    assert_eq!(part.ok(200)["items"], json!(starts));
    let newest = ann.get(&format!("{page}?dir=desc&first=1")).send().await;
    assert_eq!(newest.ok(200)["items"][0], *items.last().unwrap());
    let lines = ann.get(&format!("{page}?format=ndjson")).send().await;
    assert_eq!(lines.text.lines().count(), items.len());
    let reply = ann.get(&format!("{page}?action=Registered")).send().await;
    reply.blames(400, "action");
}

#[tokio::test]
async fn an_imported_domain_tells_the_list_that_it_came_with() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let path = create(&ann, &json!({"name": "list"})).await;
    for (file, text) in [
        ("first.txt", "a.test\nb.test"),
        ("second.txt", "# more\nb.test\nc.test\nd.test"),
    ] {
        let (kind, body) = form(file, text);
        let upload = ann.post(&format!("{path}/upload"));
        upload.body(&kind, body).send().await.ok(200);
    }
    let page = format!("{path}/domains/d.test/history");
    let history = eventually("it tells where it came from", || async {
        let history = ann.get(&page).send().await;
        let history = (history.status == 200).then(|| history.json())?;
        history["origin"].is_object().then_some(history)
    })
    .await;
    let origin = &history["origin"];
    assert_eq!(origin["action"], "DomainsImported");
    assert_eq!(origin["filename"], "second.txt");
    // The second that the campaign took from it, below a comment and a name that it had.
    assert_eq!(
        (&origin["numberInList"], &origin["line"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(origin["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(origin["recorded"]["userName"], "ann");
    assert!(origin.get("offset").is_none());
    assert_eq!(history["items"], json!([]));
    app.stop().await;
}
