//! The checker finds what it is there to find.

use event_store::{Database, Finding, Position, check};

use crate::support::{bulk_of, by_hand, fresh, insert, run};

/// Damages the log behind its guards and returns what the checker says.
async fn damaged(statement: &str) -> Vec<Finding> {
    let fresh = fresh().await;
    for (id, expected) in [("a", 0), ("b", 0), ("a", 2)] {
        bulk_of(&[(id, expected, 2)])
            .append(&fresh.database)
            .await
            .unwrap();
        fresh.database.sequence().await.unwrap();
    }
    assert!(findings(&fresh.database).await.is_empty());
    let mut connection = by_hand(&fresh.url).await;
    run(&mut connection, "SET session_replication_role = replica").await;
    run(&mut connection, statement).await;
    findings(&fresh.database).await
}

async fn findings(database: &Database) -> Vec<Finding> {
    check(database).await.unwrap().findings
}

#[tokio::test]
async fn a_report_counts_what_is_there() {
    let fresh = fresh().await;
    bulk_of(&[("a", 0, 2), ("b", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    fresh.database.sequence().await.unwrap();
    bulk_of(&[("c", 0, 4)])
        .append(&fresh.database)
        .await
        .unwrap();
    let report = check(&fresh.database).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(
        (report.events, report.head, report.streams, report.waiting),
        (3, Position::new(3), 3, 4)
    );
}

#[tokio::test]
async fn a_removed_event_is_found_in_its_batch_and_its_stream() {
    let findings = damaged("DELETE FROM events WHERE aggregate_id = 'a' AND sequence = 2").await;
    let stream = Finding::StreamBroken {
        aggregate_type: "tally".to_owned(),
        aggregate_id: "a".to_owned(),
        sequence: 3,
        expected: 2,
    };
    assert!(findings.contains(&stream), "{findings:?}");
    assert!(
        findings
            .iter()
            .any(|finding| matches!(finding, Finding::BatchDiffers { batch: 1, .. })),
        "{findings:?}"
    );
    assert!(
        findings.contains(&Finding::CountDiffers {
            events: 5,
            head: Position::new(6)
        }),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_batch_that_nobody_noted_is_found() {
    let findings = damaged("DELETE FROM event_log WHERE batch = 2").await;
    assert!(
        findings.contains(&Finding::Unnoted {
            batch: 2,
            events: 2
        }),
        "{findings:?}"
    );
    assert!(
        findings.contains(&Finding::Gap {
            base: 5,
            expected: 3
        }),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_batch_that_is_noted_twice_is_found() {
    let findings = damaged(
        "INSERT INTO event_inbox (batch, events, aggregate_types) VALUES (3, 2, '{tally}')",
    )
    .await;
    assert_eq!(findings, [Finding::NotedTwice { batch: 3 }]);
}

#[tokio::test]
async fn a_stream_that_runs_backwards_in_the_log_is_found() {
    let findings = damaged(
        "UPDATE event_log SET base = base + 100; UPDATE event_log SET base = CASE batch WHEN 1 THEN 5 WHEN 2 THEN 3 ELSE 1 END",
    )
    .await;
    let reordered = Finding::StreamReordered {
        aggregate_type: "tally".to_owned(),
        aggregate_id: "a".to_owned(),
        sequence: 3,
    };
    assert_eq!(findings, [reordered]);
}

#[tokio::test]
async fn wrong_types_of_a_batch_are_found() {
    let findings =
        damaged("UPDATE event_log SET aggregate_types = '{other}' WHERE batch = 1").await;
    assert!(
        matches!(findings[..], [Finding::BatchDiffers { batch: 1, .. }]),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_commit_that_waits_too_long_for_its_position_is_found() {
    let fresh = fresh().await;
    let mut connection = by_hand(&fresh.url).await;
    insert(&mut connection, "a", 1).await;
    assert!(findings(&fresh.database).await.is_empty());
    run(
        &mut connection,
        "UPDATE event_inbox SET noted_at = noted_at - interval '1 minute'",
    )
    .await;
    assert!(matches!(
        findings(&fresh.database).await[..],
        [Finding::InboxOld {
            batch: 1,
            age_ms: 60_000..
        }]
    ));
}
