//! When counters are looked at, and by whom.

use aggregates::{
    Actor, Metadata,
    settings::{ChangeReconciliation, Command, Reconciliation, STREAM, Settings},
};
use private_postgres::testing::TestDatabase;
use tokio_util::task::TaskTracker;

use super::*;
use crate::{app::App, work::Network};

/// How long anything may take to come true.
const LIMIT: Duration = Duration::from_secs(60);

/// An installation whose settings are followed, with somebody who looks by hand.
struct Looking {
    app: App,
    reconciler: Reconciler,
    tracker: TaskTracker,
    cancel: CancellationToken,
    _database: TestDatabase,
}

impl Looking {
    async fn start() -> Self {
        let migrated = TestDatabase::from_template("app", |url| async move {
            let database = Database::connect(&url, event_store::ConnectOptions::default()).await?;
            database.migrate().await?;
            database.close().await;
            Ok::<_, event_store::Error>(())
        });
        let database = migrated.await.unwrap();
        let app = App::open(database.url(), Network::default()).await.unwrap();
        let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
        app.spawn_sequencer(&tracker, &cancel);
        let reconciler = Reconciler::new(app.database.clone(), app.installation.clone());
        Self {
            app,
            reconciler,
            tracker,
            cancel,
            _database: database,
        }
    }

    async fn set(&self, enabled: bool, minutes: u32) {
        let reconciliation = Reconciliation {
            enabled: Some(enabled),
            interval_minutes: Some(minutes),
            ..Reconciliation::default()
        };
        let command = Command::ChangeReconciliation(ChangeReconciliation { reconciliation });
        let who = Metadata::new(Actor::Operator, "test");
        let log = self.app.database.log();
        log.execute::<Settings>(STREAM, command, &who, None)
            .await
            .unwrap();
        let deadline = tokio::time::Instant::now() + LIMIT;
        while self.app.installation.reconciling().interval_minutes != minutes
            || self.app.installation.reconciling().enabled != enabled
        {
            assert!(tokio::time::Instant::now() < deadline, "it is in force");
            tokio::task::yield_now().await;
        }
    }

    async fn last_looked(&self, minutes_ago: i32) {
        let last = "UPDATE reconciliation SET ended_at = now() - make_interval(mins => $1)";
        sqlx::query(last)
            .bind(minutes_ago)
            .execute(self.app.database.pool())
            .await
            .unwrap();
    }

    async fn looks(&self) -> bool {
        self.reconciler.look_if_due().await.unwrap().is_some()
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.app.database.close().await;
    }
}

#[tokio::test]
async fn counters_are_looked_at_by_one_when_that_is_due_and_switched_on_and_not_before() {
    let looking = Looking::start().await;
    looking.set(true, 60).await;
    assert!(!looking.looks().await, "the installation is new");
    looking.last_looked(59).await;
    assert!(!looking.looks().await);
    looking.last_looked(61).await;
    looking.set(false, 60).await;
    assert!(!looking.looks().await, "it is switched off");
    looking.set(true, 62).await;
    assert!(!looking.looks().await, "the interval is longer");
    looking.set(true, 60).await;
    let leads = Schedule::lead(&looking.app.database, Duration::from_secs(3_600));
    let leader = leads.await.unwrap().expect("nobody else leads");
    assert!(!looking.looks().await, "somebody else looks");
    // Its connection tells the server when it is used next, or dropped.
    drop(leader);
    let deadline = tokio::time::Instant::now() + LIMIT;
    while !looking.looks().await {
        assert!(tokio::time::Instant::now() < deadline, "nobody else looks");
    }
    assert!(!looking.looks().await, "it was just done");
    looking.stop().await;
}
