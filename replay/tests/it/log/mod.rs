//! The log against its tree and its checkpoints.

mod signed;
mod tampered;
mod vouched;

use aggregates::{Actor, Metadata};
use event_store::{BulkAppend, Database, NewEvent};
use private_postgres::testing::TestDatabase;
use replay::{CheckpointFile, LogFinding, LogVerified, Place, Witnesses, verify_log};
use sqlx::{Connection as _, Executor as _, PgConnection};
use transparency::{Checkpoint, SigningKey};

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
            are_named: false,
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
            log: tree.first_leaf().await.unwrap(),
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
