//! What the numbers of a finished campaign say: classes, momentum, recommendations, lineage.

use sandbox::World;
use serde_json::{Value, json};

use super::{configure, create, reaches, shops, walk};
use crate::support::server::{Client, TestApp};

async fn get(client: &Client, path: &str) -> Value {
    client.get(path).send().await.ok(200)
}

/// Runs a campaign of 256 names over a generated world to its end.
async fn finished(ann: &Client) -> String {
    let path = create(ann, &shops("abcdefghijklmnop")).await;
    configure(ann, &path, &["espresso", "the"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(ann, &path, "completed").await;
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaigns_numbers_are_told_by_class_by_rule_and_by_lineage() {
    let app = TestApp::in_sandbox(World::generated(7)).await;
    let ann = app.user("ann").await;
    let path = finished(&ann).await;
    classes_are_a_recount(&ann, &path).await;
    rules_follow_the_funnel(&ann, &path).await;
    let still = get(&ann, &format!("{path}/momentum")).await;
    let none = json!({"moversUp": [], "moversDown": [], "histogram": vec![0; 20]});
    assert_eq!(still, none, "one run is no movement");
    lineage_is_of_the_pattern(&ann, &path).await;
    app.stop().await;
}

async fn classes_are_a_recount(ann: &Client, path: &str) {
    let shown = get(ann, &format!("{path}/classifications?limit=3")).await;
    let rows = walk(ann, path, "", 256).await;
    let analyzed = |row: &&Value| {
        let keywords = row["features"]["keywords"]["unique_count"].as_u64();
        keywords.unwrap_or(0) > 0 && row["domainScore"].is_number()
    };
    let score = |row: &&Value| row["domainScore"].as_f64().unwrap();
    let high = rows.iter().filter(analyzed);
    let high = high.filter(|row| score(row) >= 80.0).count();
    let emerging = rows.iter().filter(analyzed);
    let emerging = emerging
        .filter(|row| (50.0..80.0).contains(&score(row)))
        .count();
    let other = rows.len() - rows.iter().filter(analyzed).count();
    let counts = &shown["counts"];
    assert_eq!(counts["highPotential"], high, "{shown}");
    assert_eq!(counts["emerging"], emerging, "{shown}");
    assert_eq!(counts["other"], other, "{shown}");
    let sum: u64 = counts
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(sum, 256, "every domain is of one class");
    assert!(emerging + high > 0 && other > 0, "{shown}");
    for sample in shown["samples"].as_array().unwrap() {
        let bucket = sample["bucket"].as_str().unwrap();
        let expected = counts[bucket].as_u64().unwrap().min(3);
        assert_eq!(
            sample["domains"].as_array().unwrap().len() as u64,
            expected,
            "{sample}"
        );
    }
    for limit in ["0", "51", "five"] {
        let wrong = ann.get(&format!("{path}/classifications?limit={limit}"));
        wrong.send().await.blames(400, "limit");
    }
}

async fn rules_follow_the_funnel(ann: &Client, path: &str) {
    let funnel = get(ann, &format!("{path}/funnel")).await;
    let number = |field: &str| funnel[field].as_f64().unwrap();
    let told = get(ann, &format!("{path}/insights/recommendations")).await;
    let codes: Vec<_> = told["recommendations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["rationaleCode"].as_str().unwrap().to_owned())
        .collect();
    let applies = |code: &str| codes.iter().any(|told| told == code);
    let low = number("dnsValid") / number("generated") < 0.7;
    assert!(low && applies("R_DNS_LOW"), "{funnel} {told}");
    let low = number("httpValid") / number("dnsValid") < 0.8;
    assert_eq!(applies("R_HTTP_LOW"), low, "{funnel} {told}");
    assert!(!applies("R_ALL_CLEAR") && !applies("R_NO_LEADS"), "{told}");

    let empty = create(ann, &shops("qrs")).await;
    let told = get(ann, &format!("{empty}/insights/recommendations")).await;
    assert_eq!(told["recommendations"][0]["rationaleCode"], "R_ALL_CLEAR");
    assert_eq!(told["recommendations"].as_array().unwrap().len(), 1);
}

async fn lineage_is_of_the_pattern(ann: &Client, path: &str) {
    let first = get(ann, &format!("{path}/discovery-lineage")).await["data"].clone();
    assert_eq!(
        first["thisCampaign"],
        json!({"offsetStart": 0, "offsetEnd": 256})
    );
    assert_eq!(first["priorCampaigns"], json!([]));

    // Another campaign of the same pattern has none of its names yet, and would begin where the first ended.
    let second = create(ann, &shops("abcdefghijklmnop")).await;
    let other = get(ann, &format!("{second}/discovery-lineage")).await["data"].clone();
    assert_eq!(other["configHash"], first["configHash"]);
    assert_eq!(
        other["thisCampaign"],
        json!({"offsetStart": 256, "offsetEnd": 256})
    );
    let prior = &other["priorCampaigns"][0];
    assert_eq!(
        format!("/campaigns/{}", prior["id"].as_str().unwrap()),
        path
    );
    assert_eq!(prior["offsetRange"], json!({"start": 0, "end": 256}));
    assert_eq!(prior["stats"]["completeness"], "complete");

    let imported = json!({"name": "given", "mode": "step_by_step", "configuration": {}});
    let imported = create(ann, &imported).await;
    let none = ann.get(&format!("{imported}/discovery-lineage"));
    none.send().await.blames(404, "campaignId");
}
