//! The tree over the log: grown once, by one, whatever happens.

use std::time::Duration;

use event_store::{BulkAppend, Database, Error, Growing, Position, Tree, TreeKeeper, Walk, check};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transparency::{Event, Growth, Hash, verify_consistency, verify_inclusion};

use crate::support::{assert_clean, bulk_of, by_hand, fresh, insert, raw, run};

/// Everything that the log holds, as the tree takes it.
async fn everything(database: &Database) -> Vec<Event> {
    let mut connection = database.pool().acquire().await.unwrap();
    let (mut walk, mut events) = (Walk::default(), Vec::new());
    loop {
        let commits = walk.next(&mut connection, 7).await.unwrap();
        if commits.is_empty() {
            return events;
        }
        events.extend(commits.into_iter().flat_map(|commit| commit.events));
    }
}

/// Holds a tree against the log: its root, and the proof of every event.
async fn assert_covers(database: &Database, tree: &Tree, size: u64) {
    let events = everything(database).await;
    let mut growth = Growth::default();
    for event in events.iter().take(size as usize) {
        assert_eq!(event.position, growth.size() + 1);
        growth.push(event.leaf_hash());
    }
    assert_eq!(growth.size(), size);
    assert_eq!(tree.root(size).await.unwrap(), growth.root());
}

async fn append(database: &Database, id: &str, events: usize) {
    bulk_of(&[(id, 0, events)]).append(database).await.unwrap();
    while database.sequence().await.unwrap().is_none() {}
}

#[tokio::test]
async fn an_existing_log_is_taken_in_from_its_first_event_and_then_what_follows() {
    let fresh = fresh().await;
    let (database, tree) = (&fresh.database, fresh.database.tree());
    assert_eq!(tree.size().await.unwrap(), 0);
    assert_eq!(tree.root(0).await.unwrap(), Hash::of_nothing());
    for number in 0..40 {
        append(database, &format!("s{number}"), 7 + number).await;
    }
    let mut connection = by_hand(&fresh.url).await;
    insert(&mut connection, "by hand", 1).await;
    database.sequence().await.unwrap();
    let size = tree.catch_up().await.unwrap();
    assert_eq!(size, 40 * 7 + 39 * 20 + 1);
    assert_covers(database, &tree, size).await;
    let root = tree.root(size).await.unwrap();
    for event in everything(database).await {
        let at = Position::new(event.position);
        let proof = tree.inclusion_proof(at, size).await.unwrap();
        verify_inclusion(event.leaf_hash(), at.get() - 1, size, root, &proof).unwrap();
    }
    append(database, "later", 300).await;
    let later = tree.catch_up().await.unwrap();
    assert_eq!(later, size + 300);
    assert_covers(database, &tree, later).await;
    let proof = tree.consistency_proof(size, later).await.unwrap();
    let new = (later, tree.root(later).await.unwrap());
    verify_consistency((size, root), new, &proof).unwrap();
    assert_eq!(
        tree.root(size).await.unwrap(),
        root,
        "roots of the past are kept"
    );
    assert_clean(database).await;
}

#[tokio::test]
async fn a_leaf_is_what_is_stored_to_the_byte() {
    let fresh = fresh().await;
    let odd = "{\"Added\" :\n {\"amount\":1.0, \"run_id\":\"\\u00e9 é\", \"run_id\":null}}";
    let mut batch = BulkAppend::new(&crate::support::metadata());
    batch
        .raw_stream("tally", "a", 0, vec![raw("Added", odd)])
        .unwrap();
    batch.append(&fresh.database).await.unwrap();
    fresh.database.sequence().await.unwrap();
    let tree = fresh.database.tree();
    assert_eq!(tree.catch_up().await.unwrap(), 1);
    let event = everything(&fresh.database).await.remove(0);
    assert_eq!(event.payload, odd);
    assert_eq!(tree.root(1).await.unwrap(), event.leaf_hash());
}

#[tokio::test]
async fn what_no_tree_covers_is_refused() {
    let fresh = fresh().await;
    append(&fresh.database, "a", 3).await;
    let tree = fresh.database.tree();
    let size = tree.catch_up().await.unwrap();
    for (position, size) in [(0, size), (4, size), (4, 4), (u64::MAX, u64::MAX)] {
        let refused = tree.inclusion_proof(Position::new(position), size).await;
        assert!(
            matches!(refused, Err(Error::Tree(_))),
            "{position}: {refused:?}"
        );
    }
    assert!(matches!(tree.root(4).await, Err(Error::Tree(_))));
    assert!(tree.consistency_proof(0, 3).await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_keepers_beside_writers_take_every_event_in_once() {
    let fresh = fresh().await;
    let (database, tree) = (&fresh.database, fresh.database.tree());
    let growers = (0..3).map(|_| {
        let tree = tree.clone();
        tokio::spawn(async move {
            let mut stood_by = 0;
            loop {
                match tree.grow().await.unwrap() {
                    Growing::StandBy => stood_by += 1,
                    Growing::At { size: 600, .. } => return stood_by,
                    Growing::At { .. } => {}
                }
                tokio::task::yield_now().await;
            }
        })
    });
    let growers: Vec<_> = growers.collect();
    for number in 0..60 {
        append(database, &format!("s{number}"), 10).await;
    }
    for grower in growers {
        grower.await.unwrap();
    }
    assert_covers(database, &tree, 600).await;
}

#[tokio::test]
async fn while_one_session_grows_the_tree_another_stands_by_and_a_step_that_dies_leaves_nothing() {
    let fresh = fresh().await;
    let tree = fresh.database.tree();
    append(&fresh.database, "a", 5).await;
    let mut other = by_hand(&fresh.url).await;
    run(&mut other, "BEGIN").await;
    run(
        &mut other,
        "SELECT pg_advisory_xact_lock(hashtext('log tree'), 0)",
    )
    .await;
    run(&mut other, "UPDATE log_tree SET size = 3").await;
    let stood_by = tokio::time::timeout(Duration::from_secs(60), tree.grow());
    let stood_by = stood_by.await.expect("it waits for nobody");
    assert_eq!(stood_by.unwrap(), Growing::StandBy);
    drop(other);
    let deadline = Instant::now() + Duration::from_secs(60);
    while tree.grow().await.unwrap() == Growing::StandBy {
        assert!(
            Instant::now() < deadline,
            "the lock of a dead session is let go"
        );
        tokio::task::yield_now().await;
    }
    assert_eq!(tree.size().await.unwrap(), 5);
    assert_covers(&fresh.database, &tree, 5).await;
}

#[tokio::test]
async fn a_log_with_holes_and_a_damaged_tree_are_not_grown_on() {
    for (damage, is_tree) in [
        (
            "DELETE FROM events WHERE aggregate_id = 'b' AND sequence = 1",
            false,
        ),
        ("UPDATE event_log SET base = base + 1 WHERE base = 4", false),
        ("DELETE FROM event_log; DELETE FROM events", false),
        ("DELETE FROM log_tree_tiles", true),
        ("UPDATE log_tree SET size = 2", true),
    ] {
        let fresh = fresh().await;
        let tree = fresh.database.tree();
        append(&fresh.database, "a", 3).await;
        tree.catch_up().await.unwrap();
        append(&fresh.database, "b", 2).await;
        let mut connection = by_hand(&fresh.url).await;
        run(&mut connection, "SET session_replication_role = replica").await;
        run(&mut connection, damage).await;
        let before = tree.size().await.unwrap();
        let refused = tree.grow().await;
        match refused {
            Err(Error::Tree(_)) => assert!(is_tree, "{damage}"),
            Err(Error::NotDense { .. }) => assert!(!is_tree, "{damage}"),
            other => panic!("{damage}: {other:?}"),
        }
        assert_eq!(tree.size().await.unwrap(), before, "{damage}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_follows_the_log_until_it_is_told_to_end() {
    let fresh = fresh().await;
    let (tree, cancel) = (fresh.database.tree(), CancellationToken::new());
    append(&fresh.database, "a", 3).await;
    let keeper = tokio::spawn(TreeKeeper::new(fresh.database.clone()).run(cancel.clone()));
    for (id, size) in [("b", 6), ("c", 9)] {
        append(&fresh.database, id, 3).await;
        let deadline = Instant::now() + Duration::from_secs(60);
        while tree.size().await.unwrap() < size {
            assert!(Instant::now() < deadline, "{size} leaves");
            tokio::task::yield_now().await;
        }
    }
    cancel.cancel();
    keeper.await.unwrap();
    assert!(check(&fresh.database).await.unwrap().is_clean());
}

#[tokio::test]
async fn what_was_appended_last_is_covered_when_the_keeper_ends() {
    let fresh = fresh().await;
    let cancel = CancellationToken::new();
    let keeper = tokio::spawn(TreeKeeper::new(fresh.database.clone()).run(cancel.clone()));
    // Nobody has given it a position.
    bulk_of(&[("last", 0, 3)])
        .append(&fresh.database)
        .await
        .unwrap();
    cancel.cancel();
    keeper.await.unwrap();
    assert_eq!(fresh.database.tree().size().await.unwrap(), 3);
}
