//! Campaigns that make leads of what others found.

use sandbox::{Host, World};
use serde_json::{Value, json};

use super::{create, each, run};
use crate::{
    campaigns::{self, reaches},
    support::server::{Client, TestApp},
};

fn world() -> World {
    World::scripted()
        .host("good.test", Host::page(&["espresso"]))
        .host("plain.test", Host::page(&[]))
        .host("broken.test", Host::status(500))
}

async fn keyword_set(client: &Client, keyword: &str) -> Value {
    let body = json!({"name": keyword, "rules": [{"pattern": keyword, "ruleType": "string"}]});
    client
        .post("/keyword-sets")
        .json(&body)
        .send()
        .await
        .ok(201)["id"]
        .clone()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// Returns the events of a domain, each with the campaign that it was taken from.
async fn taken(client: &Client, path: &str, name: &str) -> Vec<(String, Value)> {
    let history = client.get(&format!("/campaigns/{}/domains/{name}/history", id(path)));
    let items = history.send().await.ok(200)["items"].clone();
    let items = items.as_array().unwrap().iter();
    items
        .map(|item| {
            let from = item["details"]["taken_from"]["campaign_id"].clone();
            (item["action"].as_str().unwrap().to_owned(), from)
        })
        .collect()
}

#[tokio::test]
async fn leads_are_made_of_pages_that_were_fetched_by_the_same_rules_and_of_those_alone() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let espresso = keyword_set(&ann, "espresso").await;
    // A campaign with all phases that has searched its pages for the keyword.
    let full = json!({"name": "full", "mode": "full_sequence", "configuration": {
        "patternConfig": {"targetDomains": ["good.test", "broken.test"], "keywordSetIds": [espresso]},
        "phases": {"validation": {"enabled": true}}}});
    let full = campaigns::create(&ann, &full).await;
    ann.post(&format!("{full}/start")).send().await.ok(200);
    reaches(&ann, &full, "completed").await;
    let pages = json!({"campaignName": "pages", "domains": ["plain.test", "good.test"]});
    let pages = create(&ann, "http", &pages).await;
    run(&ann, &pages).await;

    let body = json!({"campaignName": "leads", "inputCampaignIds": [id(&pages), id(&full)],
        "keywordSetIds": [espresso]});
    let path = create(&ann, "lead", &body).await;
    let done = run(&ann, &path).await;
    assert_eq!(
        (
            &done["campaignType"],
            &done["keywordSetIds"],
            &done["processedDomainsCount"]
        ),
        (&json!("Lead Generation"), &json!([espresso]), &json!(2))
    );
    let list = ann.get(&format!("{path}/leads")).send().await.ok(200);
    let leads = list["items"].as_array().unwrap().clone();
    assert_eq!(each(&leads, "domain"), ["plain.test", "good.test"]);
    assert_eq!(each(&leads, "extractionStatus"), ["done", "done"]);
    let good = &leads[1];
    assert_eq!(good["keywordMatches"][0]["keyword"], "espresso");
    let context = good["keywordMatches"][0]["matchContext"].as_str().unwrap();
    assert!(context.to_lowercase().contains("espresso"), "{context}");
    assert!(good["url"].as_str().unwrap().contains("good.test"));
    assert!(good["score"].as_f64().unwrap() > 0.0 && good["lastProcessedAt"].is_string());
    assert_eq!(leads[0]["keywordMatches"], json!([]));

    // The page of the campaign that looked for nothing says nothing of the keyword, so it was fetched again.
    let (of_pages, of_full) = (json!(id(&pages)), json!(id(&full)));
    let plain = taken(&ann, &path, "plain.test").await;
    assert_eq!(plain[0], ("DnsChecked".to_owned(), of_pages.clone()));
    assert_eq!(plain[1], ("HttpChecked".to_owned(), Value::Null));
    let good = taken(&ann, &path, "good.test").await;
    assert_eq!(good[0], ("DnsChecked".to_owned(), of_pages));
    assert_eq!(good[1], ("HttpChecked".to_owned(), of_full));

    let done = ann.get(&format!("{path}/leads?extractionStatus=done"));
    assert_eq!(done.send().await.ok(200)["total"], 2);
    let none = ann.get(&format!("{path}/leads?extractionStatus=error"));
    assert_eq!(none.send().await.ok(200)["total"], 0);
    let both = "extractionStatus=done&rejectionReason=no_keywords";
    let both = ann.get(&format!("{path}/leads?{both}")).send().await;
    assert_eq!(
        each(both.ok(200)["items"].as_array().unwrap(), "domain"),
        ["plain.test"]
    );
    let csv = ann.get(&format!("{path}/results?format=csv")).send().await;
    assert_eq!(csv.text.lines().count(), 3);
    app.stop().await;
}
