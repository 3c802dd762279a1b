//! The bulk lane: all events of a stream or none, and an answer for each.

use event_store::{Answer, BulkAppend, Error, FoundEvent, MAX_BULK_EVENTS, Position};

use crate::interactive::wait_until_blocked;
use crate::support::{
    Command, Tally, added, assert_clean, bulk_of, by_hand, fresh, insert, metadata, places, raw,
    read_all, run,
};

#[tokio::test]
async fn every_stream_gets_an_answer_in_the_order_of_adding() {
    let fresh = fresh().await;
    bulk_of(&[("there", 0, 2)])
        .append(&fresh.database)
        .await
        .unwrap();
    let mut batch = bulk_of(&[("z", 0, 1), ("ahead", 3, 1), ("there", 0, 1), ("a", 0, 3)]);
    batch
        .stream::<Tally>("there too", 0, &[added(2, "other run")])
        .unwrap();
    let answers = batch.append(&fresh.database).await.unwrap();
    assert_eq!(answers[0], Answer::Appended { version: 1 });
    assert_eq!(
        answers[1],
        Answer::Conflict {
            actual: 0,
            found: None
        },
        "a hole is refused"
    );
    assert_eq!(answers[2], Answer::AlreadyRecorded { version: 2 });
    assert_eq!(answers[3], Answer::Appended { version: 3 });
    assert_eq!(answers[4], Answer::Appended { version: 1 });
    let order = read_after_sequencing(&fresh.database).await;
    let expected = places(&[
        ("there", 1),
        ("there", 2),
        ("a", 1),
        ("there too", 1),
        ("z", 1),
        ("a", 2),
        ("a", 3),
    ]);
    assert_eq!(order, expected);
    assert_clean(&fresh.database).await;
}

async fn read_after_sequencing(database: &event_store::Database) -> Vec<(String, u64)> {
    database.sequence().await.unwrap();
    read_all(database).await
}

#[tokio::test]
async fn another_step_in_the_place_is_a_conflict_that_shows_it() {
    let fresh = fresh().await;
    bulk_of(&[("a", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    let mut batch = BulkAppend::new(&metadata());
    batch
        .stream::<Tally>("a", 0, &[added(1, "another run")])
        .unwrap();
    let answers = batch.append(&fresh.database).await.unwrap();
    let [
        Answer::Conflict {
            actual: 1,
            found:
                Some(FoundEvent {
                    sequence: 1,
                    event_type,
                    payload,
                }),
        },
    ] = &answers[..]
    else {
        panic!("{answers:?}");
    };
    assert_eq!(event_type, "Added");
    assert!(payload.contains(r#""run_id":"run""#), "{payload}");
    let answers = batch
        .recorded_when(|_, _| true)
        .append(&fresh.database)
        .await
        .unwrap();
    assert_eq!(
        answers,
        [Answer::AlreadyRecorded { version: 1 }],
        "the caller decides what the same step is"
    );
}

/// Of three events the first is recorded and the others are not: a stream is not completed behind its owner's back.
#[tokio::test]
async fn a_stream_whose_events_are_partly_there_gets_none_of_the_rest() {
    let fresh = fresh().await;
    bulk_of(&[("a", 0, 1)])
        .append(&fresh.database)
        .await
        .unwrap();
    let answers = bulk_of(&[("a", 0, 3)])
        .append(&fresh.database)
        .await
        .unwrap();
    assert!(
        matches!(answers[..], [Answer::Conflict { actual: 1, .. }]),
        "{answers:?}"
    );
    assert_eq!(
        read_after_sequencing(&fresh.database).await,
        places(&[("a", 1)])
    );
}

/// Whoever comes second waits for the first's transaction and then gets its answer, for commit and for rollback.
#[tokio::test]
async fn an_append_waits_for_a_writer_of_the_same_stream_and_answers_by_its_end() {
    for (end, expected) in [("COMMIT", 1_u64), ("ROLLBACK", 0)] {
        let fresh = fresh().await;
        let mut other = by_hand(&fresh.url).await;
        run(&mut other, "BEGIN").await;
        insert(&mut other, "b", 1).await;
        let database = fresh.database.clone();
        let append = tokio::spawn(async move {
            bulk_of(&[("a", 0, 2), ("b", 0, 2), ("c", 0, 2)])
                .append(&database)
                .await
        });
        wait_until_blocked(&fresh.database).await;
        run(&mut other, end).await;
        let answers = append.await.unwrap().unwrap();
        assert_eq!(answers[0], Answer::Appended { version: 2 });
        assert_eq!(answers[2], Answer::Appended { version: 2 });
        if expected == 1 {
            assert!(
                matches!(answers[1], Answer::Conflict { actual: 1, .. }),
                "{answers:?}"
            );
        } else {
            assert_eq!(answers[1], Answer::Appended { version: 2 });
        }
        assert_clean(&fresh.database).await;
    }
}

#[tokio::test]
async fn two_appends_and_rows_of_the_caller_commit_together() {
    let fresh = fresh().await;
    sqlx::query("CREATE TABLE done (n int)")
        .execute(fresh.database.pool())
        .await
        .unwrap();
    for commit in [false, true] {
        let mut transaction = fresh.database.begin().await.unwrap();
        transaction.append(&bulk_of(&[("a", 0, 1)])).await.unwrap();
        sqlx::query("INSERT INTO done VALUES (1)")
            .execute(transaction.connection())
            .await
            .unwrap();
        // Through the trigger, in the same transaction: both lanes count into one batch.
        insert(transaction.connection(), "by hand", 1).await;
        let answers = transaction
            .append(&bulk_of(&[("a", 1, 1), ("b", 0, 1)]))
            .await
            .unwrap();
        assert_eq!(
            answers,
            [
                Answer::Appended { version: 2 },
                Answer::Appended { version: 1 }
            ]
        );
        if commit {
            transaction.commit().await.unwrap();
        } else {
            transaction.rollback().await.unwrap();
        }
    }
    assert_eq!(fresh.database.sequence().await.unwrap(), Some(1));
    assert_eq!(
        read_all(&fresh.database).await,
        places(&[("a", 1), ("by hand", 1), ("a", 2), ("b", 1)])
    );
    let (done,): (i64,) = sqlx::query_as("SELECT count(*) FROM done")
        .fetch_one(fresh.database.pool())
        .await
        .unwrap();
    assert_eq!(done, 1);
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn an_append_that_found_nothing_to_write_leaves_the_trigger_on() {
    let fresh = fresh().await;
    let mut transaction = fresh.database.begin().await.unwrap();
    let answers = transaction.append(&bulk_of(&[("a", 7, 1)])).await.unwrap();
    assert_eq!(
        answers,
        [Answer::Conflict {
            actual: 0,
            found: None
        }]
    );
    insert(transaction.connection(), "by hand", 1).await;
    transaction.commit().await.unwrap();
    assert_eq!(
        read_after_sequencing(&fresh.database).await,
        places(&[("by hand", 1)])
    );
}

#[tokio::test]
async fn a_transaction_whose_append_failed_cannot_be_committed() {
    let fresh = fresh().await;
    let mut transaction = fresh.database.begin().await.unwrap();
    let mut batch = bulk_of(&[("a", 0, 1)]);
    batch
        .raw_stream("tally", "b", 0, vec![raw("Added", "no json")])
        .unwrap();
    assert!(matches!(
        transaction.append(&batch).await,
        Err(Error::Database { .. })
    ));
    assert!(matches!(
        transaction.append(&bulk_of(&[("c", 0, 1)])).await,
        Err(Error::Unfinished)
    ));
    assert!(matches!(transaction.commit().await, Err(Error::Unfinished)));
    assert_eq!(fresh.database.feed().head().await.unwrap(), Position::START);
}

#[tokio::test]
async fn what_cannot_be_appended_is_refused_before_anything_is_written() {
    let fresh = fresh().await;
    let twice = bulk_of(&[("a", 0, 1), ("b", 0, 1), ("a", 1, 1)])
        .append(&fresh.database)
        .await;
    assert!(matches!(
        twice,
        Err(Error::BadStream {
            problem: "twice",
            ..
        })
    ));
    let none = BulkAppend::new(&metadata()).stream::<Tally>("a", 0, &[]);
    assert!(matches!(none, Err(Error::BadStream { .. })));
    let many = bulk_of(&[("a", 0, MAX_BULK_EVENTS + 1)])
        .append(&fresh.database)
        .await;
    assert!(matches!(many, Err(Error::TooLarge { .. })));
    assert_eq!(
        BulkAppend::new(&metadata())
            .append(&fresh.database)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn thousands_of_streams_go_in_at_once_and_meet_commands_of_the_other_lane() {
    let fresh = fresh().await;
    let log = fresh.database.log();
    log.execute::<Tally>("s00007", Command::Add(1), &metadata(), None)
        .await
        .unwrap();
    let ids: Vec<String> = (0..5_000).map(|number| format!("s{number:05}")).collect();
    let streams: Vec<(&str, u64, usize)> = ids.iter().map(|id| (id.as_str(), 0, 1)).collect();
    let answers = bulk_of(&streams).append(&fresh.database).await.unwrap();
    let appended = answers
        .iter()
        .filter(|answer| matches!(answer, Answer::Appended { version: 1 }))
        .count();
    assert_eq!(appended, 4_999);
    assert!(matches!(answers[7], Answer::Conflict { actual: 1, .. }));
    log.execute::<Tally>("s00008", Command::Add(1), &metadata(), Some(1))
        .await
        .unwrap();
    assert_clean(&fresh.database).await;
    assert_eq!(
        fresh.database.feed().head().await.unwrap(),
        Position::new(5_001)
    );
}
