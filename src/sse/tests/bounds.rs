use std::time::Duration;

use aggregates::{
    Actor, Metadata,
    campaign::{Campaign, Command, Create, ImportDomains},
    ids::FileId,
};
use bytes::Bytes;
use event_store::{BulkAppend, ConnectOptions, Database, NewEvent};
use private_postgres::testing::TestDatabase;
use tokio::time::timeout;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{super::*, *};
use crate::{
    app::App,
    sse::{connection::Connection, cursor::Cursor, scope::Scope},
    work::Network,
};

const DOMAINS: usize = 4_000;
/// Long enough for everything that comes without anybody taking anything.
const SILENCE: Duration = Duration::from_millis(500);

pub(super) async fn app() -> (TestDatabase, App) {
    let database = TestDatabase::from_template("streams", |url| async move {
        let database = Database::connect(&url, ConnectOptions::default()).await?;
        database.migrate().await?;
        database.close().await;
        Ok::<_, event_store::Error>(())
    })
    .await
    .unwrap();
    let app = App::open(database.url(), Network::default()).await.unwrap();
    (database, app)
}

/// Writes a campaign with a result for each domain, in one commit.
async fn write(app: &App) {
    let id = campaign(1).to_string();
    let metadata = Metadata::new(Actor::User(OWNER), "test");
    let names: Vec<String> = (0..DOMAINS)
        .map(|n| format!("a-name-of-usual-length-{n}.test"))
        .collect();
    let create = Create::new(OWNER, "large");
    let import = ImportDomains {
        file_id: FileId::default(),
        sha256: String::new(),
        filename: None,
        lines: Vec::new(),
        names: names.clone(),
    };
    let log = app.database.log();
    for command in [Command::Create(create), Command::ImportDomains(import)] {
        log.execute::<Campaign>(&id, command, &metadata, None)
            .await
            .unwrap();
    }
    let mut batch = BulkAppend::new(&metadata);
    for name in names {
        let payload = format!(
            r#"{{"DnsChecked":{{"run_id":"{}","outcome":"ok"}}}}"#,
            Uuid::nil()
        );
        let event = NewEvent {
            event_type: "DnsChecked".to_owned(),
            event_version: "1".to_owned(),
            payload,
        };
        batch
            .raw_stream("domain", &format!("{id}/{name}"), 0, vec![event])
            .unwrap();
    }
    batch.append(&app.database).await.unwrap();
    app.database.sequence().await.unwrap();
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_handed_a_bounded_amount_and_the_rest_when_it_does() {
    let (_database, app) = app().await;
    write(&app).await;
    let (tracker, cancel) = (TaskTracker::new(), CancellationToken::new());
    let streams = Streams::start(&app, &tracker, &cancel);
    let listener = streams.shared().listeners.add(OWNER).unwrap();
    let scope = Scope {
        whose: Whose::Of(OWNER),
        campaign: None,
    };
    let start = Cursor::at(Position::START);
    let mut connection = Connection::new(streams.shared().clone(), listener, scope, start, true);

    let mut held: Vec<Bytes> = Vec::new();
    let refused = loop {
        let mut next = Box::pin(connection.next());
        match timeout(SILENCE, &mut next).await {
            Ok(piece) => held.push(piece.unwrap()),
            Err(_) => break next,
        }
    };
    let bytes: usize = held.iter().map(Bytes::len).sum();
    assert!(
        bytes > 0 && bytes <= PIECE_BYTES + 1_024,
        "{bytes} bytes were handed over"
    );

    // Once that is on the socket it goes on, and nothing is missing.
    let mut text: Vec<u8> = held.iter().flatten().copied().collect();
    held.clear();
    text.extend(refused.await.unwrap());
    while let Ok(piece) = timeout(SILENCE, connection.next()).await {
        let piece = piece.unwrap();
        assert!(piece.len() <= PIECE_BYTES + 1_024, "{}", piece.len());
        text.extend(piece);
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.matches(r#""domain":"#).count(), DOMAINS);
    assert!(text.starts_with("retry: 2000\nevent: keep_alive\n"));
    cancel.cancel();
    tracker.close();
    tracker.wait().await;
}
