//! Campaigns that check names over DNS and HTTP.

use sandbox::Host;
use serde_json::json;

use super::{create, each, records, run, upload};
use crate::{
    campaigns::{reruns::world, upload::form},
    support::server::TestApp,
};

const LIST: &str = "good.test\nplain.test\n# not this one\nhttps://gone.test/x\nill.test\nbroken.test\ngood.test\nno domain\n";

#[tokio::test]
async fn a_dns_campaign_checks_the_names_of_a_file() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let path = create(&ann, "dns", &json!({"campaignName": "names"})).await;
    // Nothing to check yet.
    ann.post(&format!("{path}/start")).send().await.ok(409);
    let sent = upload(&ann, &path, LIST).await;
    assert_eq!(
        (&sent["accepted"], &sent["duplicates"], &sent["rejected"]),
        (&json!(5), &json!(1), &json!(1))
    );
    assert_eq!(sent["rejectedLines"][0]["line"], 8);
    let (kind, body) = form("late.txt", "late.test");
    let stale = ann
        .post(&format!("{path}/upload"))
        .header("if-match", "\"1\"");
    stale.body(&kind, body).send().await.ok(412);
    let given = ann.get(&path).send().await.ok(200);
    assert_eq!(
        (
            &given["sourceMode"],
            &given["domainInputSource"],
            &given["initialNumberOfDomains"]
        ),
        (&json!("upload"), &sent["fileId"], &json!(5))
    );
    let history = &given["uploadHistory"][0];
    assert_eq!(
        (
            &history["filename"],
            &history["fileId"],
            &history["uploadedBy"]
        ),
        (&json!("names.txt"), &sent["fileId"], &given["ownerId"])
    );
    let waiting = records(&ann, &path, "").await;
    assert!(
        waiting
            .iter()
            .all(|one| one["validationStatus"] == "pending")
    );

    let done = run(&ann, &path).await;
    assert_eq!(
        (
            &done["campaignType"],
            &done["processedDomainsCount"],
            &done["progress"]
        ),
        (&json!("DNS Validation"), &json!(5), &json!(100.0))
    );
    let found = records(&ann, &path, "").await;
    let expected = ["done", "done", "failed", "failed", "done"];
    assert_eq!(each(&found, "validationStatus"), expected);
    assert_eq!(found[2]["errorDetails"], "NXDOMAIN");
    assert!(
        found[3]["errorDetails"]
            .as_str()
            .unwrap()
            .starts_with("SERVFAIL")
    );
    let data = &found[0]["dnsRecordData"];
    assert_eq!(data["addresses"].as_array().unwrap().len(), 1);
    assert!(data["resolver"].is_string() && data["attempts"].as_u64() >= Some(1));
    assert!(found[0]["lastCheckedAt"].is_string() && found[0].get("errorDetails").is_none());
    let failed = records(&ann, &path, "?validationStatus=failed").await;
    assert_eq!(each(&failed, "domain"), ["gone.test", "ill.test"]);
    let done = records(&ann, &path, "?validationStatus=done").await;
    assert_eq!(done.len(), 3);
    for none in ["pending", "processing", "retried", "skipped"] {
        let query = format!("?validationStatus={none}");
        assert_eq!(records(&ann, &path, &query).await.len(), 0, "{none}");
    }
    let contradiction = "?validationStatus=done&dnsStatus=error";
    assert_eq!(records(&ann, &path, contradiction).await.len(), 0);
    let reason = records(&ann, &path, "?dnsReason=SERVFAIL").await;
    assert_eq!(each(&reason, "domain"), ["ill.test"]);

    let copy = ann.post(&format!(
        "/campaigns/{}/duplicate",
        path.rsplit('/').next().unwrap()
    ));
    let copy = copy.send().await.ok(201)["id"].clone();
    let copy = format!(
        "{}/{}",
        path.rsplit_once('/').unwrap().0,
        copy.as_str().unwrap()
    );
    let copy = ann.get(&copy).send().await.ok(200);
    assert_eq!(
        (&copy["status"], &copy["sourceMode"]),
        (&json!("pending"), &json!("upload"))
    );

    // What is listed as failed is what is tried again, also a name that did not exist.
    let sandbox = app.sandbox.as_ref().unwrap();
    sandbox.set_host("gone.test", Host::page(&[]));
    let unasked = sandbox.dns_queries("good.test");
    ann.post(&format!("{path}/retry")).send().await.ok(200);
    crate::campaigns::reaches(&ann, &path, "completed").await;
    let history = ann.get(&format!("{path}/history?limit=1000")).send().await;
    let history = history.ok(200);
    let runs = history["items"].as_array().unwrap().iter();
    let kinds: Vec<_> = runs
        .filter(|item| item["action"] == "PhaseStarted")
        .map(|item| item["details"]["kind"].clone())
        .collect();
    assert_eq!(kinds, [json!(null), json!(null), json!("retry_failed")]);
    assert_eq!(sandbox.dns_queries("good.test"), unasked);
    let failed = records(&ann, &path, "?validationStatus=failed").await;
    assert_eq!(each(&failed, "domain"), ["ill.test"]);
    sandbox.set_host("ill.test", Host::page(&[]));
    ann.post(&format!("{path}/retry")).send().await.ok(200);
    crate::campaigns::reaches(&ann, &path, "completed").await;
    // Nothing is listed as failed, and nothing can be retried.
    let failed = records(&ann, &path, "?validationStatus=failed").await;
    assert_eq!(failed.len(), 0);
    ann.post(&format!("{path}/retry")).send().await.ok(409);
    app.stop().await;
}

#[tokio::test]
async fn an_http_campaign_fetches_the_names_of_a_request() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let names = ["good.test", "gone.test", "broken.test"];
    let body = json!({"campaignName": "pages", "domains": names, "sourceMode": "direct", "httpPersonaId": "default"});
    let path = create(&ann, "http", &body).await;
    let done = run(&ann, &path).await;
    assert_eq!(
        (
            &done["campaignType"],
            &done["domainInputSource"],
            &done["httpPersonaId"]
        ),
        (
            &json!("HTTP Validation"),
            &json!("direct"),
            &json!("default")
        )
    );
    assert_eq!(done["processedDomainsCount"], 3);
    let found = records(&ann, &path, "").await;
    assert_eq!(
        each(&found, "validationStatus"),
        ["done", "failed", "failed"]
    );
    assert_eq!(
        each(&found, "httpStatusCode"),
        [json!(200), json!(null), json!(500)]
    );
    assert_eq!(found[0]["resultData"]["outcome"], "ok");
    assert!(
        found[2]["errorDetails"]
            .as_str()
            .unwrap()
            .starts_with("UPSTREAM_5XX")
    );
    let failed = records(&ann, &path, "?validationStatus=failed").await;
    assert_eq!(each(&failed, "domain"), ["gone.test", "broken.test"]);
    let csv = ann.get(&format!("{path}/results")).send().await;
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("good.test,done,") && lines[1].contains(",200,"));
    app.stop().await;
}

#[tokio::test]
async fn names_are_taken_from_campaigns_that_they_passed_each_once() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let first = json!({"campaignName": "first", "domains": ["good.test", "gone.test"]});
    let first = create(&ann, "dns", &first).await;
    let second =
        json!({"campaignName": "second", "domains": ["plain.test", "good.test", "broken.test"]});
    let second = create(&ann, "dns", &second).await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let body = json!({"campaignName": "pages", "inputCampaignIds": [id(&first), id(&second)]});
    let path = create(&ann, "http", &body).await;
    let refused = ann.post(&format!("{path}/start")).send().await;
    refused.blames(422, "inputCampaignIds");
    run(&ann, &first).await;
    run(&ann, &second).await;
    let done = run(&ann, &path).await;
    assert_eq!(done["sourceMode"], "campaigns");
    assert_eq!(done["inputCampaignIds"], json!([id(&first), id(&second)]));
    let found = records(&ann, &path, "").await;
    assert_eq!(
        each(&found, "domain"),
        ["good.test", "plain.test", "broken.test"]
    );
    assert_eq!(each(&found, "validationStatus"), ["done", "done", "failed"]);
    // Their addresses are known already, and whose they are is told.
    let history = ann.get(&format!(
        "/campaigns/{}/domains/good.test/history",
        id(&path)
    ));
    let history = history.send().await.ok(200);
    let dns = &history["items"][0];
    assert_eq!(
        (&dns["action"], &dns["details"]["taken_from"]["campaign_id"]),
        (&json!("DnsChecked"), &json!(id(&first)))
    );
    assert!(history["items"][1]["details"].get("taken_from").is_none());
    app.stop().await;
}

#[tokio::test]
async fn what_a_new_run_has_taken_back_is_not_shown_beside_what_it_has_not_found_yet() {
    let app = TestApp::in_sandbox(world()).await;
    let ann = app.user("ann").await;
    let body = json!({"campaignName": "pages", "domains": ["good.test", "broken.test"]});
    let path = create(&ann, "http", &body).await;
    run(&ann, &path).await;
    let id = path.rsplit('/').next().unwrap();
    // The names are checked anew by a resolver that never answers.
    let slow = super::slow_check(&ann).await;
    let persona = ann.get(&slow).send().await.ok(200)["dnsPersonaId"].clone();
    let configure = ann.post(&format!("/campaigns/{id}/phases/validation/configure"));
    let refused = json!({"configuration": {}, "personaIds": {"dnsPersonaId": persona}});
    configure
        .json(&refused)
        .send()
        .await
        .blames(422, "configuration");
    ann.post(&format!("/campaigns/{id}/phases/validation/start"))
        .send()
        .await
        .ok(200);
    ann.post(&format!("{path}/pause")).send().await;
    let found = records(&ann, &path, "").await;
    for record in &found {
        let status = record["validationStatus"].as_str().unwrap();
        let has_page = record.get("resultData").is_some();
        assert!(has_page == matches!(status, "done" | "failed"), "{record}");
    }
    app.stop().await;
}
