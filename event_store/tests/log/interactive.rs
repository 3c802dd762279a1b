//! Commands, expected versions, conflicts, and what a stream was.

use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use event_store::{ConnectOptions, Error, ExecuteError, Position, Upcasters};
use serde_json::json;

use crate::support::{
    Command, Event, Tally, TooLittle, assert_clean, bulk_of, by_hand, fresh, fresh_with, insert,
    metadata, run,
};

#[tokio::test]
async fn a_command_appends_what_the_aggregate_decides_and_its_event_gets_a_position() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    let committed = log
        .execute::<Tally>("a", Command::Add(5), &metadata(), Some(0))
        .await
        .unwrap();
    assert_eq!(committed.version, 1);
    assert_eq!(
        committed.events,
        [Event::Added {
            amount: 5,
            run_id: None
        }]
    );
    assert_eq!(
        log.position_of("tally", "a", 1).await.unwrap(),
        Position::new(1)
    );
    let committed = log
        .execute::<Tally>("a", Command::Take(2), &metadata(), None)
        .await
        .unwrap();
    assert_eq!(committed.version, 2);
    assert_eq!(log.load::<Tally>("a").await.unwrap(), (Tally { sum: 3 }, 2));
    assert!(matches!(
        log.position_of("tally", "a", 3).await,
        Err(Error::NoSuchEvent { sequence: 3, .. })
    ));
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn a_command_that_changes_nothing_or_is_refused_appends_nothing() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    let committed = log
        .execute::<Tally>("a", Command::Add(0), &metadata(), None)
        .await
        .unwrap();
    assert_eq!((committed.version, committed.events.len()), (0, 0));
    let refused = log
        .execute::<Tally>("a", Command::Take(1), &metadata(), None)
        .await;
    assert!(matches!(refused, Err(ExecuteError::Rejected(TooLittle(0)))));
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(0));
}

#[tokio::test]
async fn a_command_decided_on_an_old_version_is_refused_with_both_versions() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    log.execute::<Tally>("a", Command::Add(1), &metadata(), None)
        .await
        .unwrap();
    let refused = log
        .execute::<Tally>("a", Command::Add(1), &metadata(), Some(0))
        .await;
    assert!(matches!(
        refused,
        Err(ExecuteError::VersionMismatch {
            expected: 0,
            actual: 1
        })
    ));
}

/// Somebody else's uncommitted event makes the command's insert wait, so that the conflict is certain.
#[tokio::test]
async fn a_conflict_is_decided_again_from_the_new_version() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    let mut other = by_hand(&fresh.url).await;
    run(&mut other, "BEGIN").await;
    insert(&mut other, "a", 1).await;
    let command = tokio::spawn({
        let log = log.clone();
        async move {
            log.execute::<Tally>("a", Command::Add(7), &metadata(), None)
                .await
        }
    });
    wait_until_blocked(&fresh.database).await;
    run(&mut other, "COMMIT").await;
    assert_eq!(command.await.unwrap().unwrap().version, 2);
    assert_eq!(log.load::<Tally>("a").await.unwrap(), (Tally { sum: 8 }, 2));
    assert_clean(&fresh.database).await;
}

/// As one who commands beside a worker that appends all the time: each time that the command is decided somebody has the
/// stream's next place already.
#[tokio::test]
async fn a_command_is_decided_again_however_often_others_are_faster() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    let mut others = Vec::new();
    for sequence in 1..=5 {
        let mut other = by_hand(&fresh.url).await;
        run(&mut other, "BEGIN").await;
        insert(&mut other, "a", sequence).await;
        let (pid,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()")
            .fetch_one(&mut other)
            .await
            .unwrap();
        others.push((other, pid));
    }
    let command = tokio::spawn({
        let log = log.clone();
        async move {
            log.execute::<Tally>("a", Command::Add(7), &metadata(), None)
                .await
        }
    });
    for (mut other, pid) in others {
        wait_until_blocked_by(&fresh.database, pid).await;
        run(&mut other, "COMMIT").await;
    }
    assert_eq!(command.await.unwrap().unwrap().version, 6);
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn a_conflict_with_a_stated_version_is_a_mismatch() {
    let fresh = fresh().await;
    let mut other = by_hand(&fresh.url).await;
    run(&mut other, "BEGIN").await;
    insert(&mut other, "a", 1).await;
    let log = fresh.database.log();
    let command = tokio::spawn(async move {
        log.execute::<Tally>("a", Command::Add(7), &metadata(), Some(0))
            .await
    });
    wait_until_blocked(&fresh.database).await;
    run(&mut other, "COMMIT").await;
    assert!(matches!(
        command.await.unwrap(),
        Err(ExecuteError::VersionMismatch {
            expected: 0,
            actual: 1
        })
    ));
}

const BLOCKED: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
    AND wait_event_type = 'Lock' AND ($1::int IS NULL OR $1 = ANY(pg_blocking_pids(pid)))";

pub(crate) async fn wait_until_blocked(database: &event_store::Database) {
    wait_until(database, None).await;
}

async fn wait_until_blocked_by(database: &event_store::Database, pid: i32) {
    wait_until(database, Some(pid)).await;
}

async fn wait_until(database: &event_store::Database, by: Option<i32>) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let (blocked,): (i64,) = sqlx::query_as(BLOCKED)
            .bind(by)
            .fetch_one(database.pool())
            .await
            .unwrap();
        if blocked > 0 {
            return;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "nobody waits for a lock"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_aggregate_is_loaded_as_it_was_at_a_version_and_at_a_moment() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    for amount in 1..=5 {
        log.execute::<Tally>("a", Command::Add(amount), &metadata(), None)
            .await
            .unwrap();
    }
    assert_eq!(
        log.load_at_version::<Tally>("a", 3).await.unwrap(),
        (Tally { sum: 6 }, 3)
    );
    assert_eq!(
        log.load_at_version::<Tally>("a", 99).await.unwrap(),
        (Tally { sum: 15 }, 5)
    );
    let stream = log.stream("tally", "a");
    let page = stream.page(1, 2).await.unwrap();
    assert_eq!(
        page.iter()
            .map(|event| event.event.sequence)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    let moment = page[1].event.recorded_at;
    assert_eq!(
        log.load_at_time::<Tally>("a", moment).await.unwrap(),
        (Tally { sum: 6 }, 3)
    );
    assert_eq!(
        stream
            .clone()
            .up_to_time(moment)
            .page(0, 100)
            .await
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn a_stream_tells_the_positions_of_its_events_in_the_middle_of_a_batch() {
    let fresh = fresh().await;
    bulk_of(&[("a", 0, 2), ("b", 0, 3), ("c", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    let before = fresh
        .database
        .log()
        .stream("tally", "b")
        .page(0, 10)
        .await
        .unwrap();
    assert!(before.iter().all(|event| event.position.is_none()));
    fresh.database.sequence().await.unwrap();
    let page = fresh
        .database
        .log()
        .stream("tally", "b")
        .page(0, 10)
        .await
        .unwrap();
    let feed = fresh
        .database
        .feed()
        .after(Position::START, 10, None)
        .await
        .unwrap();
    let expected: Vec<_> = feed
        .events
        .iter()
        .filter(|event| event.aggregate_id == "b")
        .map(|event| Some(event.position))
        .collect();
    assert_eq!(
        page.iter().map(|event| event.position).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        fresh
            .database
            .log()
            .position_of("tally", "b", 3)
            .await
            .unwrap(),
        expected[2].unwrap()
    );
}

/// Version 0 of `Added` counted in tens.
struct TensToOnes;

impl EventUpcaster for TensToOnes {
    fn can_upcast(&self, event_type: &str, event_version: &str) -> bool {
        event_type == "Added" && event_version == "0"
    }

    fn upcast(&self, mut event: SerializedEvent) -> SerializedEvent {
        let tens = event.payload["tens"].as_i64().unwrap();
        event.payload = json!({"Added": {"amount": tens * 10, "run_id": null}});
        event.event_version = "1".to_owned();
        event
    }
}

#[tokio::test]
async fn an_old_event_reads_as_a_new_one_wherever_it_is_read() {
    let options = ConnectOptions {
        upcasters: Upcasters::default().with(TensToOnes),
        ..ConnectOptions::default()
    };
    let fresh = fresh_with(options).await;
    let mut batch = event_store::BulkAppend::new(&metadata());
    let old = event_store::NewEvent {
        event_type: "Added".to_owned(),
        event_version: "0".to_owned(),
        payload: r#"{"tens":4}"#.to_owned(),
    };
    batch.raw_stream("tally", "a", 0, vec![old]).unwrap();
    batch.append(&fresh.database).await.unwrap();
    fresh.database.sequence().await.unwrap();
    let log = fresh.database.log();
    assert_eq!(log.load::<Tally>("a").await.unwrap().0, Tally { sum: 40 });
    assert_eq!(
        log.load_at_version::<Tally>("a", 1).await.unwrap().0,
        Tally { sum: 40 }
    );
    let page = fresh
        .database
        .feed()
        .after(Position::START, 10, None)
        .await
        .unwrap();
    assert_eq!(
        page.events[0].decode::<Event>().unwrap(),
        Event::Added {
            amount: 40,
            run_id: None
        }
    );
    assert_eq!(page.events[0].event_version, "1");
}

#[tokio::test]
async fn many_processes_migrate_at_once_and_all_succeed() {
    let guard = private_postgres::testing::TestDatabase::empty()
        .await
        .unwrap();
    let migrations = (0..4).map(|_| async {
        let database =
            event_store::Database::connect(guard.url(), ConnectOptions::default()).await?;
        database.migrate().await
    });
    for result in futures::future::join_all(migrations).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn what_is_recorded_cannot_be_rewritten() {
    let fresh = fresh().await;
    bulk_of(&[("a", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    fresh.database.sequence().await.unwrap();
    for table in ["events", "event_log"] {
        for statement in [
            format!("UPDATE {table} SET batch = 9"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            let error = sqlx::query(&statement)
                .execute(fresh.database.pool())
                .await
                .unwrap_err();
            assert!(
                error.to_string().contains("append-only"),
                "{statement}: {error}"
            );
        }
    }
    assert_clean(&fresh.database).await;
}
