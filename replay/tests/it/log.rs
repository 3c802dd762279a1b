//! Tampering with the log: each kind is found and named at the first event that it touches.

use aggregates::{Actor, Metadata};
use event_store::{BulkAppend, Database, NewEvent};
use private_postgres::testing::TestDatabase;
use replay::{Change, CheckpointFile, LogFinding, LogVerified, Place, Witnesses, verify_log};
use sqlx::{Connection as _, Executor as _, PgConnection};
use transparency::{Checkpoint, CheckpointError, NoteError, SigningKey};

use crate::support::fresh;

/// A log of commits of three events, each of a stream of its own: event `n` of `s<commit>` is at `3 * commit + n`.
struct Log {
    database: Database,
    key: SigningKey,
    witnesses: Witnesses,
    test: TestDatabase,
}

impl Log {
    /// Makes a log of so many commits that the tree covers.
    async fn of(commits: usize) -> Self {
        let (database, test) = fresh().await;
        let key = SigningKey::from_seed("log.test", &[7; 32]).unwrap();
        let witnesses = Witnesses {
            checkpoints: Vec::new(),
            keys: vec![key.public().clone()],
        };
        let log = Self {
            database,
            key,
            witnesses,
            test,
        };
        log.append(0..commits).await;
        log.database.tree().catch_up().await.unwrap();
        log
    }

    async fn append(&self, commits: std::ops::Range<usize>) {
        for commit in commits {
            let mut append = BulkAppend::new(&Metadata::new(Actor::Operator, "test"));
            let event = |number: usize| NewEvent {
                event_type: "Added".to_owned(),
                event_version: "1".to_owned(),
                payload: format!(r#"{{"Added":{{"amount":{number}}}}}"#),
            };
            let events = (1..=3).map(event).collect();
            append
                .raw_stream("tally", &format!("s{commit}"), 0, events)
                .unwrap();
            append.append(&self.database).await.unwrap();
            while self.database.sequence().await.unwrap().is_none() {}
        }
    }

    /// Signs what the tree is now.
    async fn checkpoint(&mut self) {
        let tree = self.database.tree();
        let size = tree.size().await.unwrap();
        let checkpoint = Checkpoint {
            origin: self.key.public().name().to_owned(),
            size,
            root: tree.root(size).await.unwrap(),
            time: chrono::DateTime::UNIX_EPOCH,
        };
        self.witnesses.checkpoints.push(CheckpointFile {
            name: format!("{size}.checkpoint"),
            text: checkpoint.sign(&self.key).unwrap().to_string(),
        });
    }

    /// Does what somebody does who owns the server: past every guard.
    async fn tamper(&self, statement: &str) {
        let mut connection = PgConnection::connect(self.test.url()).await.unwrap();
        connection
            .execute("SET session_replication_role = replica")
            .await
            .unwrap();
        connection.execute(statement).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn verify(&self) -> LogVerified {
        let mut told = Vec::new();
        let verified = verify_log(&self.database, &self.witnesses, |read, of| {
            told.push((read, of));
        });
        let verified = verified.await.unwrap();
        assert!(told.is_sorted(), "{told:?}");
        verified
    }

    /// Tampers and returns what is said first.
    async fn tampered(&self, statement: &str) -> LogFinding {
        assert!(self.verify().await.is_clean());
        self.tamper(statement).await;
        let findings = self.verify().await.findings;
        let first = findings.first().cloned();
        first.unwrap_or_else(|| panic!("nothing is found of {statement}"))
    }

    /// What an owner does who computes the tree again after tampering.
    async fn rebuild_tree(&self) {
        self.tamper("DELETE FROM log_tree_tiles").await;
        self.tamper("UPDATE log_tree SET size = 0").await;
        self.database.tree().catch_up().await.unwrap();
    }
}

fn place(commit: usize, sequence: u64) -> Place {
    Place {
        aggregate_type: "tally".to_owned(),
        aggregate_id: format!("s{commit}"),
        sequence,
    }
}

/// The 311th event, in the second tile of the tree.
const AT: &str = "aggregate_id = 's103' AND sequence = 2";

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

#[tokio::test]
async fn an_altered_event_is_named_whichever_field_of_it_was_altered() {
    for change in [
        r#"payload = '{"Added":{"amount":3}}'"#,
        r#"payload = '{"Added": {"amount":2}}'"#,
        r#"metadata = '{"actor":"somebody else"}'"#,
        "event_type = 'Taken'",
        "event_version = '2'",
        "recorded_at = recorded_at + interval '1 microsecond'",
    ] {
        let log = Log::of(200).await;
        let found = log
            .tampered(&format!("UPDATE events SET {change} WHERE {AT}"))
            .await;
        let change = Change::Altered {
            event: place(103, 2),
        };
        let position = 311;
        assert_eq!(found, LogFinding::Changed { position, change }, "{found}");
    }
}

#[tokio::test]
async fn an_event_that_was_given_to_another_stream_is_named() {
    let log = Log::of(200).await;
    let statement = format!("UPDATE events SET aggregate_id = 'other', sequence = 1 WHERE {AT}");
    let found = log.tampered(&statement).await;
    let event = Place {
        aggregate_id: "other".to_owned(),
        ..place(103, 1)
    };
    let change = Change::Altered { event };
    let position = 311;
    assert_eq!(found, LogFinding::Changed { position, change });
}

#[tokio::test]
async fn a_removed_event_is_named_also_where_the_log_was_made_to_fit() {
    let count = "UPDATE event_log SET events = 2 WHERE base = 310";
    let renumber = "UPDATE event_log SET base = base + 100000 WHERE base > 310; \
                    UPDATE event_log SET base = base - 100001 WHERE base > 100000";
    for more in [
        String::new(),
        count.to_owned(),
        format!("{count}; {renumber}"),
    ] {
        let log = Log::of(200).await;
        let found = log
            .tampered(&format!("DELETE FROM events WHERE {AT}; {more}"))
            .await;
        let change = Change::Missing {
            events: 1,
            lost: Some(place(103, 2)),
            next: Some(place(103, 3)),
        };
        let position = 311;
        assert_eq!(found, LogFinding::Changed { position, change }, "{more}");
    }
}

#[tokio::test]
async fn removed_commits_are_named() {
    let log = Log::of(200).await;
    let statement = "DELETE FROM events WHERE aggregate_id IN ('s103', 's104'); \
                     DELETE FROM event_log WHERE base IN (310, 313)";
    let found = log.tampered(statement).await;
    let change = Change::Missing {
        events: 6,
        lost: None,
        next: Some(place(105, 1)),
    };
    let position = 310;
    assert_eq!(found, LogFinding::Changed { position, change });
}

#[tokio::test]
async fn an_inserted_event_is_named_in_a_commit_and_as_one_of_its_own() {
    let into = "INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)";
    let statement = format!(
        "{into} SELECT batch, 'tally', 's103', 4, 'Added', '1', '{{}}', '{{}}' FROM event_log WHERE base = 310"
    );
    let own = "UPDATE event_log SET base = base + 100000 WHERE base > 310; \
               UPDATE event_log SET base = base - 99999 WHERE base > 100000; \
               INSERT INTO event_log (base, events, batch, aggregate_types) VALUES (313, 1, 999999, '{tally}')";
    let own =
        format!("{into} VALUES (999999, 'tally', 's103', 4, 'Added', '1', '{{}}', '{{}}'); {own}");
    for statement in [statement, own] {
        let log = Log::of(200).await;
        let found = log.tampered(&statement).await;
        let change = Change::Inserted {
            event: place(103, 4),
        };
        let position = 313;
        assert_eq!(
            found,
            LogFinding::Changed { position, change },
            "{statement}"
        );
    }
}

/// Whoever reads a stream would see it, and no reader of the log.
#[tokio::test]
async fn an_event_that_was_put_into_a_stream_past_the_log_is_found() {
    let log = Log::of(20).await;
    let statement = "INSERT INTO events (batch, aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata) \
                     VALUES (999999, 'tally', 's7', 4, 'Added', '1', '{}', '{}')";
    let found = log.tampered(statement).await;
    assert!(
        matches!(
            found,
            LogFinding::Log(event_store::Finding::Unnoted {
                batch: 999_999,
                events: 1
            })
        ),
        "{found}"
    );
}

#[tokio::test]
async fn events_in_another_order_are_named() {
    let log = Log::of(200).await;
    let batches: Vec<(i64,)> =
        sqlx::query_as("SELECT batch FROM event_log WHERE base IN (310, 313) ORDER BY base")
            .fetch_all(log.database.pool())
            .await
            .unwrap();
    let (one, two) = (batches[0].0, batches[1].0);
    let statement = format!(
        "UPDATE event_log SET batch = 0 WHERE base = 310; UPDATE event_log SET batch = {one} WHERE base = 313; \
         UPDATE event_log SET batch = {two} WHERE base = 310"
    );
    let found = log.tampered(&statement).await;
    let change = Change::Moved {
        event: place(104, 1),
        recorded_at: 313,
    };
    let position = 310;
    assert_eq!(found, LogFinding::Changed { position, change });
}

#[tokio::test]
async fn wrong_positions_of_right_events_are_named() {
    let log = Log::of(20).await;
    let found = log
        .tampered("UPDATE event_log SET base = base + 5 WHERE base = 58")
        .await;
    let expected = LogFinding::Renumbered {
        expected: 58,
        found: 63,
    };
    assert_eq!(found, expected);
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
async fn a_tree_that_was_changed_beside_a_log_that_was_not_is_told_apart() {
    let mut log = Log::of(200).await;
    log.checkpoint().await;
    let damage = "UPDATE log_tree_tiles SET hashes = overlay(hashes PLACING '\\x00' FROM 11) WHERE level = 0 AND index = 1";
    let found = log.tampered(damage).await;
    assert_eq!(found, LogFinding::TreeChanged { position: 257 });

    let log = Log::of(200).await;
    let damage = "UPDATE log_tree_tiles SET hashes = overlay(hashes PLACING '\\x00' FROM 11) WHERE level = 1";
    let found = log.tampered(damage).await;
    assert!(
        matches!(found, LogFinding::NodesDiffer { tile } if tile.level == 1),
        "{found}"
    );

    let log = Log::of(200).await;
    let found = log
        .tampered("DELETE FROM log_tree_tiles WHERE level = 0 AND index = 2")
        .await;
    assert!(
        matches!(found, LogFinding::Changed { position: 513, .. }),
        "{found}"
    );
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
