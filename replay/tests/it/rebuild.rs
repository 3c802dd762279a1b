//! Rebuilding and verifying.

use std::{sync::Arc, time::Duration};

use aggregates::ids::CampaignId;
use event_store::{BulkAppend, Database, NewEvent, Position};
use projections::{domains, runtime::Rebuild};
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, World, names, projection, record_dns};

/// Makes campaigns and records a result for each of their names until told to end; answers how many there were.
async fn write_until(world: Arc<World>, end: CancellationToken) -> u64 {
    let (names, mut campaigns) = (names(60), 0);
    while !end.is_cancelled() {
        let campaign_id = world.campaign(&names).await;
        record_dns(&world.database, campaign_id, &names, 0).await;
        // As fast as the read models, so that the log stays as short as the test.
        world.level().await;
        campaigns += 1;
    }
    campaigns
}

/// Queries like a user until told to end; every answer must be whole. Answers how many there were.
async fn read_until(
    database: Database,
    campaign_id: CampaignId,
    total: u64,
    end: CancellationToken,
) -> u64 {
    let page = domains::Page {
        limit: 50,
        ..domains::Page::default()
    };
    let mut answers = 0;
    while !end.is_cancelled() {
        let counts = domains::counts_of(database.pool(), campaign_id)
            .await
            .unwrap();
        assert_eq!(
            counts.generated, total,
            "counters of a moment that never was"
        );
        let listed = domains::page(
            database.pool(),
            campaign_id,
            &domains::Filter::default(),
            &page,
        )
        .await
        .unwrap();
        assert_eq!(listed.len(), 50, "a page of tables that are not filled");
        let overview = projections::campaigns::overview(database.pool(), campaign_id)
            .await
            .unwrap();
        let overview = overview.expect("the campaign is gone for a moment");
        assert_eq!(
            overview.counts.generated, total,
            "a snapshot that the swap went through"
        );
        answers += 1;
    }
    answers
}

async fn indexes(database: &Database) -> Vec<String> {
    let query = "SELECT indexdef || ' ' || coalesce((SELECT array_to_string(reloptions, ',') FROM pg_class \
        WHERE oid = ('read.' || tablename)::regclass), '') FROM pg_indexes WHERE schemaname = 'read' ORDER BY 1";
    sqlx::query_scalar(query)
        .fetch_all(database.pool())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_beside_writers_and_readers_is_equal_to_live_row_for_row() {
    let world = Arc::new(World::start().await);
    let names = names(300);
    let campaign_id = world.campaign(&names).await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.level().await;
    let before = indexes(&world.database).await;
    let end = CancellationToken::new();
    let writer = tokio::spawn(write_until(world.clone(), end.clone()));
    let reader = tokio::spawn(read_until(
        world.database.clone(),
        campaign_id,
        300,
        end.clone(),
    ));

    for _ in 0..2 {
        for projection in projections::all() {
            let name = projection.name();
            let mut seen = Position::START;
            let rebuilt = replay::rebuild(&world.database, projection, |progress| {
                assert!(progress.position >= seen, "progress went back");
                seen = progress.position;
            })
            .await
            .unwrap();
            assert_eq!(
                rebuilt.comparison.differences,
                [],
                "{name} differs from its rebuild"
            );
            assert!(rebuilt.position >= rebuilt.comparison.position);
        }
    }
    end.cancel();
    let campaigns = tokio::time::timeout(DEADLINE, writer)
        .await
        .unwrap()
        .unwrap();
    let answers = tokio::time::timeout(DEADLINE, reader)
        .await
        .unwrap()
        .unwrap();
    assert!(
        campaigns > 3 && answers > 3,
        "too little went on: {campaigns} campaigns, {answers} answers"
    );

    world.level().await;
    for projection in projections::all() {
        let verified = replay::verify(&world.database, projection, |_| {})
            .await
            .unwrap();
        assert!(verified.is_equal(), "{verified:?}");
    }
    let report = replay::check(&world.database).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.findings());
    assert_eq!(
        indexes(&world.database).await,
        before,
        "a swap changes no index, no name and no storage parameter"
    );
}

/// Every column holds the values that it should, two of them in each other's row.
#[tokio::test]
async fn two_rows_that_have_exchanged_a_value_are_found_every_time() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.level().await;
    world
        .execute(
            "UPDATE read.domains d SET addresses = other.addresses FROM read.domains other \
             WHERE (d.name, other.name) IN (('name-0.test', 'name-1.test'), ('name-1.test', 'name-0.test'))",
        )
        .await;
    let report = replay::check(&world.database).await.unwrap();
    assert!(report.is_clean(), "no counter and no column's sum shows it");
    for time in 0..8 {
        let verified = replay::verify(&world.database, projection("domains"), |_| {})
            .await
            .unwrap();
        assert_eq!(verified.comparison.differing, 4, "time {time}");
    }
}

#[tokio::test]
async fn a_row_that_somebody_changed_is_found_and_a_rebuild_mends_it() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.level().await;
    world
        .execute(
            "UPDATE read.domains SET dns_status = 'ok', dns_reason = '' WHERE name = 'name-1.test'",
        )
        .await;

    let report = replay::check(&world.database).await.unwrap();
    assert!(
        !report.counters.is_empty(),
        "the counters are no recount of their rows"
    );
    let verified = replay::verify(&world.database, projection("domains"), |_| {})
        .await
        .unwrap();
    assert_eq!(
        verified.comparison.differing, 2,
        "the row as it is, and the row as it should be"
    );
    let sides: Vec<&str> = verified
        .comparison
        .differences
        .iter()
        .map(|difference| difference.only_in)
        .collect();
    assert_eq!(sides, ["live", "rebuilt"]);
    assert!(verified.comparison.differences[1].row.contains("NXDOMAIN"));

    let rebuilt = replay::rebuild(&world.database, projection("domains"), |_| {})
        .await
        .unwrap();
    assert_eq!(
        rebuilt.comparison.differing, 2,
        "a rebuild says what it has changed"
    );
    let verified = replay::verify(&world.database, projection("domains"), |_| {})
        .await
        .unwrap();
    assert!(verified.is_equal(), "{verified:?}");
    assert!(replay::check(&world.database).await.unwrap().is_clean());
}

#[tokio::test]
async fn an_event_that_cannot_be_applied_stops_its_projection_and_is_named() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.level().await;
    let mut append = BulkAppend::new(&aggregates::Metadata::new(
        aggregates::Actor::Operator,
        "test",
    ));
    let poison = NewEvent {
        event_type: "DnsChecked".to_owned(),
        event_version: "1".to_owned(),
        payload: r#"{"DnsChecked":{"outcome":"maybe"}}"#.to_owned(),
    };
    let stream = aggregates::domain::stream_id(campaign_id, "name-0.test");
    append
        .raw_stream("domain", &stream, 1, vec![poison])
        .unwrap();
    append.append(&world.database).await.unwrap();
    world.sequence().await;

    let halted = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            let report = replay::check(&world.database).await.unwrap();
            if let Some(standing) = report
                .standings
                .iter()
                .find(|standing| standing.halted.is_some())
            {
                break standing.clone();
            }
        }
    };
    let standing = tokio::time::timeout(DEADLINE, halted)
        .await
        .expect("the projection halts");
    assert_eq!(standing.projection, "domains");
    let reason = standing.halted.clone().unwrap();
    assert!(
        reason.contains("name-0.test") && reason.contains("DnsChecked"),
        "{reason}"
    );
    assert!(standing.to_string().contains("stands still"), "{standing}");

    // Up to where it stands, what is there is right; further on no rebuild comes either, and it leaves things alone.
    let verified = replay::verify(&world.database, projection("domains"), |_| {})
        .await
        .unwrap();
    assert!(verified.is_equal(), "{verified:?}");
    let refused = replay::rebuild(&world.database, projection("domains"), |_| {}).await;
    assert!(
        matches!(refused, Err(replay::Error::Projection(_))),
        "{refused:?}"
    );
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!(counts.generated, 10, "the live tables are as they were");
    let left = world.shadows().await;
    assert_eq!(left, 0, "a rebuild that failed leaves no tables behind");
    let others = replay::check(&world.database).await.unwrap();
    let behind = others
        .standings
        .iter()
        .filter(|standing| standing.position < standing.head)
        .count();
    assert!(
        behind <= 1,
        "the other projections go on: {:?}",
        others.standings
    );
}

#[tokio::test]
async fn a_second_rebuild_of_a_projection_is_refused_while_one_runs() {
    let world = World::start().await;
    world.campaign(&names(3)).await;
    world.level().await;
    let first = Rebuild::begin(world.database.clone(), projection("domains"))
        .await
        .unwrap();
    let second = Rebuild::begin(world.database.clone(), projection("domains")).await;
    assert!(matches!(
        second,
        Err(projections::runtime::Error::UnderWay("domains"))
    ));
    let other = Rebuild::begin(world.database.clone(), projection("campaigns"))
        .await
        .unwrap();
    other.discard().await.unwrap();
    first.discard().await.unwrap();
    let rebuilt = replay::rebuild(&world.database, projection("domains"), |_| {})
        .await
        .unwrap();
    assert_eq!(rebuilt.comparison.differing, 0);
}

#[tokio::test]
async fn a_rebuild_goes_on_where_the_live_projection_was_left_behind() {
    let world = World::start().await;
    let names = names(10);
    let campaign_id = world.campaign(&names).await;
    world.level().await;
    world.stop().await;
    record_dns(&world.database, campaign_id, &names, 0).await;
    world.sequence().await;
    let rebuilt = replay::rebuild(&world.database, projection("domains"), |_| {})
        .await
        .unwrap();
    assert_eq!(
        rebuilt.comparison.differing, 0,
        "compared where the live tables were left"
    );
    assert_eq!(
        rebuilt.position,
        world.database.feed().head().await.unwrap()
    );
    let counts = domains::counts_of(world.database.pool(), campaign_id)
        .await
        .unwrap();
    assert_eq!(
        counts.dns("pending"),
        0,
        "the rebuilt tables have what came later"
    );
    assert!(
        replay::check(&world.database).await.unwrap().is_clean(),
        "the checkpoint came with them"
    );
}

#[test]
fn a_projection_that_does_not_exist_is_refused_by_name() {
    let Err(refused) = replay::named(&["domians".to_owned()]) else {
        panic!("there is no such projection");
    };
    let message = refused.to_string();
    assert!(
        message.contains("domians") && message.contains("domains"),
        "{message}"
    );
}
