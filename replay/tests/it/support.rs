//! A log with a campaign and results in it, and its read models.

use std::{sync::Arc, time::Duration};

use aggregates::{
    Actor, Metadata,
    campaign::{
        Campaign, Command, CompletePhase, ConfigurePhase, Create, ImportDomains, Phase,
        PhaseConfig, Pinned, Source, StartPhase, Tallies,
    },
    domain,
    ids::{CampaignId, FileId, RunId, UserId},
    persona::DnsConfig,
};
use event_store::{Answer, BulkAppend, ConnectOptions, Database, NewEvent, Sequencer};
use private_postgres::testing::TestDatabase;
use projections::runtime::{Projection, Runtime};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// How long a condition may take to come true.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A log with its read models, following it until the end of the test.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) runtime: Runtime,
    tracker: TaskTracker,
    cancel: CancellationToken,
    _test: TestDatabase,
}

/// A database of the test's own whose schema is up to date, and nothing that runs on it.
pub(crate) async fn fresh() -> (Database, TestDatabase) {
    let test = TestDatabase::from_template("replay", |url| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, event_store::Error>(())
    })
    .await
    .unwrap();
    let database = Database::connect(test.url(), ConnectOptions::default())
        .await
        .unwrap();
    (database, test)
}

impl World {
    pub(crate) async fn start() -> Self {
        let (database, test) = fresh().await;
        let runtime = Runtime::new(database.clone(), projections::all());
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        tracker.spawn(Sequencer::new(database.clone()).run(cancel.clone()));
        runtime.spawn(&tracker, &cancel);
        Self::on(database, runtime, (tracker, cancel), test)
    }

    /// Takes a log over whose tasks were started already.
    pub(crate) fn on(
        database: Database,
        runtime: Runtime,
        (tracker, cancel): (TaskTracker, CancellationToken),
        test: TestDatabase,
    ) -> Self {
        Self {
            database,
            runtime,
            tracker,
            cancel,
            _test: test,
        }
    }

    /// Makes a campaign with these names.
    pub(crate) async fn campaign(&self, names: &[String]) -> CampaignId {
        let campaign_id = CampaignId(Uuid::now_v7());
        let create = Create {
            phases: vec![PhaseConfig::Discovery {
                source: Source::Import,
            }],
            ..Create::new(UserId(Uuid::now_v7()), "imported")
        };
        let import = ImportDomains {
            file_id: FileId(Uuid::now_v7()),
            sha256: "0".repeat(64),
            filename: None,
            lines: Vec::new(),
            names: names.to_vec(),
        };
        for command in [Command::Create(create), Command::ImportDomains(import)] {
            self.command(campaign_id, command).await;
        }
        campaign_id
    }

    pub(crate) async fn command(&self, campaign_id: CampaignId, command: Command) {
        let metadata = Metadata::new(Actor::Operator, "test");
        let log = self.database.log();
        log.execute::<Campaign>(&campaign_id.to_string(), command, &metadata, None)
            .await
            .unwrap();
    }

    /// Completes discovery and starts a validation run.
    pub(crate) async fn validation(&self, campaign_id: CampaignId, names: usize) -> RunId {
        let discovery = Pinned::Discovery {
            source: Source::Import,
            pattern_hash: None,
            inputs: Vec::new(),
        };
        let found = Tallies::from([("imported".to_owned(), names as u64)]);
        let run_id = self.start_run(campaign_id, discovery).await;
        self.complete(campaign_id, Phase::Discovery, run_id, found)
            .await;
        let config = PhaseConfig::Validation {
            dns_persona: None,
            record_types: Vec::new(),
        };
        let configure = ConfigurePhase { config };
        self.command(campaign_id, Command::ConfigurePhase(configure))
            .await;
        let validation = Pinned::Validation {
            dns_persona: None,
            dns: DnsConfig::default(),
            record_types: Vec::new(),
            taken: Vec::new(),
        };
        self.start_run(campaign_id, validation).await
    }

    async fn start_run(&self, campaign_id: CampaignId, pinned: Pinned) -> RunId {
        let run_id = RunId(Uuid::now_v7());
        let start = StartPhase {
            run_id,
            pinned,
            auto: false,
        };
        self.command(campaign_id, Command::StartPhase(start)).await;
        run_id
    }

    pub(crate) async fn complete(
        &self,
        campaign_id: CampaignId,
        phase: Phase,
        run_id: RunId,
        tallies: Tallies,
    ) {
        let complete = CompletePhase {
            phase,
            run_id,
            tallies,
        };
        self.command(campaign_id, Command::CompletePhase(complete))
            .await;
    }

    /// Waits until the read models show everything that was committed.
    pub(crate) async fn level(&self) {
        self.sequence().await;
        let head = self.database.feed().head().await.unwrap();
        self.runtime.wait_for(head, DEADLINE).await.unwrap();
    }

    /// Gives positions to everything that was committed; while another session is at it, that one may not see all.
    pub(crate) async fn sequence(&self) {
        while self.database.sequence().await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    /// Ends the read models' tasks: from here on they stand still.
    pub(crate) async fn stop(&self) {
        self.cancel.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// How many rebuilds have tables.
    pub(crate) async fn shadows(&self) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'")
            .fetch_one(self.database.pool())
            .await
            .unwrap()
    }

    pub(crate) async fn execute(&self, statement: &str) {
        sqlx::query(statement)
            .execute(self.database.pool())
            .await
            .unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

pub(crate) fn names(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("name-{number}.test"))
        .collect()
}

pub(crate) fn projection(name: &str) -> Arc<dyn Projection> {
    replay::named(&[name.to_owned()]).unwrap().remove(0)
}

/// Records a DNS result for each name, as a worker would, on streams at `version`.
pub(crate) async fn record_dns(
    database: &Database,
    campaign_id: CampaignId,
    names: &[String],
    version: u64,
) {
    record_dns_of(RunId(Uuid::now_v7()), database, campaign_id, names, version).await;
}

/// The same for a run.
pub(crate) async fn record_dns_of(
    run_id: RunId,
    database: &Database,
    campaign_id: CampaignId,
    names: &[String],
    version: u64,
) {
    let mut append = BulkAppend::new(&Metadata::new(
        Actor::Worker("test".to_owned()),
        run_id.to_string(),
    ));
    for (number, name) in names.iter().enumerate() {
        let payload = match number % 3 {
            0 => {
                serde_json::json!({"run_id": run_id, "outcome": "ok", "addresses": ["127.0.0.1"], "attempts": 1,
                                    "elapsed_ms": 3})
            }
            1 => {
                serde_json::json!({"run_id": run_id, "outcome": "error", "reason": "NXDOMAIN", "attempts": 1,
                                    "elapsed_ms": 2})
            }
            _ => {
                serde_json::json!({"run_id": run_id, "outcome": "timeout", "reason": "TIMEOUT", "attempts": 4,
                                    "elapsed_ms": 900})
            }
        };
        let event = NewEvent {
            event_type: "DnsChecked".to_owned(),
            event_version: "1".to_owned(),
            payload: serde_json::json!({ "DnsChecked": payload }).to_string(),
        };
        let stream = domain::stream_id(campaign_id, name);
        append
            .raw_stream("domain", &stream, version, vec![event])
            .unwrap();
    }
    let answers = append.append(database).await.unwrap();
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Answer::Appended { .. }))
    );
}
