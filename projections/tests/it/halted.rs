//! What is told of a projection that cannot go on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use event_store::Recorded;
use futures::{FutureExt as _, future::BoxFuture};
use projections::runtime::{ApplyError, Projection, Runtime};
use serde_json::json;
use sqlx::PgConnection;
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::set_default,
};

use crate::support::World;

/// A read model that takes in nothing, and shows what it was offered.
struct Failing {
    offered: watch::Sender<Vec<usize>>,
}

impl Projection for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn tables(&self) -> &'static [&'static str] {
        &[]
    }

    fn reads(&self) -> &'static [&'static str] {
        &["persona"]
    }

    fn apply<'a>(
        &'a self,
        _connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        self.offered
            .send_modify(|offered| offered.push(events.len()));
        async { Err(ApplyError::Rows) }.boxed()
    }
}

/// Counts the errors that are told on a thread.
#[derive(Clone, Default)]
struct Errors(Arc<AtomicUsize>);

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::ERROR
    }

    fn event(&self, _event: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[tokio::test]
async fn a_projection_that_stands_still_is_told_once_whatever_arrives_meanwhile() {
    let errors = Errors::default();
    let _told = set_default(errors.clone());
    let world = World::start().await;
    let (offered, mut seen) = watch::channel(Vec::new());
    let runtime = Runtime::new(world.database.clone(), vec![Arc::new(Failing { offered })]);
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    let arrives = |version| {
        (
            "persona",
            "one".to_owned(),
            version,
            json!({"Happened": {}}),
        )
    };
    world.append(vec![arrives(0)]).await;
    runtime.spawn(&tracker, &cancel);
    seen.wait_for(|offered| offered.contains(&1)).await.unwrap();
    world.append(vec![arrives(1)]).await;
    // When a third try begins, what the second one came to was told.
    let both = |offered: &Vec<usize>| offered.iter().filter(|events| **events == 2).count() == 2;
    seen.wait_for(both).await.unwrap();
    assert_eq!(errors.0.load(Ordering::Relaxed), 1);
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
}

#[tokio::test]
async fn a_projection_that_cannot_read_an_event_stands_still_and_names_it() {
    let errors = Errors::default();
    let _told = set_default(errors.clone());
    let world = World::start().await;
    let happened = ("persona", "one".to_owned(), 0, json!({"Happened": {}}));
    world.append(vec![happened]).await;
    world
        .execute(
            "BEGIN; SET LOCAL session_replication_role = replica;
             UPDATE events SET recorded_at = 'infinity'; COMMIT",
        )
        .await;
    let (offered, _seen) = watch::channel(Vec::new());
    let runtime = Runtime::new(world.database.clone(), vec![Arc::new(Failing { offered })]);
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    runtime.spawn(&tracker, &cancel);
    let deadline = Instant::now() + Duration::from_secs(60);
    let reason = loop {
        assert!(Instant::now() < deadline, "it goes on trying");
        let halted: Option<Option<String>> =
            sqlx::query_scalar("SELECT halted FROM projection_checkpoints WHERE name = 'failing'")
                .fetch_optional(world.database.pool())
                .await
                .unwrap();
        if let Some(reason) = halted.flatten() {
            break reason;
        }
        tokio::task::yield_now().await;
    };
    assert!(reason.contains("event 1 of persona one"), "{reason}");
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
    assert_eq!(errors.0.load(Ordering::Relaxed), 1, "it is told once");
}
