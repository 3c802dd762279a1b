//! One domain: its score, its history.

use serde_json::json;

use super::{Row, number};
use crate::support::server::Client;

pub async fn one_domain_is_explained(ann: &Client, path: &str, all: &[Row]) {
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
