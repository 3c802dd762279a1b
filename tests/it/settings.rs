//! What administrators set for the whole installation while it runs.

use aggregates::user::Role;
use sandbox::{Host, World};
use serde_json::{Value, json};

use crate::{
    campaigns::reaches,
    support::{eventually, server::TestApp},
};

const NAMES: usize = 60;

fn name(number: usize) -> String {
    format!("host{number:02}.test")
}

/// How many pairs of neighbours in the order of asking are not in the order of the names.
fn turns(order: &[String]) -> usize {
    order.windows(2).filter(|pair| pair[0] > pair[1]).count()
}

/// Has the names looked up by a campaign of nothing else, and returns in which order they were asked for.
async fn order_of_asking(stealth: bool) -> Vec<String> {
    let hosts = (0..NAMES).map(name);
    let world = hosts.fold(World::scripted(), |world, name| {
        world.host(&name, Host::page(&[]))
    });
    let app = TestApp::in_sandbox(world).await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    if stealth {
        let set = admin.put("/config/stealth").json(&json!({"enabled": true}));
        assert_eq!(set.send().await.ok(200), json!({"enabled": true}));
    }
    let names: Vec<String> = (0..NAMES).map(name).collect();
    let made = json!({"campaignName": "names", "domains": names});
    let made = admin.post("/api/v1/campaigns/dns").json(&made);
    let id = made.send().await.ok(201)["campaignId"].clone();
    let path = format!("/api/v1/campaigns/dns/{}", id.as_str().unwrap());
    admin.post(&format!("{path}/start")).send().await.ok(200);
    reaches(&admin, &path, "completed").await;
    let order = app.sandbox.as_ref().unwrap().dns_order();
    app.stop().await;
    assert_eq!(order.len(), NAMES, "{order:?}");
    order
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_looked_up_in_their_order_and_with_stealth_in_none() {
    let plain = turns(&order_of_asking(false).await);
    let stealthy = turns(&order_of_asking(true).await);
    // Of names in a random order half the neighbours are the wrong way round; several sockets overtake each other here and there.
    assert!(stealthy > NAMES / 4, "{stealthy}");
    assert!(plain < NAMES / 8, "{plain}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_in_force_on_every_node_after_a_restart_too_and_in_the_history_of_who_made_it()
{
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let other = app.another_node().await;
    let flags = |at: Value, name: &str| at[name].as_bool().unwrap();
    let before = admin.get("/config/features").send().await.ok(200);
    assert!(flags(before.clone(), "reconciliation"));
    assert!(!flags(before.clone(), "stealth") && !flags(before, "counterCorrection"));

    let first = admin.get("/config/reconciliation").send().await;
    assert_eq!(first.header("etag"), Some("\"0\""));
    let standing = json!({"enabled": true, "intervalMinutes": 1440, "driftThresholdPct": 0.0001,
        "autoCorrect": false, "maxCorrectionsPerRun": 5000});
    assert_eq!(first.ok(200), standing);
    let change = json!({"intervalMinutes": 30, "autoCorrect": true});
    let changed = admin
        .put("/config/reconciliation")
        .json(&change)
        .send()
        .await;
    assert_eq!(changed.header("etag"), Some("\"1\""));
    let mut expected = standing.clone();
    expected["intervalMinutes"] = 30.into();
    expected["autoCorrect"] = true.into();
    assert_eq!(changed.ok(200), expected);
    let reconciling = app.app.installation.reconciling();
    assert_eq!(
        (reconciling.interval_minutes, reconciling.auto_correct),
        (30, true)
    );
    admin
        .put("/config/stealth")
        .json(&json!({"enabled": true}))
        .send()
        .await
        .ok(200);
    assert!(app.app.installation.stealth());

    eventually("the other node goes by it", || async {
        let installation = &other.app.installation;
        let there = installation.stealth() && installation.reconciling().interval_minutes == 30;
        there.then_some(())
    })
    .await;
    other.stop().await;
    let app = app.restart().await;
    eventually("the node goes by it again", || async {
        app.app.installation.stealth().then_some(())
    })
    .await;
    let admin = crate::support::server::Client {
        base: app.base.clone(),
        ..admin
    };
    let after = admin.get("/config/features").send().await.ok(200);
    assert!(flags(after.clone(), "stealth") && flags(after, "counterCorrection"));

    // What is left out is taken back.
    let back = admin.put("/config/reconciliation").json(&json!({}));
    assert_eq!(back.send().await.ok(200), standing);
    let audit: Vec<(String, String)> = eventually("the audit has it", || async {
        let entries = "SELECT action, actor FROM read.audit_entries WHERE resource_type = 'settings' ORDER BY position";
        let entries: Vec<(String, String)> = sqlx::query_as(entries)
            .fetch_all(app.app.database.pool())
            .await
            .unwrap();
        (entries.len() == 3).then_some(entries)
    })
    .await;
    let who = format!("user:{}", admin.user_id.unwrap());
    for ((action, actor), expected) in audit.iter().zip([
        "ReconciliationChanged",
        "StealthChanged",
        "ReconciliationChanged",
    ]) {
        assert_eq!((action.as_str(), actor), (expected, &who));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_setting_that_cannot_be_honoured_is_refused_by_its_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    for (body, status, field) in [
        (json!({"intervalMinutes": 0}), 422, "intervalMinutes"),
        (
            json!({"driftThresholdPct": 100.5}),
            422,
            "driftThresholdPct",
        ),
        (
            json!({"maxCorrectionsPerRun": 0}),
            422,
            "maxCorrectionsPerRun",
        ),
        (
            json!({"maxCorrectionsPerRun": "many"}),
            400,
            "maxCorrectionsPerRun",
        ),
        (json!({"interval": 5}), 400, "interval"),
    ] {
        let refused = admin.put("/config/reconciliation").json(&body);
        refused.send().await.blames(status, field);
    }
    let refused = admin.put("/config/stealth").json(&json!({}));
    refused.send().await.blames(400, "enabled");
    let refused = admin.put("/config/stealth").json(&json!({"enabled": true}));
    let refused = refused.header("if-match", "\"7\"").send().await;
    assert_eq!(refused.status, 412, "{}", refused.text);
    let told = admin.get("/config/stealth").send().await;
    assert_eq!(told.header("etag"), Some("\"0\""));
    assert_eq!(told.ok(200), json!({"enabled": false}));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_of_requests_and_log_ins_hold_as_they_are_set_and_no_longer() {
    let app = TestApp::start().await;
    let admin = app.user_with_role("admin", Role::Admin).await;
    let ann = app.user("ann").await;
    let set = async |limits: Value| {
        let told = eventually("the administrator is let through", || async {
            let reply = admin.put("/config/requests").json(&limits).send().await;
            (reply.status != 429).then_some(reply)
        });
        told.await.ok(200)
    };
    let standing =
        json!({"requestsPerSecond": 0, "logInsPerMinute": 0, "accountLogInsPerMinute": 0});
    assert_eq!(admin.get("/config/requests").send().await.ok(200), standing);

    let told = set(json!({"requestsPerSecond": 1})).await;
    assert_eq!(told["requestsPerSecond"], 1);
    let refused = eventually("there were too many requests", || async {
        let reply = ann.get("/me").send().await;
        (reply.status == 429).then_some(reply)
    })
    .await;
    assert!(refused.header("retry-after").is_some());

    // What is left out is taken back.
    let told = set(json!({"logInsPerMinute": 3})).await;
    assert_eq!(
        (&told["requestsPerSecond"], &told["logInsPerMinute"]),
        (&json!(0), &json!(3))
    );
    for _ in 0..20 {
        ann.get("/me").send().await.ok(200);
    }
    let statuses = async || {
        let mut statuses = Vec::new();
        for name in ["a", "b", "c", "d"] {
            statuses.push(app.log_in(name, "a wrong password").await.status);
        }
        statuses
    };
    let refused = statuses().await;
    assert!(
        refused[..3].iter().all(|status| *status != 429) && refused[3] == 429,
        "{refused:?}"
    );
    set(json!({"accountLogInsPerMinute": 1})).await;
    let first = app.log_in("nobody", "a wrong password").await.status;
    let second = app.log_in("nobody", "a wrong password").await.status;
    assert_eq!((first == 429, second), (false, 429));
    assert!(statuses().await.iter().all(|status| *status != 429));
    set(json!({})).await;
    assert_ne!(app.log_in("nobody", "a wrong password").await.status, 429);

    let refused = admin
        .put("/config/requests")
        .json(&json!({"logInsPerMinute": 1_000_001}));
    refused.send().await.blames(422, "logInsPerMinute");
    app.stop().await;
}
