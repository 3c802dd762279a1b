//! What the tests of this room start from.

use std::time::Duration;

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Event, Phase, Pinned, RunKind},
    ids::{CampaignId, RunId},
    persona::DnsConfig,
};
use event_store::{BulkAppend, ConnectOptions, Database};
use private_postgres::testing::TestDatabase;
use tokio::{runtime::Builder, task::spawn_blocking};
use uuid::Uuid;

use super::{Order, Orders as _, PostgresOrders};

/// Makes a migrated database of the test's own.
pub(super) async fn database() -> (TestDatabase, Database) {
    let test = TestDatabase::from_template("work", |url| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, event_store::Error>(())
    })
    .await
    .unwrap();
    let database = Database::connect(test.url(), ConnectOptions::default())
        .await
        .unwrap();
    (test, database)
}

pub(super) fn metadata() -> Metadata {
    Metadata::new(Actor::Operator, "test")
}

/// Appends to a campaign's stream.
pub(super) async fn append(
    database: &Database,
    campaign_id: CampaignId,
    version: u64,
    events: &[Event],
) {
    let mut batch = BulkAppend::new(&metadata());
    batch
        .stream::<Campaign>(&campaign_id.to_string(), version, events)
        .unwrap();
    let mut transaction = database.begin().await.unwrap();
    transaction.append(&batch).await.unwrap();
    transaction.commit().await.unwrap();
}

/// Starts a validation run of one order and leases that.
pub(super) async fn leased(database: &Database) -> Order {
    let (campaign_id, run_id) = (CampaignId(Uuid::now_v7()), RunId(Uuid::now_v7()));
    let started = Event::PhaseStarted {
        phase: Phase::Validation,
        run_id,
        run_number: 1,
        pinned: Pinned::Validation {
            dns_persona: None,
            dns: DnsConfig::default(),
            record_types: Vec::new(),
            taken: Vec::new(),
        },
        auto: false,
        kind: RunKind::Full,
        through: None,
    };
    append(database, campaign_id, 0, &[started]).await;
    let orders = PostgresOrders::new(database.clone());
    let run = (campaign_id, Phase::Validation, run_id);
    assert!(orders.plan(run, &[(0, 9, 10)]).await.unwrap());
    let leased = orders.claim("tests", Duration::from_secs(600), &[]).await;
    leased.unwrap().unwrap()
}

/// Returns the state of the only order.
pub(super) async fn state_of_the_order(database: &Database) -> String {
    sqlx::query_scalar("SELECT state FROM work_orders")
        .fetch_one(database.pool())
        .await
        .unwrap()
}

/// Runs a test on one async thread beside one that may block: what goes there is done one after another.
pub(super) fn on_one_thread_each(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(test);
}

/// Waits until everything is done that went to the thread that may block.
pub(super) async fn all_done() {
    spawn_blocking(|| ()).await.unwrap();
}
