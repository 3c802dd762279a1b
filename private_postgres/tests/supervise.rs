//! A server that is killed under the program that owns it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{path::Path, time::Duration};

use private_postgres::{Cluster, Error, Options};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(60);

fn options(data_dir: &Path) -> Options {
    Options {
        durable: false,
        ..Options::new(data_dir)
    }
}

fn kill(cluster: &Cluster) -> i32 {
    let pid = cluster.pid();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    pid
}

/// Waits until a server other than `killed` answers.
async fn answers_again(cluster: &Cluster, killed: i32) -> PgConnection {
    let asked = async {
        loop {
            tokio::task::yield_now().await;
            if cluster.pid() == killed {
                continue;
            }
            if let Ok(connection) = PgConnection::connect(&cluster.url("postgres")).await {
                return connection;
            }
        }
    };
    tokio::time::timeout(DEADLINE, asked).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_runs_again_at_the_same_address_with_what_was_committed() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(Options::new(directory.path()))
        .await
        .unwrap();
    let mut connection = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    connection
        .execute("CREATE TABLE kept AS SELECT 42 AS answer")
        .await
        .unwrap();
    // Busy while its postmaster is killed: it holds the shared memory for as long as the statement takes.
    let busy = tokio::spawn(async move { connection.execute("SELECT pg_sleep(1)").await });
    let watched = async {
        let killed = kill(&cluster);
        let mut connection = answers_again(&cluster, killed).await;
        let row = connection.fetch_one("SELECT answer FROM kept").await;
        row.unwrap().get::<i32, _>(0)
    };
    tokio::select! {
        error = cluster.keep_running() => panic!("given up: {error}"),
        answer = watched => assert_eq!(answer, 42),
    }
    let _ = busy.await.unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_again_and_again_is_given_up() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    let killing = async {
        loop {
            let killed = kill(&cluster);
            answers_again(&cluster, killed).await;
        }
    };
    let given_up = tokio::time::timeout(DEADLINE, async {
        tokio::select! {
            error = cluster.keep_running() => error,
            () = killing => unreachable!("it kills for ever"),
        }
    });
    let error = given_up.await.unwrap();
    assert!(
        matches!(error, Error::KeepsEnding { times: 6, .. }),
        "{error}"
    );
    cluster.stop().await.unwrap();
}
