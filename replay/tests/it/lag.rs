//! How far behind the log everything is.

use std::time::Duration;

use aggregates::{Actor, Metadata};
use event_store::{BulkAppend, Database, NewEvent, Position};
use projections::runtime::Runtime;
use replay::{Follower, lag};

use crate::support::fresh;

async fn append(database: &Database, id: &str, events: usize) {
    let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
    let event = NewEvent {
        event_type: "Added".to_owned(),
        event_version: "1".to_owned(),
        payload: "{}".to_owned(),
    };
    append
        .raw_stream("tally", id, 0, vec![event; events])
        .unwrap();
    append.append(database).await.unwrap();
}

async fn execute(database: &Database, statement: &str) {
    sqlx::raw_sql(statement)
        .execute(database.pool())
        .await
        .unwrap();
}

async fn follower(database: &Database, name: &str) -> Follower {
    let lag = lag(database).await.unwrap();
    let found = lag.followers.into_iter().find(|one| one.name == name);
    found.unwrap()
}

#[tokio::test]
async fn everything_that_follows_the_log_is_as_far_behind_as_it_has_not_taken_in() {
    let (database, _test) = fresh().await;
    append(&database, "a", 3).await;
    let sequencer = follower(&database, "sequencer").await;
    assert_eq!((sequencer.position, sequencer.behind), (Position::START, 3));
    while database.sequence().await.unwrap().is_none() {}
    append(&database, "b", 4).await;
    while database.sequence().await.unwrap().is_none() {}
    assert_eq!(follower(&database, "sequencer").await.behind, 0);

    let whole = lag(&database).await.unwrap();
    assert_eq!(whole.head, Position::new(7));
    let names: Vec<&str> = whole.followers.iter().map(|one| one.name).collect();
    let projections = projections::all();
    let all = projections.iter().map(|projection| projection.name());
    let expected: Vec<&str> = ["sequencer", "tree"].into_iter().chain(all).collect();
    assert_eq!(names, expected);
    for follower in whole.followers.iter().skip(1) {
        let far = (follower.position, follower.behind);
        assert_eq!(far, (Position::START, 7), "{follower:?}");
        assert!(follower.age < Duration::from_secs(100), "{follower:?}");
    }

    execute(
        &database,
        "BEGIN; SET LOCAL session_replication_role = replica;
         UPDATE event_log SET committed_at = committed_at - interval '2 minutes' WHERE base = 4;
         UPDATE event_log SET committed_at = 'infinity' WHERE base = 1; COMMIT",
    )
    .await;
    let tree = follower(&database, "tree").await;
    assert_eq!(tree.age, Duration::ZERO, "nobody knows for how long");
    execute(&database, "UPDATE log_tree SET size = 3").await;
    let tree = follower(&database, "tree").await;
    assert_eq!((tree.position, tree.behind), (Position::new(3), 4));
    assert!(tree.age >= Duration::from_secs(120), "{tree:?}");
    execute(&database, "UPDATE log_tree SET size = 0").await;

    database.tree().catch_up().await.unwrap();
    let runtime = Runtime::new(database.clone(), projections);
    runtime.catch_up().await.unwrap();
    for follower in lag(&database).await.unwrap().followers {
        let far = (follower.position, follower.behind, follower.age);
        assert_eq!(far, (Position::new(7), 0, Duration::ZERO), "{follower:?}");
        assert_eq!(follower.halted, None);
    }
    execute(
        &database,
        "UPDATE projection_checkpoints SET halted = 'event 3' WHERE name = 'users'",
    )
    .await;
    let users = follower(&database, "users").await;
    assert_eq!(users.halted.as_deref(), Some("event 3"));
}
