//! Completed runs against their results and their plans.

use aggregates::{
    campaign::{Phase, Tallies},
    ids::{CampaignId, RunId},
};
use replay::Unbalanced;
use uuid::Uuid;

use crate::support::{World, names, record_dns_of};

const NAMES: usize = 10;

/// A campaign whose validation run was planned for all of its names and completed with what it is told here.
async fn validated(world: &World, processed: u64, recorded: usize) -> (CampaignId, RunId) {
    let names = names(NAMES);
    let campaign_id = world.campaign(&names).await;
    let run_id = world.validation(campaign_id, NAMES).await;
    sqlx::query("INSERT INTO run_plans (run_id, campaign_id, phase, items) VALUES ($1, $2, 'validation', 10)")
        .bind(run_id.0)
        .bind(campaign_id.0)
        .execute(world.database.pool())
        .await
        .unwrap();
    record_dns_of(run_id, &world.database, campaign_id, &names[..recorded], 0).await;
    // Results of another run are not this one's.
    record_dns_of(
        RunId(Uuid::now_v7()),
        &world.database,
        campaign_id,
        &names[..2],
        1,
    )
    .await;
    let tallies = Tallies::from([("processed".to_owned(), processed), ("ok".to_owned(), 4)]);
    world
        .complete(campaign_id, Phase::Validation, run_id, tallies)
        .await;
    world.level().await;
    (campaign_id, run_id)
}

#[tokio::test]
async fn a_run_whose_tallies_results_and_plan_agree_is_clean() {
    let world = World::start().await;
    validated(&world, 10, 10).await;
    let report = replay::check(&world.database).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings());
}

#[tokio::test]
async fn a_result_that_was_tallied_and_is_not_in_the_log_is_found() {
    let world = World::start().await;
    let (campaign_id, run_id) = validated(&world, 10, 9).await;
    let report = replay::check(&world.database).await.unwrap();
    assert!(!report.is_clean());
    let missing = Unbalanced {
        campaign_id,
        phase: "validation".to_owned(),
        run_id,
        tallied: 10,
        recorded: 9,
        due: Some(10),
    };
    assert_eq!(report.runs, [missing]);
    assert_eq!(
        report.findings(),
        [format!(
            "run {run_id} (validation of campaign {campaign_id}) says that it came to 10, the log has 9, 10 were due"
        )]
    );
}

#[tokio::test]
async fn a_tally_that_is_one_too_many_is_found() {
    let world = World::start().await;
    validated(&world, 11, 10).await;
    let report = replay::check(&world.database).await.unwrap();
    let counts = report.runs.iter().map(|run| (run.tallied, run.recorded));
    assert_eq!(counts.collect::<Vec<_>>(), [(11, 10)]);
}

#[tokio::test]
async fn a_run_that_passed_over_a_domain_that_was_due_is_found() {
    let world = World::start().await;
    validated(&world, 9, 9).await;
    let report = replay::check(&world.database).await.unwrap();
    let counts = report.runs.iter().map(|run| (run.recorded, run.due));
    assert_eq!(counts.collect::<Vec<_>>(), [(9, Some(10))]);
}

#[tokio::test]
async fn a_discovery_that_found_other_names_than_the_log_has_is_found() {
    let world = World::start().await;
    let campaign_id = world.campaign(&names(NAMES)).await;
    world.validation(campaign_id, NAMES + 1).await;
    world.level().await;
    let report = replay::check(&world.database).await.unwrap();
    let counts = report
        .runs
        .iter()
        .map(|run| (run.phase.as_str(), run.tallied, run.recorded, run.due));
    assert_eq!(counts.collect::<Vec<_>>(), [("discovery", 11, 10, None)]);
    assert!(report.findings()[0].ends_with("says that it came to 11, the log has 10"));
}
