//! What the list keeps campaigns from, counted where it would have arrived.

use sandbox::{Host, Record, Site, Target, World};
use serde_json::{Value, json};

use super::{add, admin};
use crate::{
    campaigns::{configure, create, discovered, reaches},
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

/// Runs a campaign over some names up to its leads.
async fn run(client: &Client, names: &[&str]) -> String {
    let body = json!({"name": "x", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": names}}});
    let path = create(client, &body).await;
    configure(client, &path, &["espresso"]).await;
    client.post(&format!("{path}/start")).send().await.ok(200);
    reaches(client, &path, "completed").await;
    path
}

/// Reads what an action found out about a name.
async fn found(client: &Client, path: &str, name: &str, action: &str) -> Value {
    let history = client.get(&format!("{path}/domains/{name}/history"));
    let items = history.send().await.ok(200)["items"].clone();
    let mut items = items.as_array().unwrap().iter();
    let item = items.find(|item| item["action"] == action);
    item.unwrap_or_else(|| panic!("{name} has no {action}"))["details"].clone()
}

#[track_caller]
fn assert_suppressed(found: &Value, id: &str) {
    assert_eq!(
        (&found["outcome"], &found["reason"]),
        (&json!("error"), &json!("ERROR")),
        "{found}"
    );
    let detail = found["detail"].as_str().unwrap_or_default();
    assert!(
        detail.starts_with("SUPPRESSED: ") && detail.contains(id),
        "{found}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_whom_the_list_names_and_the_verdict_says_by_which_entry() {
    let world = World::scripted()
        .host("free.test", Host::page(&["espresso"]))
        .host("named.test", Host::page(&["espresso"]))
        .host(
            "leads.test",
            Host::new(Site::Redirect(
                302,
                Target::Http("www.named.test".into(), "/".into()),
            )),
        )
        .host(
            "parked.test",
            Host::page(&["espresso"]).record(Record::Ns("ns1.parking.test".into())),
        );
    let app = TestApp::in_sandbox(world).await;
    let admin = admin(&app).await;
    let name = add(&admin, "domain", "named.test").await;
    let server = add(&admin, "nameserver", "parking.test").await;
    let names = ["free.test", "named.test", "leads.test", "parked.test"];
    let path = run(&admin, &names).await;
    let sandbox = app.sandbox.as_ref().unwrap();

    assert_eq!(
        (
            sandbox.dns_queries("named.test"),
            sandbox.http_requests("named.test")
        ),
        (0, 0)
    );
    assert_suppressed(
        &found(&admin, &path, "named.test", "DnsChecked").await,
        &name,
    );
    assert_eq!(
        sandbox.dns_queries("www.named.test"),
        0,
        "a redirect led there"
    );
    assert_suppressed(
        &found(&admin, &path, "leads.test", "HttpChecked").await,
        &name,
    );
    assert_eq!(sandbox.http_requests("parked.test"), 0);
    assert_suppressed(
        &found(&admin, &path, "parked.test", "DnsChecked").await,
        &server,
    );
    let free = found(&admin, &path, "free.test", "HttpChecked").await;
    assert_eq!(free["outcome"], "ok");
    let of_run = "SELECT payload -> 'PhaseCompleted' -> 'tallies' ->> 'suppressed' FROM events \
        WHERE event_type = 'PhaseCompleted' AND payload -> 'PhaseCompleted' ->> 'phase' = 'validation'";
    let tally: Option<String> = sqlx::query_scalar(of_run)
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(tally.as_deref(), Some("2"));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_block_is_found_through_dns_and_known_name_servers_count_for_pages() {
    let world = World::scripted()
        .host("shop.test", Host::page(&["espresso"]))
        .host(
            "parked.test",
            Host::page(&["espresso"]).record(Record::Ns("ns1.parking.test".into())),
        );
    let app = TestApp::in_sandbox(world).await;
    let admin = admin(&app).await;
    let body = json!({"name": "x", "configuration": {"patternConfig": {
        "targetDomains": ["shop.test", "parked.test"]}}});
    let path = create(&admin, &body).await;
    let settings = json!({"configuration": {"recordTypes": ["NS"]}});
    let validation = format!("{path}/phases/validation");
    admin
        .post(&format!("{validation}/configure"))
        .json(&settings)
        .send()
        .await
        .ok(200);
    let settings = json!({"configuration": {"keywords": ["espresso"]}});
    let extraction = format!("{path}/phases/extraction");
    admin
        .post(&format!("{extraction}/configure"))
        .json(&settings)
        .send()
        .await
        .ok(200);
    admin.post(&format!("{path}/start")).send().await.ok(200);
    discovered(&admin, &path).await;
    admin
        .post(&format!("{validation}/start"))
        .send()
        .await
        .ok(200);
    completes(&admin, &validation).await;
    // Both were found; now nothing may be fetched.
    let server = add(&admin, "nameserver", "ns1.parking.test").await;
    let block = add(&admin, "cidr", "127.0.0.0/8").await;
    admin
        .post(&format!("{extraction}/start"))
        .send()
        .await
        .ok(200);
    completes(&admin, &extraction).await;
    assert_eq!(app.sandbox.as_ref().unwrap().http_total(), 0);
    assert_suppressed(
        &found(&admin, &path, "shop.test", "HttpChecked").await,
        &block,
    );
    assert_suppressed(
        &found(&admin, &path, "parked.test", "HttpChecked").await,
        &server,
    );
    app.stop().await;
}

async fn completes(client: &Client, phase: &str) {
    eventually(&format!("{phase} is completed"), || async {
        let status = client.get(&format!("{phase}/status")).send().await.ok(200);
        (status["status"] == "completed").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_is_in_force_for_a_run_that_is_under_way() {
    let names: Vec<String> = (0..40).map(|n| format!("n{n}.test")).collect();
    let world = names.iter().fold(World::scripted(), |world, name| {
        world.host(name, Host::page(&["espresso"]))
    });
    let app = TestApp::in_sandbox(world).await;
    let admin = admin(&app).await;
    let persona = json!({"name": "slow", "personaType": "http", "configDetails": {"personaType": "http",
        "userAgent": "Test", "rateLimitDps": 10}});
    let persona = admin.post("/personas").json(&persona).send().await.ok(201);
    let body = json!({"name": "x", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": names}}});
    let path = create(&admin, &body).await;
    configure(&admin, &path, &["espresso"]).await;
    let settings = json!({"configuration": {"keywords": ["espresso"]},
        "personaIds": {"httpPersonaId": persona["id"]}});
    admin
        .post(&format!("{path}/phases/extraction/configure"))
        .json(&settings)
        .send()
        .await
        .ok(200);
    admin.post(&format!("{path}/start")).send().await.ok(200);
    let sandbox = app.sandbox.as_ref().unwrap();
    eventually("pages are being fetched", || async {
        (sandbox.http_total() > 3).then_some(())
    })
    .await;
    add(&admin, "suffix", "test").await;
    let then = sandbox.http_total();
    reaches(&admin, &path, "completed").await;
    // Requests that were on their way are let arrive: as many as the pace lets go in a fifth of a second.
    let late = sandbox.http_total() - then;
    assert!(late <= 2, "{late} requests after {then}");
    assert!(then < 40, "{then} requests before");
    app.stop().await;
}
