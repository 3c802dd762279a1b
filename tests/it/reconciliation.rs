//! Counters held against the domains that they count: what drifted is found, told, and put right where that is wanted.

use aggregates::{ids::CampaignId, user::Role};
use projections::domains;
use sandbox::World;
use serde_json::{Value, json};

use crate::{
    campaigns::{configure, create, discovered, reaches, shops},
    sse::client::Stream,
    support::{
        eventually,
        server::{Client, TestApp},
    },
};

const MOVE: &str = "UPDATE read.domain_totals SET n = n + 1 WHERE campaign_id = $1";
const MAKE_DUE: &str = "UPDATE reconciliation SET ended_at = ended_at - interval '2 years'";
const ENDED: &str = "SELECT extract(epoch FROM ended_at)::float8 FROM reconciliation";
const LAST: &str = "SELECT campaigns, drifted, counters, corrections FROM reconciliation";
const NOTED: &str = "SELECT payload #>> '{CountersReconciled,corrections}' FROM events \
    WHERE aggregate_id = $1 AND event_type = 'CountersReconciled' ORDER BY sequence";

/// Somebody's hand in the database: every counter over all of a campaign's domains is one too high.
pub async fn drifts(app: &TestApp, id: CampaignId) -> u64 {
    let moved = sqlx::query(MOVE)
        .bind(id.0)
        .execute(app.app.database.pool());
    let moved = moved.await.unwrap().rows_affected();
    assert!(moved > 0, "the campaign has counters");
    moved
}

/// Sets how counters are looked at, as an administrator does.
pub async fn set(app: &TestApp, settings: &Value) -> Value {
    let name = uuid::Uuid::now_v7().simple().to_string();
    let admin = app.user_with_role(&name, Role::Admin).await;
    let set = admin.put("/config/reconciliation").json(settings);
    set.send().await.ok(200)
}

/// As if the last look were two years ago.
pub async fn is_due(app: &TestApp) {
    sqlx::query(MAKE_DUE)
        .execute(app.app.database.pool())
        .await
        .unwrap();
}

/// Waits for a look that is due, and returns what it found: campaigns, those that drifted, counters, corrections.
async fn looked(app: &TestApp) -> (i64, i64, i64, i64) {
    let pool = app.app.database.pool();
    let before: f64 = sqlx::query_scalar(ENDED).fetch_one(pool).await.unwrap();
    is_due(app).await;
    eventually("the counters were looked at", || async {
        let ended: f64 = sqlx::query_scalar(ENDED).fetch_one(pool).await.unwrap();
        (ended >= before).then_some(())
    })
    .await;
    sqlx::query_as(LAST).fetch_one(pool).await.unwrap()
}

async fn noted(app: &TestApp, id: CampaignId) -> Vec<String> {
    sqlx::query_scalar(NOTED)
        .bind(id.to_string())
        .fetch_all(app.app.database.pool())
        .await
        .unwrap()
}

/// Waits until counters of a campaign were put right.
pub async fn corrected(app: &TestApp, id: CampaignId) {
    eventually("the counters are put right", || async {
        (!noted(app, id).await.is_empty()).then_some(())
    })
    .await;
}

async fn drift(app: &TestApp, id: CampaignId) -> domains::Drift {
    let drift = domains::drift_of(app.app.database.pool(), id).await;
    drift.unwrap()
}

/// A campaign whose names were found, and nothing else.
pub async fn named(client: &Client, charset: &str) -> (String, CampaignId) {
    let mut shops = shops(charset);
    shops["mode"] = "step_by_step".into();
    let path = create(client, &shops).await;
    let start = format!("{path}/phases/discovery/start");
    client.post(&start).send().await.ok(200);
    discovered(client, &path).await;
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    (path, id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_is_found_and_put_right_and_told_only_where_that_is_switched_on() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let (path, id) = named(&ann, "abcd").await;
    let (_, healthy) = named(&ann, "ef").await;
    assert_eq!(drift(&app, id).await.counters, 0);
    drifts(&app, id).await;
    assert_eq!(drift(&app, id).await.wrong, 1);

    set(&app, &json!({"autoCorrect": false})).await;
    assert_eq!(looked(&app).await, (2, 1, 1, 0));
    assert_eq!(drift(&app, id).await.counters, 1);
    let funnel = format!("{path}/funnel");
    assert_eq!(ann.get(&funnel).send().await.ok(200)["generated"], 17);

    let mut stream = Stream::open(&ann, &format!("/sse{path}/events"), None).await;
    set(&app, &json!({"autoCorrect": true})).await;
    assert_eq!(looked(&app).await, (2, 1, 1, 1));
    let mut told = stream
        .until(|message| message.kind == "counters_reconciled")
        .await;
    let told = told.pop().unwrap();
    let payload = told.payload();
    assert_eq!(payload["campaignId"], id.to_string());
    assert_eq!(
        (&payload["driftCount"], &payload["corrections"]),
        (&json!(1), &json!(1))
    );
    assert!(payload["ts"].is_string(), "{payload}");
    assert_eq!(drift(&app, id).await.counters, 0);
    assert_eq!(ann.get(&funnel).send().await.ok(200)["generated"], 16);
    assert_eq!(
        (
            noted(&app, id).await.len(),
            noted(&app, healthy).await.len()
        ),
        (1, 0)
    );
    app.app.runtime.catch_up().await.unwrap();
    let history = ann.get(&format!("{path}/history")).send().await;
    assert!(
        history.text.contains("CountersReconciled"),
        "{}",
        history.text
    );

    // Once is enough.
    assert_eq!(looked(&app).await, (2, 0, 0, 0));
    assert_eq!(noted(&app, id).await.len(), 1);
    drop(stream);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_of_the_right_number_of_other_domains_and_one_that_is_gone_are_put_right() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let (_, others) = named(&ann, "abcd").await;
    let (_, gone) = named(&ann, "efgh").await;
    let pool = app.app.database.pool();
    let shift = "UPDATE read.domain_counts SET members = members >> 1 WHERE campaign_id = $1";
    sqlx::query(shift)
        .bind(others.0)
        .execute(pool)
        .await
        .unwrap();
    for table in [
        "DELETE FROM read.domain_counts WHERE campaign_id = $1",
        "DELETE FROM read.domain_totals WHERE campaign_id = $1",
    ] {
        sqlx::query(table).bind(gone.0).execute(pool).await.unwrap();
    }
    // Of a campaign that there is not, which nobody could be told of.
    let orphan = "INSERT INTO read.domain_totals SELECT ($2::uuid), dns_status, dns_reason, http_status, http_reason, \
        has_contact, lead_status, rejection_reason, keyword_hit, searched, scored, high_potential, warned, n \
        FROM read.domain_totals WHERE campaign_id = $1";
    let nobodys = CampaignId(uuid::Uuid::from_u128(7));
    let orphan = sqlx::query(orphan).bind(others.0).bind(nobodys.0);
    orphan.execute(pool).await.unwrap();
    assert_eq!(
        drift(&app, others).await.wrong,
        2,
        "one is missing, one too many"
    );
    assert_eq!(
        (
            drift(&app, gone).await.counters,
            drift(&app, gone).await.wrong
        ),
        (2, 16)
    );

    set(&app, &json!({"autoCorrect": true})).await;
    assert_eq!(looked(&app).await, (3, 3, 4, 4));
    for id in [others, gone, nobodys] {
        assert_eq!(drift(&app, id).await.counters, 0, "{id}");
    }
    let report = replay::check(&app.app.database).await.unwrap();
    assert_eq!(report.counters, []);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_puts_right_no_more_counters_than_it_may() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let mut all = Vec::new();
    for charset in ["ab", "cd", "ef"] {
        let (_, id) = named(&ann, charset).await;
        drifts(&app, id).await;
        all.push(id);
    }
    set(
        &app,
        &json!({"autoCorrect": true, "maxCorrectionsPerRun": 2}),
    )
    .await;
    assert_eq!(looked(&app).await, (3, 3, 3, 2));
    assert_eq!(looked(&app).await, (3, 1, 1, 1));
    assert_eq!(looked(&app).await, (3, 0, 0, 0));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_that_cannot_be_put_right_keeps_nobody_from_those_behind_it() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let mut all = Vec::new();
    for charset in ["ab", "cd"] {
        let (_, id) = named(&ann, charset).await;
        drifts(&app, id).await;
        all.push(id);
    }
    // They are looked at in the order of their ids.
    all.sort_by_key(|id| id.0);
    let (first, last) = (all[0], all[1]);
    let refuse =
        format!("ALTER TABLE read.domain_totals ADD CHECK (campaign_id <> '{first}') NOT VALID");
    sqlx::query(&refuse)
        .execute(app.app.database.pool())
        .await
        .unwrap();
    set(&app, &json!({"autoCorrect": true})).await;
    assert_eq!(looked(&app).await, (2, 2, 2, 1));
    assert_eq!(drift(&app, first).await.counters, 1);
    assert_eq!(drift(&app, last).await.counters, 0);
    assert_eq!(noted(&app, first).await.len(), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drift_below_the_threshold_is_left_alone() {
    let app = TestApp::start().await;
    let ann = app.user("ann").await;
    let (_, id) = named(&ann, "abcde").await;
    drifts(&app, id).await;
    // One of twenty-five domains is four percent.
    set(
        &app,
        &json!({"autoCorrect": true, "driftThresholdPct": 4.5}),
    )
    .await;
    assert_eq!(looked(&app).await, (1, 0, 0, 0));
    set(
        &app,
        &json!({"autoCorrect": true, "driftThresholdPct": 3.5}),
    )
    .await;
    assert_eq!(looked(&app).await, (1, 1, 1, 1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_of_a_campaign_that_runs_on_two_nodes_are_never_put_right_wrongly() {
    let app = TestApp::in_sandbox(World::generated(5)).await;
    let other = app.another_node().await;
    let ann = app.user("ann").await;
    set(&app, &json!({"autoCorrect": true, "driftThresholdPct": 0})).await;
    let path = create(&ann, &shops("abcdefghijklmno")).await;
    configure(&ann, &path, &["espresso"]).await;
    ann.post(&format!("{path}/start")).send().await.ok(200);
    let id: CampaignId = path.rsplit('/').next().unwrap().parse().unwrap();
    let looks = async {
        loop {
            let (_, drifted, ..) = looked(&app).await;
            assert_eq!(drifted, 0, "nobody's hand was in the database");
            // What takes the projection's lock meets a campaign that moves, too.
            let mut transaction = app.app.database.begin().await.unwrap();
            let corrected = domains::correct(transaction.connection(), id, 100)
                .await
                .unwrap();
            assert_eq!(corrected.corrections, 0);
            transaction.commit().await.unwrap();
        }
    };
    tokio::select! {
        _ = reaches(&ann, &path, "completed") => {}
        () = looks => {}
    }
    assert_eq!(noted(&app, id).await.len(), 0);
    assert_eq!(replay::check(&app.app.database).await.unwrap().counters, []);
    other.stop().await;
    app.stop().await;
}
