//! A small aggregate, a database for each test, and statements by hand for the interleavings.

use aggregates::{Actor, Metadata};
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use event_store::{
    BulkAppend, ConnectOptions, Database, Error, NewEvent, Position, Recorded, check,
};
use private_postgres::testing::TestDatabase;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, Executor as _, PgConnection};

/// A tally that may not go below zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    pub(crate) sum: i64,
}

#[derive(Clone, Debug)]
pub(crate) enum Command {
    Add(i64),
    Take(i64),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    Added { amount: i64, run_id: Option<String> },
    Taken { amount: i64 },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("only {0} left")]
pub(crate) struct TooLittle(pub(crate) i64);

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Added { .. } => "Added".to_owned(),
            Self::Taken { .. } => "Taken".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Tally {
    const TYPE: &'static str = "tally";
    type Command = Command;
    type Event = Event;
    type Error = TooLittle;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TooLittle> {
        match command {
            Command::Add(0) => {}
            Command::Add(amount) => {
                sink.write(
                    Event::Added {
                        amount,
                        run_id: None,
                    },
                    self,
                )
                .await
            }
            Command::Take(amount) if amount > self.sum => return Err(TooLittle(self.sum)),
            Command::Take(amount) => sink.write(Event::Taken { amount }, self).await,
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Added { amount, .. } => self.sum += amount,
            Event::Taken { amount } => self.sum -= amount,
        }
    }
}

pub(crate) fn added(amount: i64, run: &str) -> Event {
    Event::Added {
        amount,
        run_id: Some(run.to_owned()),
    }
}

pub(crate) fn metadata() -> Metadata {
    Metadata::new(Actor::Operator, "test")
}

/// A migrated database of the test's own.
pub(crate) struct Fresh {
    pub(crate) database: Database,
    pub(crate) url: String,
    _guard: TestDatabase,
}

pub(crate) async fn fresh() -> Fresh {
    fresh_with(ConnectOptions::default()).await
}

pub(crate) async fn fresh_with(options: ConnectOptions) -> Fresh {
    let guard = TestDatabase::from_template("log", |url| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let url = guard.url().to_owned();
    Fresh {
        database: Database::connect(&url, options).await.unwrap(),
        url,
        _guard: guard,
    }
}

/// A connection whose transaction a test drives by hand.
pub(crate) async fn by_hand(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

pub(crate) async fn run(connection: &mut PgConnection, statement: &str) {
    connection.execute(statement).await.unwrap();
}

/// Inserts one event as `postgres-es` does: naming its columns and leaving ours to the defaults.
pub(crate) async fn insert(connection: &mut PgConnection, id: &str, sequence: i64) {
    sqlx::query(
        "INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version, payload, metadata)
         VALUES ('tally', $1, $2, 'Added', '1', '{\"Added\":{\"amount\":1,\"run_id\":null}}', '{}')",
    )
    .bind(id)
    .bind(sequence)
    .execute(connection)
    .await
    .unwrap();
}

/// The streams and sequences of everything after a position, in order, asserting that positions are dense.
pub(crate) async fn read_from(database: &Database, position: Position) -> Vec<(String, u64)> {
    let mut order = Vec::new();
    let mut next = position;
    loop {
        let page = database.feed().after(next, 3, None).await.unwrap();
        for Recorded { position, event } in &page.events {
            order.push((event.aggregate_id.clone(), event.sequence));
            assert_eq!(position.get(), next.get() + 1, "positions are dense");
            next = *position;
        }
        if page.events.is_empty() {
            return order;
        }
        assert_eq!(page.next, next);
    }
}

pub(crate) async fn read_all(database: &Database) -> Vec<(String, u64)> {
    read_from(database, Position::START).await
}

pub(crate) async fn assert_clean(database: &Database) {
    database.sequence().await.unwrap();
    let report = check(database).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.waiting, 0);
}

/// One stream with one event, for the bulk lane.
pub(crate) fn bulk_of(streams: &[(&str, u64, usize)]) -> BulkAppend {
    let mut batch = BulkAppend::new(&metadata());
    for (id, expected, events) in streams {
        batch
            .stream::<Tally>(id, *expected, &vec![added(1, "run"); *events])
            .unwrap();
    }
    batch
}

pub(crate) fn raw(event_type: &str, payload: &str) -> NewEvent {
    NewEvent {
        event_type: event_type.to_owned(),
        event_version: "1".to_owned(),
        payload: payload.to_owned(),
    }
}

pub(crate) fn places(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(id, sequence)| ((*id).to_owned(), *sequence))
        .collect()
}
