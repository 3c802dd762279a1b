//! The list and its download: each filter, each page, each format against the whole list.

use serde_json::{Value, json};

use super::{Row, listed, names, number, table};
use crate::campaigns::walk;
use crate::support::server::Client;

pub async fn filters_are_exact(ann: &Client, path: &str, all: &[Row]) {
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

pub async fn pages_are_the_whole_list(ann: &Client, path: &str, all: &[Row]) {
    for size in [1, 7, 256, 1_000] {
        assert_eq!(listed(&walk(ann, path, "", size).await), names(all));
    }
    let mut backwards = all.to_vec();
    backwards.reverse();
    for (dir, expected) in [("asc", names(all)), ("desc", names(&backwards))] {
        let order = format!("&dir={dir}");
        assert_eq!(listed(&walk(ann, path, &order, 9).await), expected, "{dir}");
        assert_eq!(names(&table(ann, path, &order).await), expected, "{dir}");
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

pub async fn downloads_equal_the_list(ann: &Client, path: &str) {
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

pub async fn an_offset_past_everything_is_an_empty_page(ann: &Client, path: &str) {
    let sorts = [
        "",
        "&dir=desc",
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
