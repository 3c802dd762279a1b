//! A command inside a caller's transaction.

use event_store::{Error, ExecuteError};

use crate::{
    interactive::wait_until_blocked,
    support::{
        Command, Fresh, Tally, TooLittle, assert_clean, by_hand, fresh, insert, metadata, run,
    },
};

const TABLE: &str = "CREATE TABLE notes (text text UNIQUE DEFERRABLE INITIALLY DEFERRED)";
const NOTE: &str = "INSERT INTO notes VALUES ('once')";

async fn with_notes() -> Fresh {
    let fresh = fresh().await;
    run(&mut by_hand(&fresh.url).await, TABLE).await;
    fresh
}

async fn notes(fresh: &Fresh) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM notes")
        .fetch_one(fresh.database.pool())
        .await
        .unwrap()
}

/// Adds one to the tally, and a note.
async fn add_and_note(fresh: &Fresh) -> Result<(), Error> {
    let mut transaction = fresh.database.begin().await?;
    run(transaction.connection(), NOTE).await;
    transaction
        .execute::<Tally>("a", Command::Add(1), &metadata())
        .await
        .unwrap();
    transaction.commit().await
}

#[tokio::test]
async fn what_a_command_records_and_what_its_caller_writes_are_stored_together_or_not_at_all() {
    let fresh = with_notes().await;
    add_and_note(&fresh).await.unwrap();
    add_and_note(&fresh).await.unwrap_err();
    let (tally, version) = fresh.database.log().load::<Tally>("a").await.unwrap();
    assert_eq!((tally.sum, version, notes(&fresh).await), (1, 1, 1));
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn a_transaction_sees_what_it_recorded() {
    let fresh = with_notes().await;
    let mut transaction = fresh.database.begin().await.unwrap();
    for version in 1..=3 {
        let committed = transaction
            .execute::<Tally>("a", Command::Add(2), &metadata())
            .await
            .unwrap();
        assert_eq!(committed.version, version);
    }
    let (tally, version) = transaction.load::<Tally>("a").await.unwrap();
    assert_eq!((tally.sum, version), (6, 3));
    let unchanged = transaction
        .execute::<Tally>("a", Command::Add(0), &metadata())
        .await
        .unwrap();
    assert_eq!((unchanged.version, unchanged.events), (3, Vec::new()));
    let refused = transaction
        .execute::<Tally>("a", Command::Take(7), &metadata())
        .await;
    assert!(matches!(refused, Err(ExecuteError::Rejected(TooLittle(6)))));
    transaction.commit().await.unwrap();
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn a_command_is_decided_again_when_another_writer_was_faster() {
    let fresh = with_notes().await;
    let mut faster = by_hand(&fresh.url).await;
    run(&mut faster, "BEGIN").await;
    insert(&mut faster, "a", 1).await;
    let mut transaction = fresh.database.begin().await.unwrap();
    let metadata = metadata();
    let command = transaction.execute::<Tally>("a", Command::Add(5), &metadata);
    let commit_once_it_waits = async {
        wait_until_blocked(&fresh.database).await;
        run(&mut faster, "COMMIT").await;
    };
    let (committed, ()) = tokio::join!(command, commit_once_it_waits);
    assert_eq!(committed.unwrap().version, 2);
    transaction.commit().await.unwrap();
    let (tally, version) = fresh.database.log().load::<Tally>("a").await.unwrap();
    assert_eq!((tally.sum, version), (6, 2));
    assert_clean(&fresh.database).await;
}

#[tokio::test]
async fn what_a_trigger_keeps_unique_is_a_conflict() {
    let fresh = with_notes().await;
    let mut hand = by_hand(&fresh.url).await;
    run(
        &mut hand,
        "CREATE TABLE taken (once int PRIMARY KEY);
         CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN INSERT INTO taken VALUES (1); RETURN NULL; END $$;
         CREATE TRIGGER take AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION take()",
    )
    .await;
    add_and_note(&fresh).await.unwrap();
    let mut transaction = fresh.database.begin().await.unwrap();
    let lost = transaction
        .execute::<Tally>("b", Command::Add(1), &metadata())
        .await;
    assert!(
        matches!(lost, Err(ExecuteError::Conflict { .. })),
        "{lost:?}"
    );
    assert!(matches!(transaction.commit().await, Err(Error::Unfinished)));
    assert_clean(&fresh.database).await;
}
