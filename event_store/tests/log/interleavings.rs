//! Two connections held open at every point where stores that read by identity, by transaction id or by batch number
//! have lost or reordered events.

use std::time::Duration;

use event_store::Position;
use tokio::time::timeout;

use crate::support::{
    assert_clean, bulk_of, by_hand, fresh, insert, places, read_all, read_from, run,
};

/// A reader that stands after the later identity value must still meet the earlier one.
#[tokio::test]
async fn an_event_that_was_written_first_and_committed_last_is_not_lost() {
    let fresh = fresh().await;
    let (mut one, mut other) = (by_hand(&fresh.url).await, by_hand(&fresh.url).await);
    run(&mut one, "BEGIN").await;
    insert(&mut one, "slow", 1).await;
    run(&mut other, "BEGIN").await;
    insert(&mut other, "fast", 1).await;
    run(&mut other, "COMMIT").await;
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(1));
    assert_eq!(read_all(&fresh.database).await, places(&[("fast", 1)]));
    run(&mut one, "COMMIT").await;
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(1));
    assert_eq!(
        read_from(&fresh.database, Position::new(1)).await,
        places(&[("slow", 1)])
    );
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn a_long_transaction_delays_nobody_but_itself() {
    let fresh = fresh().await;
    let mut long = by_hand(&fresh.url).await;
    run(&mut long, "BEGIN").await;
    insert(&mut long, "long", 1).await;
    for number in 0..50 {
        bulk_of(&[(&format!("s{number}"), 0, 2)])
            .append(&fresh.database)
            .await
            .unwrap();
        fresh.database.sequence().await.unwrap();
        assert_eq!(
            fresh.database.feed().head().await.unwrap(),
            Position::new((number + 1) * 2)
        );
    }
    run(&mut long, "COMMIT").await;
    fresh.database.sequence().await.unwrap();
    assert_eq!(
        read_from(&fresh.database, Position::new(100)).await,
        places(&[("long", 1)])
    );
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn a_rolled_back_transaction_leaves_no_hole() {
    let fresh = fresh().await;
    let mut one = by_hand(&fresh.url).await;
    run(&mut one, "BEGIN").await;
    insert(&mut one, "never", 1).await;
    bulk_of(&[("a", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    run(&mut one, "ROLLBACK").await;
    bulk_of(&[("b", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    fresh.database.sequence().await.unwrap();
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("a", 1), ("b", 1)])
    );
    assert_clean(&fresh.database).await;
}

/// The savepoint takes the batch's number with it when it was the one that fetched it, and leaves it otherwise.
#[tokio::test]
async fn a_savepoint_that_is_rolled_back_takes_its_events_and_only_those() {
    let fresh = fresh().await;
    let mut one = by_hand(&fresh.url).await;
    run(&mut one, "BEGIN; SAVEPOINT first").await;
    insert(&mut one, "gone", 1).await;
    run(&mut one, "ROLLBACK TO first").await;
    insert(&mut one, "kept", 1).await;
    run(&mut one, "SAVEPOINT second").await;
    insert(&mut one, "gone too", 1).await;
    run(&mut one, "ROLLBACK TO second").await;
    insert(&mut one, "kept", 2).await;
    run(&mut one, "SAVEPOINT third").await;
    insert(&mut one, "kept", 3).await;
    run(&mut one, "RELEASE third; COMMIT").await;
    assert_eq!(
        fresh.database.sequence().await.unwrap(),
        Some(1),
        "one commit, one batch"
    );
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("kept", 1), ("kept", 2), ("kept", 3)])
    );
    assert_clean(&fresh.database).await;
}

/// The early bird fetches its batch number first, then appends to a stream behind somebody with a higher number.
#[tokio::test]
async fn a_batch_that_began_early_and_appended_late_comes_after_what_it_followed() {
    let fresh = fresh().await;
    let (mut early, mut late) = (by_hand(&fresh.url).await, by_hand(&fresh.url).await);
    run(&mut early, "BEGIN").await;
    insert(&mut early, "other", 1).await;
    run(&mut late, "BEGIN").await;
    insert(&mut late, "shared", 1).await;
    run(&mut late, "COMMIT").await;
    insert(&mut early, "shared", 2).await;
    run(&mut early, "COMMIT").await;
    // Both are in the inbox at once: the order between them is the sequencer's to choose.
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(2));
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("shared", 1), ("other", 1), ("shared", 2)])
    );
    assert_clean(&fresh.database).await;
}

/// The same through the bulk lane, twice in one transaction: the second append renews the arrival.
#[tokio::test]
async fn a_bulk_batch_that_appends_again_after_another_commit_comes_after_it() {
    let fresh = fresh().await;
    let mut early = fresh.database.begin().await.unwrap();
    early.append(&bulk_of(&[("other", 0, 1)])).await.unwrap();
    bulk_of(&[("shared", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    early.append(&bulk_of(&[("shared", 1, 1)])).await.unwrap();
    early.commit().await.unwrap();
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(2));
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("shared", 1), ("other", 1), ("shared", 2)])
    );
    assert_clean(&fresh.database).await;
}

/// Somebody who makes the deferred trigger run at once must not get an early arrival for late events.
#[tokio::test]
async fn constraints_that_are_made_immediate_do_not_change_the_order() {
    let fresh = fresh().await;
    let (mut early, mut late) = (by_hand(&fresh.url).await, by_hand(&fresh.url).await);
    run(&mut early, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE").await;
    insert(&mut early, "other", 1).await;
    insert(&mut late, "shared", 1).await;
    insert(&mut early, "shared", 2).await;
    run(&mut early, "COMMIT").await;
    fresh.database.sequence().await.unwrap();
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("shared", 1), ("other", 1), ("shared", 2)])
    );
    assert_clean(&fresh.database).await;
}

/// A sequencer whose transaction is still open holds the lock; the others find nothing to do and nothing is doubled.
#[tokio::test]
async fn two_sequencers_never_give_one_position_twice() {
    let fresh = fresh().await;
    let mut one = by_hand(&fresh.url).await;
    bulk_of(&[("a", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    run(&mut one, "BEGIN; SELECT sequence_events()").await;
    bulk_of(&[("b", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    let second = timeout(Duration::from_secs(10), fresh.database.sequence()).await;
    assert_eq!(
        second.expect("it waits for nobody").unwrap(),
        None,
        "another session is at it"
    );
    assert_eq!(fresh.database.feed().head().await.unwrap(), Position::START);
    run(&mut one, "ROLLBACK").await;
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(2));
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("a", 1), ("b", 1)])
    );
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn sequencing_with_an_old_snapshot_is_refused() {
    let fresh = fresh().await;
    let mut one = by_hand(&fresh.url).await;
    run(&mut one, "BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    let error = sqlx::query("SELECT sequence_events()")
        .execute(&mut one)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("read committed"), "{error}");
}
