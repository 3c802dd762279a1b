//! A log is taken into another database: whole and as it was, or not at all.

use std::time::Duration;

use event_store::{Commit, Database, Error, Finding, Import, ImportError, Position, Walk};
use tokio::time::Instant;
use transparency::Event;

use crate::support::{
    Command, Fresh, Tally, assert_clean, bulk_of, by_hand, fresh, insert, metadata, read_all, run,
};

async fn commits(database: &Database) -> Vec<Commit> {
    let mut connection = database.pool().acquire().await.unwrap();
    let (mut walk, mut commits) = (Walk::default(), Vec::new());
    loop {
        let next = walk.next(&mut connection, 7).await.unwrap();
        if next.is_empty() {
            return commits;
        }
        commits.extend(next);
    }
}

/// A log of both lanes, whose numbers of batches are not in the order of its positions.
async fn recorded() -> Fresh {
    let fresh = fresh().await;
    let (mut early, mut late) = (by_hand(&fresh.url).await, by_hand(&fresh.url).await);
    run(&mut early, "BEGIN").await;
    insert(&mut early, "early", 1).await;
    run(&mut late, "BEGIN").await;
    insert(&mut late, "late", 1).await;
    insert(&mut late, "late", 2).await;
    run(&mut late, "COMMIT").await;
    fresh.database.sequence().await.unwrap();
    run(&mut early, "COMMIT").await;
    fresh.database.sequence().await.unwrap();
    for batch in 0..3 {
        let stream = format!("bulk {batch}");
        let bulk = bulk_of(&[(&stream, 0, 3_000), ("early", batch + 1, 1)]);
        bulk.append(&fresh.database).await.unwrap();
        fresh.database.sequence().await.unwrap();
    }
    fresh.database.tree().catch_up().await.unwrap();
    assert_clean(&fresh.database).await;
    fresh
}

async fn take_all(database: &Database, commits: Vec<Commit>) -> Result<(), ImportError> {
    let mut import = Import::begin(database).await?;
    for commit in commits {
        import.take(commit).await?;
    }
    import.finish().await
}

#[tokio::test]
async fn a_log_is_the_same_in_another_database_and_goes_on_there() {
    let from = recorded().await;
    let into = fresh().await;
    let (known, database) = (commits(&from.database).await, &into.database);
    take_all(database, known.clone()).await.unwrap();
    assert_eq!(commits(database).await, known);
    assert_eq!(read_all(database).await, read_all(&from.database).await);
    let size = database.tree().size().await.unwrap();
    assert_eq!(size, 9_006, "the tree is there too");
    assert_eq!(
        database.tree().root(size).await.unwrap(),
        from.database.tree().root(size).await.unwrap()
    );
    assert_clean(database).await;

    // Both lanes go on, and the tree.
    let log = database.log();
    log.execute::<Tally>("late", Command::Add(3), &metadata(), None)
        .await
        .unwrap();
    let bulk = bulk_of(&[("early", 4, 2), ("new", 0, 1)]);
    bulk.append(database).await.unwrap();
    assert_clean(database).await;
    let head = database.feed().head().await.unwrap();
    assert_eq!(head, Position::new(9_010));
    assert_eq!(database.tree().catch_up().await.unwrap(), 9_010);
}

#[tokio::test]
async fn what_is_no_log_is_not_taken_and_nothing_of_it_is_left() {
    let from = recorded().await;
    let known = commits(&from.database).await;
    let into = fresh().await;
    let refused = |change: fn(&mut Vec<Commit>)| {
        let mut changed = known.clone();
        change(&mut changed);
        take_all(&into.database, changed)
    };
    let miscounted = refused(|commits| commits[2].noted += 1).await.unwrap_err();
    assert!(
        matches!(
            miscounted,
            ImportError::Miscounted {
                base: 4,
                noted: 3_002,
                found: 3_001
            }
        ),
        "{miscounted:?}"
    );
    let gap = refused(|commits| drop(commits.remove(1))).await;
    let expected = matches!(
        gap,
        Err(ImportError::Log(Error::NotDense {
            expected: 3,
            found: 4
        }))
    );
    assert!(expected, "{gap:?}");
    let renumbered = refused(|commits| commits[2].events[1].position = 77).await;
    let expected = matches!(renumbered, Err(ImportError::Log(Error::NotDense { .. })));
    assert!(expected, "{renumbered:?}");
    let hole = refused(|commits| commits[0].events[1].sequence = 3).await;
    let Err(ImportError::Unsound(Finding::StreamBroken { aggregate_id, .. })) = hole else {
        panic!("{hole:?}");
    };
    assert_eq!(aggregate_id, "late");
    let twice = refused(|commits| {
        let first: Event = commits[0].events[0].clone();
        commits[0].events[1] = Event {
            position: 2,
            ..first
        };
    });
    let twice = twice.await;
    let expected = matches!(twice, Err(ImportError::Log(Error::Database { .. })));
    assert!(expected, "{twice:?}");

    assert!(commits(&into.database).await.is_empty());
    assert_eq!(into.database.tree().size().await.unwrap(), 0);
    take_all(&into.database, known.clone()).await.unwrap();
    let again = take_all(&into.database, known.clone()).await;
    assert!(
        matches!(again, Err(ImportError::NotEmpty { .. })),
        "{again:?}"
    );
}

#[tokio::test]
async fn who_appends_meanwhile_comes_after_what_is_taken_in() {
    let from = recorded().await;
    let into = fresh().await;
    let mut import = Import::begin(&into.database).await.unwrap();
    let database = into.database.clone();
    let appending = tokio::spawn(async move {
        let log = database.log();
        log.execute::<Tally>("meanwhile", Command::Add(1), &metadata(), None)
            .await
            .unwrap();
    });
    // He waits before the import goes on.
    let waiting = "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation \
                   WHERE c.relname = 'events' AND NOT l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "nobody waits");
        let waits: i64 = sqlx::query_scalar(waiting)
            .fetch_one(into.database.pool())
            .await
            .unwrap();
        assert!(
            !appending.is_finished(),
            "he appends to a log that is taken in"
        );
        if waits > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    for commit in commits(&from.database).await {
        import.take(commit).await.unwrap();
    }
    import.finish().await.unwrap();
    appending.await.unwrap();
    assert_clean(&into.database).await;
    let head = into.database.feed().head().await.unwrap();
    assert_eq!(head, Position::new(9_007));
    let last = into
        .database
        .feed()
        .after(Position::new(9_006), 1, None)
        .await;
    assert_eq!(last.unwrap().events[0].aggregate_id, "meanwhile");
}

/// What goes with an event in its transaction: as it would be had the events happened here.
#[tokio::test]
async fn keys_gates_and_addresses_are_those_that_the_log_says_and_a_key_may_have_been_used_again() {
    let from = fresh().await;
    let mut connection = by_hand(&from.url).await;
    let keyed = |id: &str, days: u32| {
        format!(
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata, recorded_at)
             VALUES ('tally', '{id}', 1, 'Added', '1', '{{}}', '{{\"idempotency\": \"k\", \"request_hash\": \"{id}\"}}',
                     now() - interval '{days} days')"
        )
    };
    run(&mut connection, &keyed("first", 50)).await;
    run(&mut connection, "DELETE FROM idempotency_keys").await;
    run(&mut connection, &keyed("again", 3)).await;
    run(
        &mut connection,
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         SELECT 'user', gen_random_uuid()::text, 1, 'Registered', '1', '{\"Registered\": {\"email\": \"me@example.com\", \"role\": \"user\"}}', '{}'",
    )
    .await;
    // More runs than one transaction can hold locks.
    for _ in 0..8 {
        run(
            &mut connection,
            "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
             SELECT 'campaign', gen_random_uuid()::text, 1, 'PhaseStarted', '1',
                    json_build_object('PhaseStarted', json_build_object('run_id', gen_random_uuid(), 'phase', 'discovery')), '{}'
             FROM generate_series(1, 4000)",
        )
        .await;
    }
    from.database.sequence().await.unwrap();
    let into = fresh().await;
    take_all(&into.database, commits(&from.database).await)
        .await
        .unwrap();
    let key: (String, bool, i64) = sqlx::query_as(
        "SELECT request_hash, created_at BETWEEN now() - interval '4 days' AND now() - interval '2 days', batch
         FROM idempotency_keys",
    )
    .fetch_one(into.database.pool())
    .await
    .unwrap();
    let batch: i64 = sqlx::query_scalar("SELECT batch FROM events WHERE aggregate_id = 'again'")
        .fetch_one(into.database.pool())
        .await
        .unwrap();
    assert_eq!(key, ("again".to_owned(), true, batch));
    for said in [
        "SELECT string_agg(run_id || state, ',' ORDER BY run_id) FROM run_gates",
        "SELECT string_agg(user_id || email, ',') FROM user_emails",
    ] {
        let mut of = Vec::new();
        for database in [&from.database, &into.database] {
            let text: Option<String> = sqlx::query_scalar(said)
                .fetch_one(database.pool())
                .await
                .unwrap();
            of.push(text.unwrap());
        }
        assert!(of[0] == of[1], "{said}");
    }
}
