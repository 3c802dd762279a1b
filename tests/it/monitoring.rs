//! What a node says of itself to those who watch it.

use std::collections::{BTreeMap, BTreeSet};

use aggregates::{campaign::Phase, user::Role};
use sandbox::{Host, World};
use serde_json::json;

use crate::{
    campaigns::{configure, create, reaches, shops},
    reconciliation,
    support::{
        eventually,
        pipeline::CHECKED,
        server::{Client, TestApp},
    },
};

/// A family of metrics, read by the rules of the text format, version 0.0.4.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    help: String,
    /// Samples by name and labels.
    samples: BTreeMap<(String, BTreeMap<String, String>), f64>,
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == ':')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
}

/// Reads `{name="value",…}`, and returns what is behind it.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else {
        return (labels, text);
    };
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(behind) = rest.strip_prefix('}') {
            return (labels, behind);
        }
        let (name, quoted) = rest.split_once("=\"").expect("a label and its value");
        assert!(is_name(name) && !name.contains(':'), "{name}");
        let (mut value, mut letters) = (String::new(), quoted.char_indices());
        rest = loop {
            match letters.next().expect("an end of the value") {
                (at, '"') => break &quoted[at + 1..],
                (_, '\\') => value.push(match letters.next().expect("what is escaped").1 {
                    'n' => '\n',
                    escaped @ ('\\' | '"') => escaped,
                    other => panic!("\\{other} is no escape"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        assert!(
            labels.insert(name.to_owned(), value).is_none(),
            "{name} twice"
        );
    }
}

/// Reads a whole exposition: every family once, its help and type before its samples.
fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'));
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut of = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (what, name, said) = (words.next(), words.next(), words.next());
            let (name, said) = (name.expect("a name").to_owned(), said.expect("something"));
            let family = families.entry(name.clone()).or_default();
            let field = match what {
                Some("HELP") => &mut family.help,
                Some("TYPE") => &mut family.kind,
                other => panic!("{other:?}"),
            };
            assert!(
                field.is_empty() && family.samples.is_empty(),
                "{name} twice"
            );
            said.clone_into(field);
            of = name;
            continue;
        }
        let end = line.find(['{', ' ']).expect("a name and a value");
        let (name, rest) = line.split_at(end);
        assert!(is_name(name), "{name}");
        let (labels, value) = labels(rest);
        let value: f64 = value.trim().parse().expect("a number");
        let family = families.get_mut(&of).expect("a family");
        let suffix = name
            .strip_prefix(of.as_str())
            .expect("a sample of the family");
        match family.kind.as_str() {
            "counter" | "gauge" => assert_eq!(suffix, "", "{line}"),
            "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
            other => panic!("{of} is of the type {other}"),
        }
        let before = family.samples.insert((name.to_owned(), labels), value);
        assert_eq!(before, None, "{line}");
    }
    for (name, family) in &families {
        assert!(!family.help.is_empty() && !family.kind.is_empty(), "{name}");
    }
    families
}

async fn scrape(client: &Client) -> BTreeMap<String, Family> {
    let reply = client.get("/metrics").send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let kind = reply.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    read(&reply.text)
}

/// Sums the samples of a family that have these labels.
fn sum(families: &BTreeMap<String, Family>, name: &str, wanted: &[(&str, &str)]) -> f64 {
    let family = families.get(name).unwrap_or_else(|| panic!("no {name}"));
    let has = |labels: &BTreeMap<String, String>| {
        let mut wanted = wanted.iter();
        wanted.all(|(name, value)| labels.get(*name).is_some_and(|is| is == value))
    };
    let samples = family.samples.iter();
    samples
        .filter(|((_, labels), _)| has(labels))
        .map(|(_, value)| value)
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_campaign_and_its_users_did_is_counted_by_phase_outcome_and_operation() {
    let world = World::generated(3).host(CHECKED, Host::page(&[]));
    let app = TestApp::in_sandbox(world).await;
    let auditor = app.user_with_role("auditor", Role::Auditor).await;
    let ann = app.user("ann").await;
    let before = scrape(&auditor).await;
    let path = create(&ann, &shops("abcd")).await;
    configure(&ann, &path, &["espresso"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    ann.get("/campaigns/no-campaign").send().await;
    let after = scrape(&auditor).await;

    let more = |name: &str, labels: &[(&str, &str)]| {
        let known = before.contains_key(name);
        sum(&after, name, labels)
            - if known {
                sum(&before, name, labels)
            } else {
                0.0
            }
    };
    for phase in [Phase::Validation, Phase::Enrichment] {
        let processed = [("phase", phase.name()), ("outcome", "processed")];
        assert!(
            more("domainflow_results_total", &processed) >= 16.0,
            "{phase}"
        );
    }
    let start = [
        ("method", "POST"),
        ("path", "/api/v2/campaigns/{campaignId}/start"),
        ("status", "200"),
    ];
    assert!(more("domainflow_http_requests_total", &start) >= 1.0);
    let times = &after["domainflow_http_request_duration_seconds"];
    assert_eq!(times.kind, "histogram");
    assert!(sum(&after, "domainflow_log_position", &[]) > 16.0);
    assert!(sum(&after, "process_resident_memory_bytes", &[]) > 1e6);
    assert!((sum(&after, "domainflow_database_up", &[]) - 1.0).abs() < 1e-9);
    let projections = &after["domainflow_projection_behind"].samples;
    let named: BTreeSet<&str> = projections
        .keys()
        .map(|(_, labels)| labels["projection"].as_str())
        .collect();
    assert!(
        named.contains("domains") && named.contains("tree"),
        "{named:?}"
    );
    // Whatever was asked for, no path of anybody's is a label.
    let id = path.rsplit('/').next().unwrap();
    for family in after.values() {
        for (_, labels) in family.samples.keys() {
            for value in labels.values() {
                assert!(
                    !value.contains(id) && !value.contains("no-campaign"),
                    "{value}"
                );
            }
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_and_its_correction_are_counted() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let (_, id) = reconciliation::named(&admin, "ab").await;
    let before = scrape(&admin).await;
    reconciliation::drifts(&app, id).await;
    reconciliation::set(&app, &json!({"autoCorrect": true})).await;
    reconciliation::is_due(&app).await;
    eventually("both are counted", || async {
        let after = scrape(&admin).await;
        let more = |name| sum(&after, name, &[]) - sum(&before, name, &[]);
        let counted = more("domain_counters_drift_events_total") >= 1.0
            && more("domain_counters_corrections_total") >= 1.0;
        counted.then_some(())
    })
    .await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_as_json_tells_operations_followers_and_why_one_stands_still() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    admin.get("/campaigns").send().await.ok(200);
    admin
        .get("/campaigns?limit=0")
        .send()
        .await
        .blames(400, "limit");
    let told = admin
        .get("/monitoring/performance/metrics")
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&told["database"]["up"], &told["database"]["migrated"]),
        (&json!(true), &json!(true))
    );
    assert!(told["process"]["memoryBytes"].as_u64().unwrap() > 1_000_000);
    let operations = told["operations"].as_array().unwrap();
    let of = |path: &str| {
        let of = operations
            .iter()
            .find(|one| one["path"] == path && one["method"] == "GET");
        of.unwrap_or_else(|| panic!("{path} in {told}"))
    };
    let list = of("/api/v2/campaigns");
    assert_eq!(
        (&list["answered"], &list["refused"], &list["failed"]),
        (&json!(2), &json!(1), &json!(0))
    );
    let followers = told["followers"].as_array().unwrap();
    assert!(
        followers.iter().any(|one| one["name"] == "sequencer"),
        "{told}"
    );

    let halt =
        "UPDATE projection_checkpoints SET halted = 'an event of its own' WHERE name = 'personas'";
    sqlx::query(halt)
        .execute(app.app.database.pool())
        .await
        .unwrap();
    eventually("it is told", || async {
        let told = admin
            .get("/monitoring/performance/metrics")
            .send()
            .await
            .ok(200);
        let followers = told["followers"].as_array().unwrap();
        let personas = followers
            .iter()
            .find(|one| one["name"] == "personas")
            .unwrap();
        (personas["halted"] == "an event of its own").then_some(())
    })
    .await;
    app.stop().await;
}
