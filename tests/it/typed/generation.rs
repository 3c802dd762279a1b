//! Campaigns that generate names.

use serde_json::json;

use super::{BASE, create, each, records, run};
use crate::support::server::TestApp;

#[tokio::test]
async fn a_generation_campaign_makes_its_names_and_is_done() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let settings = json!({"campaignName": "shops", "description": "by name", "notes": "first", "tags": ["spring"],
        "pattern": "prefix variable", "constantPart": "shop", "prefixVariableLength": 2, "charSet": "ab",
        "tlds": ["test", "example"], "targetDomainsToGenerate": 6, "generationStrategy": "brute-force",
        "enforceUniqueness": true, "resumeFlag": true, "proxyAssignmentId": "direct"});
    let path = create(&ann, "generation", &settings).await;
    let made = ann.get(&path).send().await.ok(200);
    let mut expected = settings.clone();
    let more = json!({"campaignType": "Domain Generation", "status": "pending", "pattern": "prefix_variable",
        "suffixVariableLength": 0, "maxTheoreticalDomains": 8.0, "processedDomainsCount": 0, "progress": 0.0,
        "resultFilePath": format!("{path}/results"), "campaignId": path.rsplit('/').next().unwrap(),
        "ownerId": ann.user_id.unwrap().to_string(), "createdBy": ann.user_id.unwrap().to_string(),
        "createdAt": made["createdAt"], "updatedAt": made["updatedAt"], "auditLog": made["auditLog"]});
    let fields = expected.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    assert_eq!(made, expected);

    let done = run(&ann, &path).await;
    assert_eq!(
        (&done["processedDomainsCount"], &done["progress"]),
        (&json!(6), &json!(100.0))
    );
    let names = records(&ann, &path, "").await;
    let expected = [
        "aashop.test",
        "aashop.example",
        "abshop.test",
        "abshop.example",
        "bashop.test",
        "bashop.example",
    ];
    assert_eq!(each(&names, "domain"), expected);
    assert!(
        names
            .iter()
            .all(|name| name["generationStatus"] == "generated")
    );
    assert_eq!(each(&names, "offset"), [0, 1, 2, 3, 4, 5].map(|n| json!(n)));

    // The other interface shows the same campaign, with the one phase that it has.
    let id = path.rsplit('/').next().unwrap();
    let other = ann.get(&format!("/campaigns/{id}")).send().await.ok(200);
    assert_eq!(other["status"], "completed");
    let all = ann.get(&format!("/campaigns/{id}/phase-executions"));
    let all = all.send().await.ok(200);
    assert_eq!(all["phaseExecutions"].as_array().unwrap().len(), 1);
    let start = ann.post(&format!("/campaigns/{id}/phases/validation/start"));
    start.send().await.ok(409);
    app.stop().await;
}

#[tokio::test]
async fn a_dictionary_takes_the_place_of_the_variable_characters() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let settings = json!({"campaignName": "words", "constantPart": "shop", "tlds": ["test"],
        "generationStrategy": "dictionary", "dictionary": ["tea", "book"]});
    let path = create(&ann, "generation", &settings).await;
    run(&ann, &path).await;
    let names = records(&ann, &path, "").await;
    assert_eq!(each(&names, "domain"), ["teashop.test", "bookshop.test"]);
    let made = ann.get(&path).send().await.ok(200);
    assert_eq!(
        (&made["generationStrategy"], &made["dictionary"]),
        (&json!("dictionary"), &json!(["tea", "book"]))
    );
    app.stop().await;
}

#[tokio::test]
async fn two_campaigns_of_a_pattern_have_no_name_in_common() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let settings = json!({"campaignName": "shops", "constantPart": "shop", "prefixVariableLength": 1,
        "charSet": "abcdef", "tlds": ["test"], "targetDomainsToGenerate": 3});
    let first = create(&ann, "generation", &settings).await;
    let second = create(&ann, "generation", &settings).await;
    run(&ann, &first).await;
    run(&ann, &second).await;
    let first = records(&ann, &first, "").await;
    let second = records(&ann, &second, "").await;
    assert_eq!(each(&first, "offset"), [0, 1, 2].map(|n| json!(n)));
    assert_eq!(each(&second, "offset"), [3, 4, 5].map(|n| json!(n)));
    app.stop().await;
}

/// Whoever takes all that a pattern has and is stopped on the way must not lose the rest to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_that_was_stopped_goes_on_where_its_names_end() {
    const ALL: u64 = 8 * 8 * 8 * 8 * 8 * 8;
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let settings = json!({"campaignName": "many", "constantPart": "shop", "prefixVariableLength": 6,
        "charSet": "abcdefgh", "tlds": ["test"]});
    let path = create(&ann, "generation", &settings).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    ann.post(&format!("{path}/cancel")).send().await.ok(200);
    let had = ann.get(&path).send().await.ok(200)["processedDomainsCount"].as_u64();
    assert!(had.unwrap() < ALL, "it was over before it could be stopped");

    let done = run(&ann, &path).await;
    assert_eq!(done["processedDomainsCount"], json!(ALL));
    let id = path.rsplit('/').next().unwrap();
    let last = format!("/campaigns/{id}/domains?limit=1&offset={}", ALL - 1);
    let last = ann.get(&last).send().await.ok(200);
    assert_eq!(last["items"][0]["offset"], ALL - 1);
    app.stop().await;
}

#[tokio::test]
async fn the_results_are_downloaded_as_csv_json_and_lines() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let settings = json!({"campaignName": "many", "constantPart": "shop", "prefixVariableLength": 4,
        "charSet": "abcdef", "tlds": ["test"]});
    let path = create(&ann, "generation", &settings).await;
    let done = run(&ann, &path).await;
    let results = done["resultFilePath"].as_str().unwrap();
    assert!(results.starts_with(BASE));
    let csv = ann.get(&format!("{results}?format=csv")).send().await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines[0], "domain,generationStatus,generatedAt,offset");
    assert_eq!(lines.len(), 1 + 1296);
    assert!(lines[1296].starts_with("ffffshop.test,generated,"));
    let json = ann
        .get(&format!("{results}?format=json"))
        .send()
        .await
        .ok(200);
    assert_eq!(json.as_array().unwrap().len(), 1296);
    let lines = ann.get(&format!("{results}?format=ndjson")).send().await;
    assert_eq!(lines.text.lines().count(), 1296);
    ann.get(&format!("{results}?format=xml"))
        .send()
        .await
        .blames(400, "format");
    app.stop().await;
}
