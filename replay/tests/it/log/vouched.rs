//! What vouches for a log, and what is told where nothing does.

use event_store::{Overdue, Position};
use replay::{Change, LogFinding};
use transparency::{PublicKey, SigningKey};

use super::{AT, Log, place};

/// A leaf that was damaged on purpose is no place behind which a log can be changed unseen.
#[tokio::test]
async fn a_change_behind_a_damaged_leaf_that_a_checkpoint_vouches_for_is_named_as_well() {
    let mut log = Log::of(100).await;
    log.checkpoint().await;
    log.append(100..200).await;
    log.database.tree().catch_up().await.unwrap();
    log.tamper(
        "UPDATE log_tree_tiles SET hashes = set_byte(hashes, 10, get_byte(hashes, 10) # 255) WHERE level = 0 AND index = 1",
    )
    .await;
    log.tamper(&format!("UPDATE events SET payload = '{{}}' WHERE {AT}"))
        .await;
    let change = Change::Altered {
        event: place(103, 2),
    };
    let expected = [
        LogFinding::Changed {
            position: 311,
            change,
        },
        LogFinding::TreeChanged { position: 257 },
    ];
    assert_eq!(log.verify().await.findings, expected);
}

#[tokio::test]
async fn a_tree_that_stands_still_is_told_after_a_minute() {
    let log = Log::of(20).await;
    log.append(20..22).await;
    assert!(log.verify().await.is_clean(), "it may take a moment");
    log.tamper("UPDATE event_log SET committed_at = committed_at - interval '2 minutes'")
        .await;
    let verified = log.verify().await;
    let [LogFinding::Overdue(Overdue { position, .. })] = &verified.findings[..] else {
        panic!("{:?}", verified.findings);
    };
    assert_eq!(*position, Position::new(61));
    log.database.tree().catch_up().await.unwrap();
    assert!(log.verify().await.is_clean());
}

#[tokio::test]
async fn checkpoints_and_keys_that_were_named_have_to_vouch_for_the_log() {
    let mut log = Log::of(20).await;
    log.witnesses.are_named = true;
    assert_eq!(log.verify().await.findings, [LogFinding::Unvouched]);
    log.checkpoint().await;
    assert!(log.verify().await.is_clean());
    let other = SigningKey::from_seed("log.test", &[8; 32]).unwrap();
    let keys: Vec<PublicKey> = vec![other.public().clone()];
    log.witnesses.keys = keys;
    let findings = log.verify().await.findings;
    let [LogFinding::CheckpointRefused { .. }, LogFinding::Unvouched] = &findings[..] else {
        panic!("{findings:?}");
    };
}

/// As where two databases share a directory and a key.
#[tokio::test]
async fn a_checkpoint_of_another_log_is_told_as_that() {
    let (mut one, mut other) = (Log::of(20).await, Log::of(30).await);
    one.checkpoint().await;
    other.checkpoint().await;
    one.witnesses
        .checkpoints
        .append(&mut other.witnesses.checkpoints);
    let verified = one.verify().await;
    let [LogFinding::OtherLog { size: 90, file, .. }] = &verified.findings[..] else {
        panic!("{:?}", verified.findings);
    };
    assert_eq!(file, "90.checkpoint");
    assert_eq!(verified.agreeing, 1);
    let told = verified.findings[0].to_string();
    assert!(told.contains("another database"), "{told}");
}
