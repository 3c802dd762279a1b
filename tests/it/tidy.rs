//! What is kept of runs that are over.

use std::time::Duration;

use aggregates::campaign::{Command, Phase, Stop};
use domainflow::work::Finished;
use sandbox::World;

use crate::support::{
    eventually,
    pipeline::{Pipeline, pattern},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_a_run_that_is_over_and_its_late_results_are_refused() {
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
        orders.claim("late", Duration::from_secs(60)).await.unwrap()
    })
    .await;
    assert_eq!(orders.tidy().await.unwrap(), 0, "the run is under way");
    pipeline
        .command(campaign, Command::Stop(Stop {}))
        .await
        .expect("the stop is answered");
    assert_eq!(orders.tidy().await.unwrap(), 1);
    let kept: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM run_gates) + (SELECT count(*) FROM run_plans) \
         + (SELECT count(*) FROM work_orders)",
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
