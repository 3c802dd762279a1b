//! A score is a number from 0 to 100, the same one wherever it is told.

use sandbox::{Host, World};
use serde_json::{Value, json};

use crate::{
    campaigns::reaches,
    sse::client::Stream,
    support::server::{Client, TestApp},
};

/// Runs a campaign that makes leads of names, and returns its id.
async fn leads(ann: &Client) -> String {
    let rules = json!([{"pattern": "espresso", "ruleType": "string"}]);
    let set = ann
        .post("/keyword-sets")
        .json(&json!({"name": "words", "rules": rules}));
    let set = set.send().await.ok(201)["id"].clone();
    let typed = |of: &str| format!("/api/v1/campaigns/{of}");
    let made = async |of: &str, body: Value| {
        let made = ann.post(&typed(of)).json(&body).send().await.ok(201);
        let id = made["campaignId"].as_str().unwrap().to_owned();
        let path = format!("{}/{id}", typed(of));
        ann.post(&format!("{path}/start")).send().await.ok(200);
        reaches(ann, &path, "completed").await;
        id
    };
    let pages = json!({"campaignName": "pages", "domains": ["good.test"]});
    let pages = made("http", pages).await;
    let body =
        json!({"campaignName": "leads", "inputCampaignIds": [pages], "keywordSetIds": [set]});
    made("lead", body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_score_is_the_same_number_of_a_hundred_wherever_it_is_told() {
    let world = World::scripted().host("good.test", Host::page(&["espresso"]));
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    let mut stream = Stream::open(&ann, "/sse/events", None).await;
    let id = leads(&ann).await;
    let path = format!("/campaigns/{id}");
    let ask = async |path: String| ann.get(&path).send().await;

    let list = ask(format!("{path}/domains")).await.ok(200);
    let listed = &list["items"][0];
    let score = listed["domainScore"].as_f64().expect("a score");
    // Of one, it would be one of the hundredth at the most.
    assert!(score > 1.0 && score <= 100.0, "{score}");
    let mut told = vec![("list, of the decision", listed["leadScore"].as_f64())];
    let explained = ask(format!("{path}/domains/good.test/score-breakdown")).await;
    told.push(("breakdown", explained.ok(200)["overallScore"].as_f64()));
    for (format, what) in [("csv", "csv"), ("ndjson", "lines")] {
        let table = ask(format!("{path}/export?format={format}")).await.text;
        let value = match format {
            "csv" => {
                let mut rows = csv::Reader::from_reader(table.as_bytes());
                let mut rows = rows.deserialize::<std::collections::HashMap<String, String>>();
                rows.next().unwrap().unwrap()["domainScore"].parse().ok()
            }
            _ => serde_json::from_str::<Value>(&table).unwrap()["domainScore"].as_f64(),
        };
        told.push((what, value));
    }
    let typed = format!("/api/v1/campaigns/lead/{id}/leads");
    let typed = ask(typed).await.ok(200);
    told.push(("lead", typed["items"][0]["score"].as_f64()));
    let messages = stream.until(|message| message.kind == "domain_scored");
    let messages = messages.await;
    let message = messages.last().unwrap().payload();
    told.push(("stream", message["domainScore"].as_f64()));
    let history = ask(format!("{path}/domains/good.test/history")).await;
    for entry in history.ok(200)["items"].as_array().unwrap() {
        let details = &entry["details"];
        match entry["action"].as_str() {
            Some("Scored") => told.push(("scored", details["domainScore"].as_f64())),
            Some("LeadDecided") => told.push(("decided", details["leadScore"].as_f64())),
            _ => continue,
        }
        let other = (&details["score"], &details["score"]["score"]);
        assert!(!other.0.is_number() && other.1.is_null(), "{details}");
    }
    assert_eq!(told.len(), 8);
    for (by, value) in told {
        assert_eq!(value, Some(score), "{by}");
    }
    // A filter is in the numbers that are shown.
    for (least, found) in [(score - 0.01, 1), (score + 0.01, 0)] {
        let list = ask(format!("{path}/domains?minScore={least}")).await;
        assert_eq!(list.ok(200)["total"], json!(found), "{least}");
    }
    drop(stream);
    app.stop().await;
}
