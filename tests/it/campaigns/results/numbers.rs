//! Every number against a recount of the rows, and a number that has drifted.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Row, number};
use crate::support::server::{Client, TestApp};

pub async fn numbers_equal_a_recount(ann: &Client, path: &str, all: &[Row]) {
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

pub async fn a_drift_shows(app: &TestApp, ann: &Client, path: &str) {
    for counters in ["domain_totals", "domain_counts"] {
        for (change, balanced) in [("n + 1", false), ("n - 1", true)] {
            let drift = format!(
                "UPDATE read.{counters} SET n = {change} WHERE rejection_reason = 'dns_error'"
            );
            sqlx::query(&drift)
                .execute(app.app.database.pool())
                .await
                .expect("the counters are writable");
            let summary = ann
                .get(&format!("{path}/rejection-summary"))
                .send()
                .await
                .ok(200);
            assert_eq!(summary["balanced"], balanced, "{counters}: {summary}");
            let note = summary["auditNote"].as_str().unwrap_or_default();
            assert!(balanced || note.contains("dns_error"), "{summary}");
        }
    }
}
