//! Checkpoints, from a log that grows to the files of its directory.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use aggregates::{Actor, Metadata};
use event_store::{BulkAppend, ConnectOptions, Database, NewEvent, Position};
use private_postgres::testing::TestDatabase;
use tokio_util::sync::CancellationToken;
use transparency::{Checkpoint, Hash, PublicKey, SigningKey};

use super::{Checkpointer, Contradiction, Directory, Error, Signer, directory::Newest};

fn key() -> SigningKey {
    SigningKey::from_seed("log.test", &[3; 32]).unwrap()
}

fn newest_of(directory: &Directory, key: &PublicKey) -> Option<Checkpoint> {
    Newest::default().look(directory, key).unwrap()
}

async fn database() -> (Database, TestDatabase) {
    let test = TestDatabase::from_template("app", |url| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, event_store::Error>(())
    })
    .await
    .unwrap();
    let database = Database::connect(test.url(), ConnectOptions::default()).await;
    (database.unwrap(), test)
}

async fn append(database: &Database, id: &str) {
    let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
    let event = NewEvent {
        event_type: "Added".to_owned(),
        event_version: "1".to_owned(),
        payload: "{}".to_owned(),
    };
    append.raw_stream("tally", id, 0, vec![event]).unwrap();
    append.append(database).await.unwrap();
    while database.sequence().await.unwrap().is_none() {}
}

#[tokio::test]
async fn a_checkpoint_is_signed_when_the_tree_has_grown_and_older_ones_are_kept() {
    let (database, _test) = database().await;
    let files = tempfile::tempdir().unwrap();
    let directory = Directory::new(files.path().join("checkpoints"));
    let signer = Signer::new(database.clone(), key(), directory.clone());
    assert_eq!(signer.sign().await.unwrap(), None, "nothing happened yet");
    for size in 1..=3 {
        append(&database, &format!("s{size}")).await;
        database.tree().catch_up().await.unwrap();
        let signed = signer.sign().await.unwrap().unwrap();
        assert_eq!(signed.size, size);
        assert_eq!(signed.root, database.tree().root(size).await.unwrap());
        assert_eq!(signer.sign().await.unwrap(), None);
    }
    let kept = directory.read().unwrap();
    let names: Vec<&str> = kept.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(
        names,
        [1, 2, 3].map(|size| format!("{size:020}.checkpoint")),
        "and nothing that was written aside"
    );
    let newest = newest_of(&directory, key().public()).unwrap();
    assert_eq!(newest.size, 3);
    let other = SigningKey::from_seed("log.test", &[4; 32]).unwrap();
    assert_eq!(newest_of(&directory, other.public()), None);
    assert!(
        directory.keep(3, "another").is_err(),
        "none takes another's place"
    );
}

#[tokio::test]
async fn nothing_is_signed_of_a_log_that_contradicts_the_last_checkpoint() {
    let (database, _test) = database().await;
    let files = tempfile::tempdir().unwrap();
    let directory = Directory::new(files.path().to_owned());
    let signer = Signer::new(database.clone(), key(), directory.clone());
    append(&database, "a").await;
    append(&database, "b").await;
    database.tree().catch_up().await.unwrap();
    signer.sign().await.unwrap();
    for (damage, expected) in [
        (
            "UPDATE log_tree_tiles SET hashes = set_byte(hashes, 34, get_byte(hashes, 34) # 255)",
            Contradiction::Rewritten,
        ),
        (
            "UPDATE log_tree SET size = 1",
            Contradiction::Shorter { ends: 1 },
        ),
    ] {
        sqlx::query(damage).execute(database.pool()).await.unwrap();
        // Also by a process that has just started.
        for signer in [
            signer.clone(),
            Signer::new(database.clone(), key(), directory.clone()),
        ] {
            let Err(Error::Contradicted { size: 2, how, .. }) = signer.sign().await else {
                panic!("{damage}");
            };
            assert_eq!(how, expected, "{damage}");
        }
    }
    assert_eq!(directory.read().unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_appended_last_is_in_the_checkpoint_of_the_end() {
    let (database, _test) = database().await;
    let files = tempfile::tempdir().unwrap();
    let directory = Directory::new(files.path().to_owned());
    let signer = Signer::new(database.clone(), key(), directory.clone());
    let cancel = CancellationToken::new();
    let task = Checkpointer::new(signer, Duration::from_secs(3600)).run(cancel.clone());
    let task = tokio::spawn(task);
    append(&database, "a").await;
    cancel.cancel();
    task.await.unwrap();
    assert_eq!(newest_of(&directory, key().public()).unwrap().size, 1);
}

/// As where a program is started on one database and then on another, with the same data directory.
#[tokio::test]
async fn a_second_database_of_one_directory_is_told_as_that() {
    let files = tempfile::tempdir().unwrap();
    let directory = Directory::new(files.path().to_owned());
    let (one, _one) = database().await;
    append(&one, "a").await;
    one.tree().catch_up().await.unwrap();
    let signer = Signer::new(one, key(), directory.clone());
    signer.sign().await.unwrap().unwrap();
    let (other, _other) = database().await;
    append(&other, "a").await;
    append(&other, "b").await;
    other.tree().catch_up().await.unwrap();
    let second = Signer::new(other.clone(), key(), directory.clone());
    let refused = second.sign().await.unwrap_err();
    let is_told = matches!(
        refused,
        Error::Contradicted {
            size: 1,
            how: Contradiction::OtherLog,
            ..
        }
    );
    assert!(is_told, "{refused:?}");
    let told = refused.to_string();
    let place = files.path().display().to_string();
    for words in [place.as_str(), "another database", "--checkpoint-dir"] {
        assert!(told.contains(words), "{told}");
    }

    // A checkpoint that names no log leaves both open.
    let unnamed = Checkpoint {
        origin: "log.test".to_owned(),
        size: 2,
        root: Hash::of_nothing(),
        time: chrono::DateTime::UNIX_EPOCH,
        log: None,
    };
    let text = unnamed.sign(&key()).unwrap().to_string();
    directory.keep(2, &text).unwrap();
    let refused = Signer::new(other, key(), directory).sign().await;
    let Err(Error::Contradicted { how, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(how, Contradiction::RewrittenOrOther);
}

#[tokio::test]
async fn the_newest_checkpoint_is_found_by_what_it_says_and_not_by_its_name() {
    let (database, _test) = database().await;
    let files = tempfile::tempdir().unwrap();
    let directory = Directory::new(files.path().to_owned());
    let signer = Signer::new(database.clone(), key(), directory.clone());
    for id in ["a", "b"] {
        append(&database, id).await;
        database.tree().catch_up().await.unwrap();
        signer.sign().await.unwrap().unwrap();
    }
    let path = |name: &str| files.path().join(name);
    let (first, second) = (
        format!("{:020}.checkpoint", 1),
        format!("{:020}.checkpoint", 2),
    );
    fs::copy(path(&first), path("z-a copy of the first.checkpoint")).unwrap();
    fs::rename(path(&second), path("a-moved.checkpoint")).unwrap();
    let newest = newest_of(&directory, key().public()).unwrap();
    assert_eq!(newest.size, 2);
    let again = Signer::new(database, key(), directory);
    assert_eq!(again.sign().await.unwrap(), None, "it is signed already");
}

#[tokio::test]
async fn a_tree_that_stands_still_while_the_log_grows_is_no_reason_to_be_silent() {
    let (database, _test) = database().await;
    let files = tempfile::tempdir().unwrap();
    let directory = Directory::new(files.path().to_owned());
    let signer = Signer::new(database.clone(), key(), directory);
    append(&database, "a").await;
    database.tree().catch_up().await.unwrap();
    signer.sign().await.unwrap().unwrap();
    append(&database, "b").await;
    let waited = signer.sign().await.unwrap();
    assert_eq!(waited, None, "the tree may take a moment");
    sqlx::raw_sql(
        "BEGIN; SET LOCAL session_replication_role = replica;
         UPDATE event_log SET committed_at = committed_at - interval '2 minutes'; COMMIT",
    )
    .execute(database.pool())
    .await
    .unwrap();
    let refused = signer.sign().await;
    let Err(Error::StandsStill { position, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(position, Position::new(2));
    database.tree().catch_up().await.unwrap();
    assert_eq!(signer.sign().await.unwrap().unwrap().size, 2);
}

#[tokio::test]
async fn a_checkpoint_can_be_copied_by_whoever_may_read_what_its_owner_writes() {
    let files = tempfile::tempdir().unwrap();
    Directory::new(files.path().to_owned())
        .keep(7, "text")
        .unwrap();
    let mode = |name: &str| {
        let file = fs::metadata(files.path().join(name)).unwrap();
        file.permissions().mode() & 0o777
    };
    fs::write(files.path().join("plain"), "text").unwrap();
    let kept = mode(&format!("{:020}.checkpoint", 7));
    assert_eq!(kept & 0o444, mode("plain") & 0o444, "{kept:o}");
    assert_eq!(kept & 0o022, 0, "and written by nobody else: {kept:o}");
}
