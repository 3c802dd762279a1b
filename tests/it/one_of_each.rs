//! What must be given out once although many ask at once: offsets, runs, and the work of somebody who died.

use std::{collections::HashSet, time::Duration};

use aggregates::{
    campaign::{Command, PausePhase, Phase, ResumePhase, Status},
    ids::CampaignId,
};
use domainflow::work::{Orders as _, PostgresOrders};
use futures::future::join_all;
use sandbox::World;

use crate::support::{
    eventually,
    pipeline::{Node, Pipeline, network, pattern},
};

/// The ranges of offsets that campaigns were given, as the log has them.
async fn ranges(pipeline: &Pipeline) -> Vec<(String, i64, i64)> {
    sqlx::query_as(
        "SELECT aggregate_id, (payload -> 'DomainsGenerated' ->> 'start')::bigint, \
         (payload -> 'DomainsGenerated' ->> 'count')::bigint FROM events \
         WHERE aggregate_type = 'campaign' AND event_type = 'DomainsGenerated' ORDER BY 2",
    )
    .fetch_all(pipeline.app().database.pool())
    .await
    .expect("the log answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn campaigns_of_one_pattern_that_begin_at_once_on_two_nodes_are_given_no_offset_twice() {
    let pipeline = Pipeline::start(World::generated(12)).await;
    let second = Node::start(pipeline.database.url(), network(&pipeline.sandbox)).await;
    let mut campaigns = Vec::new();
    for _ in 0..8 {
        let shops = pattern("shop", 3, "abcdefgh");
        campaigns.push(pipeline.create(shops, Some(30), &["espresso"]).await);
    }
    let starts = campaigns
        .iter()
        .map(|campaign| pipeline.start_phase(*campaign, Phase::Discovery));
    for started in join_all(starts).await {
        started.expect("discovery starts");
    }
    for campaign in &campaigns {
        pipeline.reaches(*campaign, Status::Completed).await;
    }
    let ranges = ranges(&pipeline).await;
    let mut next = 0;
    for (_, start, count) in &ranges {
        assert_eq!(*start, next, "given twice, or to nobody: {ranges:?}");
        next = start + count;
    }
    assert_eq!(next, 8 * 30);
    let whose: HashSet<&String> = ranges.iter().map(|(of, _, _)| of).collect();
    assert_eq!(whose.len(), 8);
    let names: (i64, i64) =
        sqlx::query_as("SELECT count(*), count(DISTINCT name) FROM read.domains")
            .fetch_one(pipeline.app().database.pool())
            .await
            .unwrap();
    assert_eq!(names, (240, 240));
    second.stop().await;
}

/// How often each phase of a campaign was started.
async fn starts(pipeline: &Pipeline, campaign: CampaignId) -> Vec<(String, i64)> {
    sqlx::query_as(
        "SELECT payload -> 'PhaseStarted' ->> 'phase', count(*) FROM events WHERE aggregate_id = $1 \
         AND event_type = 'PhaseStarted' GROUP BY 1 ORDER BY 1",
    )
    .bind(campaign.to_string())
    .fetch_all(pipeline.app().database.pool())
    .await
    .expect("the log answers")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clicks_beside_two_coordinators_that_go_on_by_themselves_make_one_run_of_each_phase() {
    let pipeline = Pipeline::start(World::generated(13)).await;
    let second = Node::start(pipeline.database.url(), network(&pipeline.sandbox)).await;
    let campaign = pipeline
        .create(pattern("shop", 2, "abcdef"), None, &["espresso"])
        .await;
    // Somebody who starts every phase as soon as it can be started, beside the coordinators.
    for phase in Phase::ALL {
        eventually("the phase was started by somebody", || async {
            let started = pipeline.start_phase(campaign, phase).await;
            started.is_ok().then_some(())
        })
        .await;
    }
    pipeline.reaches(campaign, Status::Completed).await;
    let starts = starts(&pipeline, campaign).await;
    assert_eq!(starts.len(), 5);
    let order_of_runs = "SELECT payload -> event_type ->> 'phase' || ' ' || event_type FROM events WHERE aggregate_id = $1 \
         AND event_type IN ('PhaseStarted', 'PhaseCompleted') ORDER BY sequence";
    let life: Vec<String> = sqlx::query_scalar(order_of_runs)
        .bind(campaign.to_string())
        .fetch_all(pipeline.app().database.pool())
        .await
        .unwrap();
    for run in life.chunks(2) {
        let [began, ended] = run else {
            panic!("a run did not end: {life:?}");
        };
        let phase = began.strip_suffix(" PhaseStarted");
        assert!(
            phase.is_some() && phase == ended.strip_suffix(" PhaseCompleted"),
            "{life:?}"
        );
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_outlives_the_worker_that_held_the_only_order() {
    let pipeline = Pipeline::without_workers(World::generated(14)).await;
    let campaign = pipeline
        .create(pattern("shop", 2, "abc"), None, &["espresso"])
        .await;
    pipeline
        .start_phase(campaign, Phase::Discovery)
        .await
        .expect("discovery starts");
    let orders = PostgresOrders::new(pipeline.app().database.clone());
    let claim = |worker: &'static str, lease| orders.claim(worker, lease, &[]);
    let dead = eventually("the only order is leased", || async {
        claim("dead", Duration::from_millis(1)).await.unwrap()
    })
    .await;
    let phase = Phase::Discovery;
    let pause = PausePhase {
        phase,
        expected: None,
    };
    pipeline
        .command(campaign, Command::PausePhase(pause))
        .await
        .expect("pause");
    eventually("the lease has run out", || async {
        let over = "SELECT count(*) FROM work_orders WHERE state = 'leased' AND leased_until < clock_timestamp()";
        let over: i64 = sqlx::query_scalar(over)
            .fetch_one(pipeline.app().database.pool())
            .await
            .unwrap();
        (over == 1).then_some(())
    })
    .await;
    let nobody = claim("heir", Duration::from_secs(30)).await.unwrap();
    assert!(nobody.is_none(), "the order was handed out under a pause");

    let resume = ResumePhase {
        phase,
        expected: Some(aggregates::campaign::PhaseState::Paused),
    };
    pipeline
        .command(campaign, Command::ResumePhase(resume))
        .await
        .expect("the phase is still paused");
    let heir = claim("heir", Duration::from_secs(30)).await.unwrap();
    assert_eq!(heir.expect("the order").epoch, dead.epoch + 1);
}
