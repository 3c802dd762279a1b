//! What a finished campaign answers: every filter against the whole list, every download against the list, every
//! number against a recount.

use std::collections::{BTreeMap, HashMap};

use sandbox::World;
use serde_json::{Value, json};

use super::{configure, create, reaches, shops, walk};
use crate::support::server::{Client, TestApp};

/// Runs a campaign over a generated world to its end.
async fn finished() -> (TestApp, Client, String) {
    let app = TestApp::in_sandbox(World::generated(7)).await;
    let ann = app.user("ann").await;
    let path = create(&ann, &shops("abcdefghijklmnop")).await;
    configure(&ann, &path, &["espresso", "the"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    let head = app
        .app
        .database
        .feed()
        .head()
        .await
        .expect("the log answers");
    app.app
        .runtime
        .wait_for(head, crate::support::DEADLINE)
        .await
        .expect("the read models catch up");
    (app, ann, path)
}

type Row = HashMap<String, String>;

/// Downloads the table, a map a row.
async fn table(ann: &Client, path: &str, filter: &str) -> Vec<Row> {
    let reply = ann
        .get(&format!("{path}/export?format=csv{filter}"))
        .send()
        .await;
    assert_eq!(
        reply.header("content-type"),
        Some("text/csv; charset=utf-8")
    );
    assert_eq!(reply.status, 200, "{}", reply.text);
    let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

fn names(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row["domain"].clone()).collect()
}

fn listed(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|item| item["domain"].as_str().expect("a name").to_owned())
        .collect()
}

fn number(row: &Row, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_campaign_answers_exactly_what_its_rows_say() {
    let (app, ann, path) = finished().await;
    let all = table(&ann, &path, "").await;
    assert_eq!(all.len(), 256);
    filters_are_exact(&ann, &path, &all).await;
    pages_are_the_whole_list(&ann, &path, &all).await;
    downloads_equal_the_list(&ann, &path).await;
    numbers_equal_a_recount(&ann, &path, &all).await;
    one_domain_is_explained(&ann, &path, &all).await;
    an_offset_past_everything_is_an_empty_page(&ann, &path).await;
    wrong_parameters_are_named(&ann, &path).await;
    a_drift_shows(&app, &ann, &path).await;
    app.stop().await;
}

async fn filters_are_exact(ann: &Client, path: &str, all: &[Row]) {
    type Passes = fn(&Row) -> bool;
    let ok = |row: &Row| row["httpStatus"] == "ok";
    let filters: [(&str, Passes); 19] = [
        ("dnsStatus=ok", |row| row["dnsStatus"] == "ok"),
        ("dnsStatus=error", |row| row["dnsStatus"] == "error"),
        ("dnsStatus=pending", |row| row["dnsStatus"] == "pending"),
        ("dnsReason=NXDOMAIN", |row| row["dnsReason"] == "NXDOMAIN"),
        ("httpStatus=ok", |row| row["httpStatus"] == "ok"),
        ("httpStatus=timeout", |row| row["httpStatus"] == "timeout"),
        ("httpReason=NOT_FOUND", |row| {
            row["httpReason"] == "NOT_FOUND"
        }),
        ("httpReason=TLS_ERROR", |row| {
            row["httpReason"] == "TLS_ERROR"
        }),
        ("minScore=30", |row| {
            number(row, "domainScore").is_some_and(|score| score >= 30.0)
        }),
        ("minScore=0", |row| number(row, "domainScore").is_some()),
        ("notParked=true", |row| {
            row["httpStatus"] == "ok" && number(row, "parkedConfidence").unwrap_or(0.0) < 0.45
        }),
        ("notParked=false", |row| {
            row["httpStatus"] == "ok" && number(row, "parkedConfidence").unwrap_or(0.0) >= 0.45
        }),
        ("hasContact=true", |row| row["hasContact"] == "true"),
        ("hasContact=false", |row| row["hasContact"] == "false"),
        ("keyword=espresso", |row| {
            row["keywords"]
                .split('|')
                .any(|keyword| keyword == "espresso")
        }),
        ("rejectionReason=qualified", |row| {
            row["rejectionReason"] == "qualified"
        }),
        ("rejectionReason=dns_error,parked", |row| {
            ["dns_error", "parked"].contains(&row["rejectionReason"].as_str())
        }),
        ("rejectionReason=dns_error&rejectionReason=parked", |row| {
            ["dns_error", "parked"].contains(&row["rejectionReason"].as_str())
        }),
        (
            "dnsStatus=ok&httpStatus=ok&minScore=20&notParked=true&keyword=the",
            |row| {
                row["httpStatus"] == "ok"
                    && number(row, "domainScore").is_some_and(|score| score >= 20.0)
                    && number(row, "parkedConfidence").unwrap_or(0.0) < 0.45
                    && row["keywords"].split('|').any(|keyword| keyword == "the")
            },
        ),
    ];
    let mut telling = 0;
    for (filter, passes) in filters {
        let expected: Vec<Row> = all.iter().filter(|row| passes(row)).cloned().collect();
        let found = walk(ann, path, &format!("&{filter}"), 50).await;
        assert_eq!(listed(&found), names(&expected), "{filter}");
        telling += usize::from(!expected.is_empty() && expected.len() < all.len());
    }
    assert!(
        telling >= 10,
        "only {telling} of the filters divide the list"
    );
    let warned = walk(ann, path, "&warnings=has", 50).await.len();
    assert_eq!(
        warned + walk(ann, path, "&warnings=none", 50).await.len(),
        all.len()
    );
    assert!(all.iter().any(ok));
}

async fn pages_are_the_whole_list(ann: &Client, path: &str, all: &[Row]) {
    for size in [1, 7, 256, 1_000] {
        assert_eq!(listed(&walk(ann, path, "", size).await), names(all));
    }
    for (sort, value) in [
        ("richness_score", "richness"),
        ("keywords_unique", "keywordsUnique"),
    ] {
        for (dir, sign) in [("asc", 1.0), ("desc", -1.0)] {
            let order = format!("&sort={sort}&dir={dir}");
            let sorted = listed(&walk(ann, path, &order, 9).await);
            // Rows without the value come last; ties follow the direction, in the order of generation.
            let mut expected = all.to_vec();
            if dir == "desc" {
                expected.reverse();
            }
            expected.sort_by(
                |one, other| match (number(one, value), number(other, value)) {
                    (Some(one), Some(other)) => (one * sign).total_cmp(&(other * sign)),
                    (one, other) => other.is_some().cmp(&one.is_some()),
                },
            );
            assert_eq!(sorted, names(&expected), "{order}");
            assert_eq!(
                names(&table(ann, path, &order).await),
                names(&expected),
                "{order}"
            );
        }
    }
    let page = ann
        .get(&format!("{path}/domains?limit=10&offset=250"))
        .send()
        .await;
    assert_eq!(page.header("x-total-count"), Some("256"));
    let page = page.ok(200);
    assert_eq!(
        listed(page["items"].as_array().unwrap()),
        names(&all[250..])
    );
    assert_eq!(
        (
            &page["pageInfo"]["hasNextPage"],
            &page["pageInfo"]["current"],
            &page["pageInfo"]["total"]
        ),
        (&json!(false), &json!(26), &json!(26))
    );
}

async fn downloads_equal_the_list(ann: &Client, path: &str) {
    for filter in ["", "&dnsStatus=ok&sort=richness_score"] {
        let list = walk(ann, path, filter, 100).await;
        let array = ann
            .get(&format!("{path}/export?format=json{filter}"))
            .send()
            .await
            .ok(200);
        assert_eq!(array, json!(list));
        let lines = ann
            .get(&format!("{path}/export?format=ndjson{filter}"))
            .send()
            .await;
        assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
        let lines: Vec<Value> = lines
            .text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line"))
            .collect();
        assert_eq!(lines, list);
    }
    let none = ann
        .get(&format!("{path}/export?format=json&dnsStatus=pending"))
        .send()
        .await
        .ok(200);
    assert_eq!(none, json!([]));
}

async fn numbers_equal_a_recount(ann: &Client, path: &str, all: &[Row]) {
    let count = |column: &str, value: &str| all.iter().filter(|row| row[column] == value).count();
    let funnel = ann.get(&format!("{path}/funnel")).send().await.ok(200);
    let hits = all.iter().filter(|row| !row["keywords"].is_empty()).count();
    assert_eq!(funnel["generated"], all.len());
    assert_eq!(funnel["dnsValid"], count("dnsStatus", "ok"));
    assert_eq!(funnel["httpValid"], count("httpStatus", "ok"));
    assert_eq!(
        (&funnel["keywordHits"], &funnel["analyzed"]),
        (&json!(hits), &json!(hits))
    );
    assert_eq!(funnel["leads"], count("leadStatus", "match"));

    let summary = ann
        .get(&format!("{path}/rejection-summary"))
        .send()
        .await
        .ok(200);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for row in all {
        *reasons.entry(&row["rejectionReason"]).or_default() += 1;
    }
    for (reason, field) in [
        ("qualified", "qualified"),
        ("low_score", "lowScore"),
        ("no_keywords", "noKeywords"),
        ("parked", "parked"),
        ("dns_error", "dnsError"),
        ("dns_timeout", "dnsTimeout"),
        ("http_error", "httpError"),
        ("http_timeout", "httpTimeout"),
        ("pending", "pending"),
    ] {
        assert_eq!(
            summary["counts"][field],
            reasons.get(reason).copied().unwrap_or(0),
            "{reason}"
        );
    }
    assert_eq!(
        (&summary["balanced"], &summary["counts"]["pending"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(summary["totals"]["analyzed"], count("httpStatus", "ok"));

    let metrics = ann.get(&format!("{path}/metrics")).send().await.ok(200);
    let analyzed: Vec<f64> = all
        .iter()
        .filter(|row| !row["keywords"].is_empty())
        .filter_map(|row| number(row, "richness"))
        .collect();
    let mean = analyzed.iter().sum::<f64>() / analyzed.len() as f64;
    assert!(
        (metrics["avgRichness"].as_f64().unwrap() - mean).abs() < 0.000_1,
        "{metrics} {mean}"
    );
    assert_eq!(
        (&metrics["totalAnalyzed"], &metrics["leads"]),
        (&json!(analyzed.len()), &funnel["leads"])
    );

    let page = ann
        .get(&format!("{path}/domains?limit=1"))
        .send()
        .await
        .ok(200);
    assert_eq!(
        page["aggregates"]["dns"]["error"],
        count("dnsStatus", "error")
    );
    assert_eq!(page["aggregates"]["lead"]["match"], funnel["leads"]);
    let status = ann.get(&format!("{path}/status")).send().await.ok(200);
    assert_eq!(status["overallProgressPercentage"], 100.0);
    let progress = ann.get(&format!("{path}/progress")).send().await.ok(200);
    assert_eq!(
        progress["phases"]["extraction"]["itemsProcessed"],
        funnel["dnsValid"]
    );
    assert_eq!(
        progress["timeline"].as_array().unwrap().last().unwrap()["type"],
        "phase_completed"
    );
    assert_eq!(progress["overall"]["processedDomains"], all.len());
}

async fn one_domain_is_explained(ann: &Client, path: &str, all: &[Row]) {
    let scored = all
        .iter()
        .find(|row| !row["domainScore"].is_empty())
        .expect("a scored domain");
    let name = &scored["domain"];
    let explained = ann
        .get(&format!("{path}/domains/{name}/score-breakdown"))
        .send()
        .await
        .ok(200);
    assert_eq!(
        explained["overallScore"].as_f64(),
        number(scored, "domainScore")
    );
    assert_eq!(explained["state"], "complete");
    let weights: f64 = explained["weights"]
        .as_object()
        .unwrap()
        .values()
        .map(|weight| weight.as_f64().unwrap())
        .sum();
    assert!((weights - 1.0).abs() < 0.001);
    let history = ann
        .get(&format!("{path}/domains/{name}/history"))
        .send()
        .await
        .ok(200);
    let actions: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].clone())
        .collect();
    assert_eq!(
        actions,
        [
            json!("DnsChecked"),
            json!("HttpChecked"),
            json!("Scored"),
            json!("LeadDecided")
        ]
    );
    let first = ann
        .get(&format!("{path}/domains/{name}/history?limit=1"))
        .send()
        .await
        .ok(200);
    assert_eq!(first["nextAfter"], 1);

    let dead = all
        .iter()
        .find(|row| row["dnsStatus"] == "error")
        .expect("a domain that does not exist");
    let explained = ann
        .get(&format!(
            "{path}/domains/{}/score-breakdown",
            dead["domain"]
        ))
        .send()
        .await
        .ok(200);
    assert_eq!(
        (&explained["state"], &explained["reason"]),
        (&json!("degraded"), &json!("feature_vector_missing"))
    );
    ann.get(&format!("{path}/domains/other.test/score-breakdown"))
        .send()
        .await
        .ok(404);
    ann.get(&format!("{path}/domains/other.test/history"))
        .send()
        .await
        .ok(404);
    ann.get(&format!("{path}/domains/nonsense/history"))
        .send()
        .await
        .blames(400, "domain");
}

async fn an_offset_past_everything_is_an_empty_page(ann: &Client, path: &str) {
    let sorts = [
        "",
        "&sort=richness_score&dir=asc",
        "&sort=richness_score&dir=desc",
        "&sort=keywords_unique&dir=asc",
        "&sort=keywords_unique&dir=desc",
    ];
    for (sort, limit) in sorts.iter().flat_map(|sort| [(sort, 1), (sort, 1_000)]) {
        let page = ann
            .get(&format!(
                "{path}/domains?offset={}&limit={limit}{sort}",
                i64::MAX
            ))
            .send()
            .await
            .ok(200);
        assert_eq!(page["items"], json!([]), "{sort}");
        assert_eq!(page["pageInfo"]["hasNextPage"], false, "{sort}");
    }
}

async fn wrong_parameters_are_named(ann: &Client, path: &str) {
    for (query, field) in [
        ("dnsStatus=up", "dnsStatus"),
        ("httpStatus=200", "httpStatus"),
        ("dnsReason=nxdomain", "dnsReason"),
        ("httpReason=X", "httpReason"),
        ("minScore=101", "minScore"),
        ("minScore=NaN", "minScore"),
        ("minScore=high", "minScore"),
        ("notParked=1", "notParked"),
        ("keyword=", "keyword"),
        ("sort=name", "sort"),
        ("dir=asc", "dir"),
        ("sort=richness_score&dir=up", "dir"),
        ("warnings=yes", "warnings"),
        ("rejectionReason=qualified,other", "rejectionReason"),
        ("dnsstatus=ok", "dnsstatus"),
    ] {
        ann.get(&format!("{path}/domains?{query}"))
            .send()
            .await
            .blames(400, field);
        ann.get(&format!("{path}/export?{query}"))
            .send()
            .await
            .blames(400, field);
    }
    for list in ["domains", "export"] {
        ann.get(&format!("{path}/{list}?sort=microcrawl_gain"))
            .send()
            .await
            .blames(422, "sort");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("first=0", "first"),
        ("first=5&limit=6", "first"),
        ("offset=-1", "offset"),
        ("after=x", "after"),
        ("format=csv", "format"),
    ] {
        ann.get(&format!("{path}/domains?{query}"))
            .send()
            .await
            .blames(400, field);
    }
    let page = ann
        .get(&format!("{path}/domains?first=1"))
        .send()
        .await
        .ok(200);
    let cursor = page["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    ann.get(&format!(
        "{path}/domains?first=1&sort=richness_score&after={cursor}"
    ))
    .send()
    .await
    .blames(400, "after");
    ann.get(&format!("{path}/domains?offset=1&after={cursor}"))
        .send()
        .await
        .blames(400, "offset");
    ann.get(&format!("{path}/export?format=xml"))
        .send()
        .await
        .blames(400, "format");
    ann.get(&format!("{path}/history?limit=0"))
        .send()
        .await
        .blames(400, "limit");
    ann.get(&format!("{path}?asOf=now"))
        .send()
        .await
        .blames(400, "asOf");
}

async fn a_drift_shows(app: &TestApp, ann: &Client, path: &str) {
    let drift = "UPDATE read.domain_counts SET n = n + 1 WHERE rejection_reason = 'dns_error'";
    sqlx::query(drift)
        .execute(app.app.database.pool())
        .await
        .expect("the counters are writable");
    let summary = ann
        .get(&format!("{path}/rejection-summary"))
        .send()
        .await
        .ok(200);
    assert_eq!(summary["balanced"], false);
    assert!(
        summary["auditNote"].as_str().unwrap().contains("dns_error"),
        "{summary}"
    );
}
