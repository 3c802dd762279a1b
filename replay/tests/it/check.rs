//! Checking.

use crate::support::{World, names, record_dns};

#[tokio::test]
async fn a_checkpoint_that_counts_another_number_of_events_is_found() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.level().await;
    world.stop().await;
    let report = replay::check(&world.database).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings());
    let standing = report
        .standings
        .iter()
        .find(|standing| standing.projection == "domains")
        .unwrap();
    assert!(standing.applied > 10, "{standing:?}");

    world
        .execute("UPDATE projection_checkpoints SET applied = applied - 1 WHERE name = 'domains'")
        .await;
    let report = replay::check(&world.database).await.unwrap();
    let findings = report.findings();
    assert!(!report.is_clean());
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].starts_with("projection domains applied"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_counter_that_is_no_recount_is_found() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    world.level().await;
    world
        .execute("UPDATE read.domain_counts SET n = n + 1")
        .await;
    world
        .execute("UPDATE read.domain_totals SET n = n + 2")
        .await;
    let report = replay::check(&world.database).await.unwrap();
    assert_eq!(report.counters.len(), 2, "{report:?}");
    for (counter, counted) in report.counters.iter().zip([11, 12]) {
        assert_eq!(counter.campaign_id, campaign_id);
        assert_eq!((counter.counted, counter.recounted), (counted, 10));
    }
}

#[tokio::test]
async fn a_counter_of_other_domains_than_its_rows_is_found() {
    let world = World::start().await;
    world.campaign(&names(10)).await;
    world.level().await;
    world
        .execute("UPDATE read.domain_counts SET members = set_bit(set_bit(members, 3, 0), 4095, 1)")
        .await;
    let report = replay::check(&world.database).await.unwrap();
    let findings = report.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(
        findings[0].contains("counts 10 domains, but not those"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_counter_without_rows_and_rows_without_a_counter_are_found() {
    let world = World::start().await;
    let names = names(10);
    world.campaign(&names).await;
    world.level().await;
    for counters in ["domain_counts", "domain_totals"] {
        world
            .execute(&format!("UPDATE read.{counters} SET dns_status = 'ok'"))
            .await;
    }
    let report = replay::check(&world.database).await.unwrap();
    let differing = report.counters.iter();
    let mut differing: Vec<(i64, i64)> = differing
        .map(|counter| (counter.counted, counter.recounted))
        .collect();
    differing.sort_unstable();
    assert_eq!(
        differing,
        [(0, 10), (0, 10), (10, 0), (10, 0)],
        "{report:?}"
    );
}

#[tokio::test]
async fn an_empty_log_is_clean() {
    let world = World::start().await;
    let report = replay::check(&world.database).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings());
    assert_eq!(report.log.events, 0);
}
