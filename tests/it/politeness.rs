//! How a campaign treats sites, as the sites see it, and what the interface tells of it.

use std::time::{Duration, Instant};

use aggregates::user::Role;
use sandbox::{Host, Sandbox, Site, World};
use serde_json::json;

use crate::{
    campaigns::{configure, create, reaches},
    support::{
        pipeline::network,
        server::{Client, TestApp},
    },
};

/// A server inside a sandbox whose sites are asked as those of strangers are, though they are on loopback.
async fn polite(world: World) -> TestApp {
    let sandbox = Sandbox::start(world).await.expect("the sandbox starts");
    let mut network = network(&sandbox);
    network.polite_to_loopback = true;
    TestApp::on(Some(sandbox), network).await
}

async fn run(client: &Client, names: &[String]) -> String {
    let body = json!({"name": "x", "mode": "full_sequence", "configuration": {"patternConfig": {
        "targetDomains": names}}});
    let path = create(client, &body).await;
    configure(client, &path, &["espresso"]).await;
    client.post(&format!("{path}/start")).send().await.ok(200);
    reaches(client, &path, "completed").await;
    path
}

fn arrivals(app: &TestApp, names: &[String]) -> Vec<Instant> {
    let sandbox = app.sandbox.as_ref().unwrap();
    let mut came: Vec<Instant> = names
        .iter()
        .flat_map(|name| sandbox.http_seen(name))
        .map(|seen| seen.at)
        .collect();
    came.sort_unstable();
    came
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sites_of_one_address_and_requests_to_one_domain_are_spaced_and_the_interface_says_so() {
    let names: Vec<String> = (0..6).map(|n| format!("shop{n}.test")).collect();
    let world = names.iter().fold(World::scripted(), |world, name| {
        world.host(name, Host::page(&["espresso"]).https_only(true))
    });
    let app = polite(world).await;
    let ann = app.user("ann").await;
    run(&ann, &names).await;
    let came = arrivals(&app, &names);
    assert!(
        came.len() >= 12,
        "robots.txt and a page of each: {}",
        came.len()
    );
    // Five a second of the address that they share.
    let whole = *came.last().unwrap() - came[0];
    let least = Duration::from_millis(160) * u32::try_from(came.len() - 1).unwrap();
    assert!(whole >= least, "{whole:?} for {}", came.len());
    for name in &names {
        let own = arrivals(&app, std::slice::from_ref(name));
        for two in own.windows(2) {
            assert!(two[1] - two[0] >= Duration::from_millis(800), "{name}");
        }
    }
    let told = ann.get("/politeness").send().await.ok(200);
    assert_eq!(
        told["perDomain"],
        json!({"connections": 1, "requestsPerSecond": 1.0})
    );
    assert_eq!(
        told["perAddress"],
        json!({"connections": 4, "requestsPerSecond": 5.0})
    );
    assert_eq!(
        (&told["loopbackExempt"], &told["exempt"]),
        (&json!(false), &json!([]))
    );
    assert!(told["requestsDelayed"].as_u64().unwrap() >= 6, "{told}");
    assert!(told["totalDelayMs"].as_u64().unwrap() >= 1_000, "{told}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_that_wants_to_be_left_alone_is_and_its_name_is_told_to_who_reads_everybodys_campaigns()
 {
    let names = ["busy.test".to_owned()];
    let later = Site::RetryAfter(429, 3_600);
    let busy = Host::page(&["espresso"]).path("/robots.txt", later);
    let app = polite(World::scripted().host("busy.test", busy)).await;
    let (ann, admin) = (
        app.user("ann").await,
        app.user_with_role("admin", Role::Admin).await,
    );
    let path = run(&ann, &names).await;
    // A robots.txt that is refused forbids nothing, but the page would come too soon.
    assert_eq!(app.sandbox.as_ref().unwrap().http_requests("busy.test"), 1);
    let domain = ann
        .get(&format!("{path}/domains?first=1"))
        .send()
        .await
        .ok(200);
    assert_eq!(domain["items"][0]["httpStatus"], "error", "{domain}");
    let tally = "SELECT payload -> 'PhaseCompleted' -> 'tallies' ->> 'backed_off' FROM events \
        WHERE event_type = 'PhaseCompleted' AND payload -> 'PhaseCompleted' ->> 'phase' = 'extraction'";
    let tally: Option<String> = sqlx::query_scalar(tally)
        .fetch_one(app.app.database.pool())
        .await
        .unwrap();
    assert_eq!(tally.as_deref(), Some("1"));
    let auditor = app.user_with_role("auditor", Role::Auditor).await;
    let audited = auditor.get("/politeness").send().await.ok(200);
    let told = admin.get("/politeness").send().await.ok(200);
    assert_eq!(audited["backedOff"][0]["key"], "busy.test");
    assert_eq!(
        (&told["backedOffCount"], &told["givenUp"]),
        (&json!(1), &json!(1))
    );
    let [site] = told["backedOff"].as_array().unwrap().as_slice() else {
        panic!("{told}")
    };
    assert_eq!(
        (&site["key"], &site["reason"]),
        (&json!("busy.test"), &json!("too_many_requests"))
    );
    let told = ann.get("/politeness").send().await.ok(200);
    assert_eq!(
        (&told["backedOffCount"], &told["backedOff"]),
        (&json!(1), &json!(null))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_sites_on_loopback_are_asked_as_fast_as_they_answer() {
    let names: Vec<String> = (0..30).map(|n| format!("shop{n}.test")).collect();
    let world = names.iter().fold(World::scripted(), |world, name| {
        world.host(name, Host::page(&["espresso"]))
    });
    let app = TestApp::in_sandbox(world).await;
    let ann = app.user("ann").await;
    run(&ann, &names).await;
    let told = ann.get("/politeness").send().await.ok(200);
    assert_eq!(
        (&told["loopbackExempt"], &told["requests"]),
        (&json!(true), &json!(0))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sites_are_asked_as_often_as_an_administrator_sets_while_the_node_runs() {
    let names: Vec<String> = (0..6).map(|n| format!("shop{n}.test")).collect();
    let world = names.iter().fold(World::scripted(), |world, name| {
        world.host(name, Host::page(&["espresso"]).https_only(true))
    });
    let app = polite(world).await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let standing = admin.get("/config/politeness").send().await.ok(200);
    let rates = json!({"domainRequestsPerSecond": 1.0, "addressRequestsPerSecond": 5.0, "requestsPerSecond": 2000.0});
    assert_eq!(standing, rates);
    let set = async |rates| {
        let set = admin.put("/config/politeness").json(&rates).send().await;
        set.ok(200)
    };
    // From the first to the last request of some names.
    let spread = |names: &[String]| {
        let came = arrivals(&app, names);
        let gaps = u32::try_from(came.len() - 1).unwrap();
        (*came.last().unwrap() - came[0], gaps)
    };
    let half = Duration::from_millis(400);

    set(json!({"domainRequestsPerSecond": 0.5, "addressRequestsPerSecond": 1000})).await;
    run(&admin, &names[..2]).await;
    for name in &names[..2] {
        let (own, gaps) = spread(std::slice::from_ref(name));
        assert!(gaps >= 1 && own >= 4 * half * gaps, "{name}: {own:?}");
    }
    set(json!({"domainRequestsPerSecond": 1000, "addressRequestsPerSecond": 2})).await;
    run(&admin, &names[2..4]).await;
    let (whole, gaps) = spread(&names[2..4]);
    assert!(gaps >= 3 && whole >= half * gaps, "{whole:?} for {gaps}");
    let all = json!({"domainRequestsPerSecond": 1000, "addressRequestsPerSecond": 1000, "requestsPerSecond": 2});
    set(all.clone()).await;
    let told = admin.get("/politeness").send().await.ok(200);
    assert_eq!(
        (
            &told["requestsPerSecond"],
            &told["perDomain"]["requestsPerSecond"]
        ),
        (&json!(2.0), &json!(1000.0))
    );
    run(&admin, &names[4..]).await;
    let (whole, gaps) = spread(&names[4..]);
    assert!(gaps >= 3 && whole >= half * gaps, "{whole:?} for {gaps}");
    assert_eq!(set(json!({})).await, standing);
    let refused = admin
        .put("/config/politeness")
        .json(&json!({"requestsPerSecond": 0}));
    refused.send().await.blames(422, "requestsPerSecond");
    app.stop().await;
}
