//! What was signed: who rewrites the tree as well is found, and an event is proven to whoever has the key.

use std::process::Command;

use event_store::{ConnectOptions, Database, Position};
use private_postgres::{Programs, testing::TestDatabase};
use replay::{Change, CheckpointFile, Error, LogFinding, prove};
use transparency::{Checkpoint, CheckpointError, NoteError, SigningKey};

use super::{AT, Log};

#[tokio::test]
async fn a_log_that_nobody_touched_is_clean_and_what_the_tree_does_not_cover_yet_is_counted() {
    let mut log = Log::of(0).await;
    log.checkpoint().await;
    assert!(log.verify().await.is_clean(), "an empty log");
    log.append(0..200).await;
    log.database.tree().catch_up().await.unwrap();
    log.checkpoint().await;
    log.append(200..210).await;
    let verified = log.verify().await;
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!((verified.events, verified.covered), (630, 600));
    assert_eq!(verified.agreeing, 2);
    assert_eq!(verified.newest.unwrap().size, 600);
}

const CUT: &str = "DELETE FROM events e USING event_log l WHERE l.batch = e.batch AND l.base > 300; \
                   DELETE FROM event_log WHERE base > 300";

#[tokio::test]
async fn a_cut_tail_is_found_by_the_tree_and_by_an_older_checkpoint_where_the_tree_was_cut_too() {
    let mut log = Log::of(100).await;
    log.checkpoint().await;
    log.append(100..150).await;
    log.database.tree().catch_up().await.unwrap();
    log.checkpoint().await;
    let found = log.tampered(CUT).await;
    let change = Change::Missing {
        events: 150,
        lost: None,
        next: None,
    };
    let position = 301;
    assert_eq!(found, LogFinding::Changed { position, change });

    log.rebuild_tree().await;
    let verified = log.verify().await;
    let [
        LogFinding::Truncated {
            head: 300,
            size: 450,
            file,
            ..
        },
    ] = &verified.findings[..]
    else {
        panic!("{:?}", verified.findings);
    };
    assert_eq!(file, "450.checkpoint");
    assert_eq!(verified.agreeing, 1);

    // Other events in the place of those that were cut off.
    log.append(100..160).await;
    log.database.tree().catch_up().await.unwrap();
    let verified = log.verify().await;
    let [
        LogFinding::CheckpointDiffers {
            agreed: 300,
            size: 450,
            ..
        },
    ] = &verified.findings[..]
    else {
        panic!("{:?}", verified.findings);
    };
}

#[tokio::test]
async fn whoever_computes_the_tree_again_after_tampering_is_found_by_the_checkpoints() {
    let mut log = Log::of(100).await;
    log.checkpoint().await;
    log.append(100..200).await;
    log.database.tree().catch_up().await.unwrap();
    log.checkpoint().await;
    log.append(200..210).await;
    log.tamper(&format!("UPDATE events SET payload = '{{}}' WHERE {AT}"))
        .await;
    log.rebuild_tree().await;
    let verified = log.verify().await;
    let [
        LogFinding::CheckpointDiffers {
            agreed: 300,
            size: 600,
            file,
            ..
        },
    ] = &verified.findings[..]
    else {
        panic!("{:?}", verified.findings);
    };
    assert_eq!(file, "600.checkpoint");
    let told = verified.findings[0].to_string();
    assert!(told.contains("at positions 301 to 600"), "{told}");
    log.witnesses.checkpoints.clear();
    assert!(log.verify().await.is_clean(), "nobody else knows");
}

#[tokio::test]
async fn a_checkpoint_with_a_wrong_signature_and_one_of_an_unknown_key_are_told() {
    let mut log = Log::of(20).await;
    log.checkpoint().await;
    let genuine = log.witnesses.checkpoints[0].text.clone();
    let other = SigningKey::from_seed("log.test", &[8; 32]).unwrap();
    let foreign = Checkpoint::open(&genuine, &log.witnesses.keys)
        .unwrap()
        .sign(&other)
        .unwrap();
    for (name, text) in [
        ("wrong", genuine.replace("\n60\n", "\n61\n")),
        ("foreign", foreign.to_string()),
        ("empty", String::new()),
    ] {
        let name = name.to_owned();
        log.witnesses
            .checkpoints
            .push(CheckpointFile { name, text });
    }
    let verified = log.verify().await;
    assert_eq!(verified.agreeing, 1);
    let refused = |file: &str, error: NoteError| LogFinding::CheckpointRefused {
        file: file.to_owned(),
        error: CheckpointError::Note(error),
    };
    let expected = [
        refused("wrong", NoteError::WrongSignature),
        refused("foreign", NoteError::UnknownKey),
        refused("empty", NoteError::Form),
    ];
    assert_eq!(verified.findings, expected);
}

#[tokio::test]
async fn evidence_of_every_event_holds_without_the_database_and_none_is_given_of_what_was_altered()
{
    let mut log = Log::of(100).await;
    log.checkpoint().await;
    log.append(100..130).await;
    log.database.tree().catch_up().await.unwrap();
    log.checkpoint().await;
    log.append(130..131).await;
    let at = |position| prove(&log.database, Position::new(position), &log.witnesses);
    for position in [1, 2, 3, 257, 300, 301, 311, 390] {
        let evidence = at(position).await.unwrap();
        assert_eq!(evidence.event.position, position);
        let checkpoint = evidence.check(&log.witnesses.keys).unwrap();
        let size = if position <= 300 { 300 } else { 390 };
        assert_eq!(checkpoint.size, size, "the first that covers {position}");
    }
    for position in [0, 391, 500] {
        let refused = at(position).await;
        assert!(
            matches!(refused, Err(Error::Unproven { .. })),
            "{position}: {refused:?}"
        );
    }
    log.tamper(&format!("UPDATE events SET payload = '{{}}' WHERE {AT}"))
        .await;
    let refused = at(311).await.unwrap_err().to_string();
    assert!(
        refused.ends_with("the log is not what the checkpoint says"),
        "{refused}"
    );
    assert!(at(312).await.is_ok(), "others are proven as before");
}

/// Copies a database as an operator would: a dump, restored into another one.
fn dump_and_restore(from: &str, to: &str) {
    let programs = Programs::find().unwrap();
    let program = |name: &str| Command::new(programs.directory().join(name));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("dump");
    let dumped = program("pg_dump")
        .args(["-Fc", "-d", from, "-f"])
        .arg(&file)
        .status();
    assert!(dumped.unwrap().success());
    let restored = program("pg_restore").args(["-d", to]).arg(&file).status();
    assert!(restored.unwrap().success());
}

#[tokio::test]
async fn a_log_that_was_dumped_and_restored_is_the_one_that_was_signed_and_goes_on() {
    let mut log = Log::of(100).await;
    log.checkpoint().await;
    log.append(100..110).await;
    let empty = TestDatabase::from_template("empty", |_| async { Ok::<_, event_store::Error>(()) });
    let empty = empty.await.unwrap();
    dump_and_restore(log.test.url(), empty.url());
    let restored = Database::connect(empty.url(), ConnectOptions::default());
    log.database = restored.await.unwrap();
    log.test = empty;
    log.database.migrate().await.unwrap();
    let verified = log.verify().await;
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(
        (verified.events, verified.covered, verified.agreeing),
        (330, 300, 1)
    );
    log.append(110..120).await;
    log.database.tree().catch_up().await.unwrap();
    log.checkpoint().await;
    let verified = log.verify().await;
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!((verified.covered, verified.agreeing), (360, 2));
}

#[tokio::test]
async fn a_rebuild_changes_nothing_that_was_signed() {
    let mut log = Log::of(100).await;
    log.checkpoint().await;
    for projection in projections::all() {
        replay::rebuild(&log.database, projection, |_| {})
            .await
            .unwrap();
    }
    let verified = log.verify().await;
    assert!(
        verified.is_clean() && verified.agreeing == 1,
        "{verified:?}"
    );
}
