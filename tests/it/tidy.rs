//! What is kept of runs that are over.

use std::time::Duration;

use aggregates::{
    campaign::{Command, Phase, Status, Stop},
    ids::RunId,
};
use domainflow::work::Finished;
use sandbox::World;
use uuid::Uuid;

use crate::support::{
    eventually,
    pipeline::{Pipeline, pattern},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gate_and_orders_of_a_run_that_is_over_are_forgotten_and_its_late_results_are_refused() {
    let pipeline = Pipeline::without_workers(World::generated(8)).await;
    let campaign = pipeline
        .create(pattern("shop", 2, "abc"), None, &["espresso"])
        .await;
    pipeline
        .start_phase(campaign, Phase::Discovery)
        .await
        .expect("discovery starts");
    let orders = &pipeline.app().orders;
    let order = eventually("an order is leased", || async {
        orders
            .claim("late", Duration::from_secs(60), &[])
            .await
            .unwrap()
    })
    .await;
    assert_eq!(orders.tidy().await.unwrap(), 0, "the run is under way");
    pipeline
        .command(campaign, Command::Stop(Stop {}))
        .await
        .expect("the stop is answered");
    assert_eq!(orders.tidy().await.unwrap(), 1);
    let kept: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM run_gates) + (SELECT count(*) FROM work_orders)",
    )
    .fetch_one(pipeline.app().database.pool())
    .await
    .unwrap();
    assert_eq!(kept, 0);

    let mut late = pipeline.app().database.begin().await.unwrap();
    let fenced = orders.fence(&mut late, &order).await.unwrap();
    assert_eq!(fenced, Finished::RunOver);
    let renewed = orders.renew(&order, Duration::from_secs(60)).await.unwrap();
    assert!(!renewed, "its lease is lost");
    let planned = orders
        .plan((campaign, Phase::Discovery, order.run_id), &[(0, 0, 0)])
        .await
        .unwrap();
    assert!(!planned, "a run that is over is not planned again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_that_a_run_passed_over_is_found_after_its_orders_are_forgotten() {
    let pipeline = Pipeline::start(World::generated(8)).await;
    let campaign = pipeline
        .create(pattern("shop", 1, "abc"), None, &["espresso"])
        .await;
    pipeline
        .start_phase(campaign, Phase::Discovery)
        .await
        .expect("discovery starts");
    pipeline.reaches(campaign, Status::Completed).await;
    let (app, database) = (pipeline.app(), &pipeline.app().database);
    sqlx::query("UPDATE run_plans SET items = items + 1 WHERE phase = 'validation'")
        .execute(database.pool())
        .await
        .unwrap();
    while app.orders.tidy().await.unwrap() > 0 {}
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM work_orders")
        .fetch_one(database.pool())
        .await
        .unwrap();
    assert_eq!(orders, 0);
    let report = replay::check(database).await.unwrap();
    let found = report
        .runs
        .iter()
        .map(|run| (run.phase.as_str(), run.tallied, run.recorded, run.due));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [("validation", 3, 3, Some(4))],
        "{:?}",
        report.findings()
    );
}

/// The orders of a run that ends while it is planned would otherwise stay for ever: nothing leads to them without a gate.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_being_planned_is_not_forgotten_before_its_orders_are_written() {
    let pipeline = Pipeline::without_workers(World::generated(8)).await;
    let campaign = pipeline
        .create(pattern("shop", 2, "abc"), None, &["espresso"])
        .await;
    let (app, run) = (pipeline.app(), RunId(Uuid::now_v7()));
    let pool = app.database.pool();
    sqlx::query("INSERT INTO run_gates VALUES ($1, $2, 'discovery', 'running')")
        .bind(run.0)
        .bind(campaign.0)
        .execute(pool)
        .await
        .unwrap();
    let mut barrier = pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE work_orders IN SHARE MODE")
        .execute(&mut *barrier)
        .await
        .unwrap();
    let orders = app.orders.clone();
    let planning = tokio::spawn(async move {
        let plan = orders.plan((campaign, Phase::Discovery, run), &[(0, 8, 9)]);
        plan.await.unwrap()
    });
    eventually("the plan waits to write its orders", || async {
        let waits = "SELECT true FROM pg_locks WHERE NOT granted AND relation = 'work_orders'::regclass \
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        sqlx::query_scalar::<_, bool>(waits).fetch_optional(pool).await.unwrap()
    })
    .await;
    sqlx::query("UPDATE run_gates SET state = 'failed' WHERE run_id = $1")
        .bind(run.0)
        .execute(pool)
        .await
        .unwrap();
    let tidied = tokio::time::timeout(Duration::from_secs(5), app.orders.tidy()).await;
    assert_eq!(tidied.expect("it waits for nobody").unwrap(), 0);
    barrier.rollback().await.unwrap();
    assert!(planning.await.unwrap());
    assert_eq!(app.orders.tidy().await.unwrap(), 1);
    let orders: i64 = sqlx::query_scalar("SELECT count(*) FROM work_orders")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(orders, 0);
}
