//! Campaigns whose pages are fetched through a pool.

use sandbox::{Host, ProxyFault, ProxyScript, World};
use serde_json::{Value, json};

use super::pool;
use crate::{
    campaigns::{create, reaches},
    proxies::{address, id_of, made, world},
    support::{
        eventually,
        server::{Client, Reply, TestApp},
    },
};

/// Names of the campaigns, each with a page.
const NAMES: usize = 12;

pub(super) fn pages(scripts: impl IntoIterator<Item = ProxyScript>) -> World {
    (0..NAMES).fold(world(scripts), |world, at| {
        world.host(&format!("page{at}.test"), Host::page(&["espresso"]))
    })
}

/// Configures a campaign over all names whose pages are fetched through a pool; returns its path and the answer.
async fn configured(client: &Client, pool: &str) -> (String, Reply) {
    let names: Vec<String> = (0..NAMES).map(|at| format!("page{at}.test")).collect();
    let body = json!({"name": "pages", "mode": "full_sequence",
        "configuration": {"patternConfig": {"targetDomains": names}}});
    let path = create(client, &body).await;
    let configure = async |phase: &str, body: Value| {
        let configure = client.post(&format!("{path}/phases/{phase}/configure"));
        configure.json(&body).send().await
    };
    configure("validation", json!({"configuration": {}}))
        .await
        .ok(200);
    let body = json!({"configuration": {"keywords": ["espresso"]}, "proxyPoolId": id_of(pool)});
    let answer = configure("extraction", body).await;
    (path, answer)
}

/// Fetches all pages through a pool; returns what became of them, and the proxies that the history names.
pub(super) async fn fetched(client: &Client, pool: &str) -> (Vec<Value>, Vec<String>) {
    let (path, answer) = configured(client, pool).await;
    answer.ok(200);
    client.post(&format!("{path}/start")).send().await.ok(200);
    reaches(client, &path, "completed").await;
    let list = client
        .get(&format!("{path}/domains?limit=100"))
        .send()
        .await
        .ok(200);
    let items = list["items"].as_array().unwrap().clone();
    let mut proxies = Vec::new();
    for item in &items {
        let name = item["domain"].as_str().unwrap();
        let history = client
            .get(&format!("{path}/domains/{name}/history"))
            .send()
            .await
            .ok(200);
        let text = history.to_string();
        let checked = text.split("\"proxy\":\"").nth(1);
        proxies.extend(checked.map(|rest| rest.split('"').next().unwrap().to_owned()));
    }
    (items, proxies)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_strategy_of_a_pool_decides_which_proxies_a_campaign_goes_through() {
    let protected = ProxyScript::open().credentials("ann", "secret");
    let app = TestApp::in_sandbox(pages([ProxyScript::open(), protected])).await;
    let ann = app.user("ann").await;
    let first = made(&ann, &json!({"name": "first", "address": address(&app, 0)})).await;
    let second = json!({"name": "second", "protocol": "socks5", "username": "ann", "password": "secret",
        "address": address(&app, 1)});
    let second = made(&ann, &second).await;
    let sandbox = app.sandbox.as_ref().unwrap();
    for (strategy, weights, both) in [
        ("round_robin", [1, 1], true),
        ("random", [1, 1], true),
        ("weighted", [1, 1_000], false),
        ("failover", [1, 1], false),
    ] {
        let before = [0, 1].map(|proxy| sandbox.proxy_tunnels(proxy));
        let members = match strategy {
            "failover" => [(&*second, 1), (&*first, 1)],
            _ => [(&*first, weights[0]), (&*second, weights[1])],
        };
        let pool = pool(
            &ann,
            json!({"name": strategy, "poolStrategy": strategy}),
            &members,
        )
        .await;
        let (items, named) = fetched(&ann, &pool).await;
        assert_eq!(items.len(), NAMES);
        for item in &items {
            assert_eq!(item["httpStatus"], "ok", "{strategy}: {item}");
        }
        assert_eq!(
            named.len(),
            NAMES,
            "{strategy}: the history names the proxy"
        );
        let used = [0, 1].map(|proxy| sandbox.proxy_tunnels(proxy) - before[proxy]);
        let by_name = |path: &str| named.iter().filter(|id| *id == id_of(path)).count();
        assert_eq!(by_name(&first) + by_name(&second), NAMES);
        match both {
            true => assert!(used[0] > 0 && used[1] > 0, "{strategy}: {used:?}"),
            // One in a thousand may go the other way.
            false => assert!(by_name(&second) + 2 >= NAMES, "{strategy}: {used:?}"),
        }
        if strategy == "failover" {
            assert_eq!(used[0], 0, "the second is in reserve");
        }
        if strategy == "round_robin" {
            assert!((4..=8).contains(&by_name(&first)), "{used:?}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_tried_through_as_many_other_proxies_as_the_pool_says() {
    let scripts = [ProxyScript::faulty(ProxyFault::Reset), ProxyScript::open()];
    let app = TestApp::in_sandbox(pages(scripts)).await;
    let ann = app.user("ann").await;
    let dead = made(&ann, &json!({"name": "dead", "address": address(&app, 0)})).await;
    let good = made(&ann, &json!({"name": "good", "address": address(&app, 1)})).await;
    for (retries, ok) in [(0, false), (1, true)] {
        let settings = json!({"name": "pool", "poolStrategy": "failover", "maxRetries": retries, "timeoutSeconds": 3});
        let pool = pool(&ann, settings, &[(&dead, 1), (&good, 1)]).await;
        let (items, _) = fetched(&ann, &pool).await;
        let failed: Vec<_> = items
            .iter()
            .filter(|item| item["httpStatus"] != "ok")
            .collect();
        assert_eq!(failed.is_empty(), ok, "{retries} retries: {failed:?}");
        for item in failed {
            assert_eq!(item["httpReason"], "PROXY_ERROR", "{item}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_cannot_be_used_is_refused_by_its_field_and_a_run_keeps_what_it_began_with() {
    let protected = ProxyScript::open().credentials("ann", "secret");
    let app = TestApp::in_sandbox(pages([protected])).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let empty = pool(&ann, json!({"name": "empty"}), &[]).await;
    configured(&ann, &empty).await.1.blames(422, "proxyPoolId");
    let bobs = pool(&bob, json!({"name": "bobs"}), &[]).await;
    configured(&ann, &bobs).await.1.blames(422, "proxyPoolId");
    let body =
        json!({"name": "p", "address": address(&app, 0), "username": "ann", "password": "secret"});
    let proxy = made(&ann, &body).await;
    let used = pool(
        &ann,
        json!({"name": "used", "maxRetries": 0}),
        &[(&proxy, 1)],
    )
    .await;
    let off = json!({"name": "used", "isEnabled": false});
    ann.put(&used).json(&off).send().await.ok(200);
    configured(&ann, &used).await.1.blames(422, "proxyPoolId");
    let on = json!({"name": "used", "isEnabled": true});
    ann.put(&used).json(&on).send().await.ok(200);
    let other = json!({"configuration": {}, "proxyPoolId": id_of(&used)});
    let (path, answer) = configured(&ann, &used).await;
    answer.ok(200);
    // A configuration object has no words for pools and keywords of a phase: written back, it takes neither away.
    let object = ann.get(&path).send().await.ok(200)["configuration"].clone();
    let mut object = object.as_object().cloned().unwrap();
    object.insert(
        "phases".to_owned(),
        json!({"extraction": {"enabled": true}, "validation": {"enabled": true}}),
    );
    let written = ann.put(&path).json(&json!({"configuration": object}));
    written.send().await.ok(200);
    let configs = ann.get(&format!("{path}/configs")).send().await.ok(200);
    let extraction = &configs["configs"]["extraction"];
    assert_eq!(
        (&extraction["proxyPoolId"], &extraction["keywords"]),
        (&json!(id_of(&used)), &json!(["espresso"])),
        "{configs}"
    );
    let refused = ann
        .post(&format!("{path}/phases/validation/configure"))
        .json(&other);
    refused.send().await.blames(422, "proxyPoolId");

    // Pool and proxy go while the run waits: its place in the log has both, and no credentials.
    let start = async |phase: &str| {
        let start = ann.post(&format!("{path}/phases/{phase}/start"));
        start.send().await.ok(200);
    };
    ann.put(&format!("{path}/mode"))
        .json(&json!({"mode": "step_by_step"}))
        .send()
        .await
        .ok(200);
    for phase in ["discovery", "validation"] {
        start(phase).await;
        phase_is(&ann, &path, phase, "completed").await;
    }
    let mut held = app.app.database.pool().begin().await.unwrap();
    sqlx::query("LOCK TABLE work_orders")
        .execute(&mut *held)
        .await
        .unwrap();
    start("extraction").await;
    ann.delete(&proxy).send().await.ok(204);
    ann.delete(&used).send().await.ok(204);
    held.commit().await.unwrap();
    phase_is(&ann, &path, "extraction", "completed").await;
    let list = ann
        .get(&format!("{path}/domains?limit=100"))
        .send()
        .await
        .ok(200);
    for item in list["items"].as_array().unwrap() {
        assert_eq!(item["httpReason"], "PROXY_ERROR", "{item}");
    }
    let history = ann
        .get(&format!("{path}/domains/page0.test/history"))
        .send()
        .await
        .ok(200);
    assert!(
        history.to_string().contains("proxy_auth_required"),
        "{history}"
    );
    let pinned: String = sqlx::query_scalar(
        "SELECT payload::text FROM events WHERE event_type = 'PhaseStarted' AND payload::text LIKE '%pool_id%'",
    )
    .fetch_one(app.app.database.pool())
    .await
    .unwrap();
    assert!(
        pinned.contains(id_of(&proxy)) && !pinned.contains("secret"),
        "{pinned}"
    );
    app.stop().await;
}

async fn phase_is(ann: &Client, path: &str, phase: &str, status: &str) {
    eventually(&format!("{phase} is {status}"), || async {
        let shown = ann.get(&format!("{path}/phases/{phase}/status"));
        (shown.send().await.ok(200)["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_campaigns_that_fetch_pages_are_assigned_a_pool_and_others_none() {
    let app = TestApp::in_sandbox(pages([ProxyScript::open()])).await;
    let ann = app.user("ann").await;
    let proxy = made(&ann, &json!({"name": "p", "address": address(&app, 0)})).await;
    let pool = pool(&ann, json!({"name": "pool"}), &[(&proxy, 1)]).await;
    let v1 = "/api/v1/campaigns";
    let body = |pool: &str| json!({"campaignName": "pages", "domains": ["page0.test", "page1.test"], "proxyAssignmentId": pool});
    let refused = ann.post(&format!("{v1}/dns")).json(&body(id_of(&pool)));
    refused.send().await.blames(422, "proxyAssignmentId");
    for wrong in ["somewhere", "01890000-0000-7000-8000-000000000001"] {
        let refused = ann.post(&format!("{v1}/http")).json(&body(wrong));
        refused.send().await.blames(422, "proxyAssignmentId");
    }
    let made = ann.post(&format!("{v1}/http")).json(&body(id_of(&pool)));
    let made = made.send().await.ok(201);
    assert_eq!(made["proxyAssignmentId"], id_of(&pool));
    let path = format!("{v1}/http/{}", made["campaignId"].as_str().unwrap());
    ann.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&ann, &path, "completed").await;
    assert!(app.sandbox.as_ref().unwrap().proxy_tunnels(0) >= 2);
    app.stop().await;
}
