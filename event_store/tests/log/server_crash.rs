//! The server is killed between append and sequencing.

use event_store::{Answer, ConnectOptions, Database, Position, check};
use private_postgres::{Cluster, Options};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Command, Tally, bulk_of, metadata, places, read_all};

#[tokio::test]
async fn what_was_committed_and_not_sequenced_survives_the_death_of_the_server() {
    let directory = tempfile::TempDir::new().unwrap();
    let cluster = Cluster::start(Options::new(directory.path()))
        .await
        .unwrap();
    let database = Database::connect(&cluster.url("postgres"), ConnectOptions::default())
        .await
        .unwrap();
    database.migrate().await.unwrap();
    bulk_of(&[("sequenced", 0, 2)])
        .append(&database)
        .await
        .unwrap();
    database.sequence().await.unwrap();
    bulk_of(&[("bulk", 0, 2)]).append(&database).await.unwrap();
    database
        .log()
        .execute::<Tally>("command", Command::Add(1), &metadata(), None)
        .await
        .unwrap();
    let mut open = database.begin().await.unwrap();
    open.append(&bulk_of(&[("open", 0, 1)])).await.unwrap();
    let (backend,): (i32,) = sqlx::query_as("SELECT pg_backend_pid()")
        .fetch_one(open.connection())
        .await
        .unwrap();

    // The session that has not committed too: a server's sessions may finish a statement after the server's death.
    for pid in [cluster.pid(), backend] {
        kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
    cluster.ended().await;
    assert!(open.commit().await.is_err());
    drop(cluster);
    database.close().await;

    let cluster = Cluster::start(Options::new(directory.path()))
        .await
        .unwrap();
    let database = Database::connect(&cluster.url("postgres"), ConnectOptions::default())
        .await
        .unwrap();
    assert_eq!(
        database.feed().head().await.unwrap(),
        Position::new(2),
        "no position before the crash has changed"
    );
    assert_eq!(database.sequence().await.unwrap(), Some(2));
    assert_eq!(
        read_all(&database).await,
        places(&[
            ("sequenced", 1),
            ("sequenced", 2),
            ("bulk", 1),
            ("bulk", 2),
            ("command", 1)
        ])
    );
    let answers = bulk_of(&[("open", 0, 1)]).append(&database).await.unwrap();
    assert_eq!(
        answers,
        [Answer::Appended { version: 1 }],
        "what was never committed can be done again"
    );
    database.sequence().await.unwrap();
    let report = check(&database).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    database.close().await;
    cluster.stop().await.unwrap();
}
