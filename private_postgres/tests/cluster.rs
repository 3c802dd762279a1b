//! Clusters that are started, stopped, killed and taken over.
//!
//! The program that owns a cluster and is killed is this test binary itself, run again with a variable that tells the
//! one test named [`OWNER`] to start a cluster and wait.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use private_postgres::{Cluster, Error, Options, Programs, testing::TestDatabase};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;

const OWNER: &str = "a_program_that_owns_a_cluster";
const DATA_DIR: &str = "PRIVATE_POSTGRES_TEST_DATA_DIR";
const KIND: &str = "PRIVATE_POSTGRES_TEST_KIND";

fn options(data_dir: &Path) -> Options {
    Options {
        durable: false,
        ..Options::new(data_dir)
    }
}

async fn answers(url: &str) -> i32 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.fetch_one("SELECT 42").await.unwrap().get(0)
}

fn is_alive(pid: i32) -> bool {
    // A zombie that the container's init does not reap is as good as gone.
    let zombie =
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok() && !zombie
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::yield_now();
    }
}

/// Runs the owner in a process of its own and returns it with its server's process id.
fn owner(kind: &str, data_dir: &Path, path: &str) -> (Child, i32) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([OWNER, "--exact", "--nocapture"])
        .env(DATA_DIR, data_dir)
        .env(KIND, kind)
        .env("PATH", path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pid = lines
        .map(Result::unwrap)
        .find_map(|line| line.split_once("server ")?.1.parse().ok())
        .unwrap();
    (child, pid)
}

/// What the other process runs: it owns a cluster until its input ends or it is killed. Among the tests it does nothing,
/// for nobody names a directory.
#[tokio::test]
async fn a_program_that_owns_a_cluster() {
    let Some(data_dir) = std::env::var_os(DATA_DIR) else {
        return;
    };
    let kind = std::env::var(KIND).unwrap();
    if kind == "test" {
        let database = TestDatabase::empty().await.unwrap();
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        let row = connection.fetch_one("SHOW data_directory").await.unwrap();
        let file =
            fs::read_to_string(PathBuf::from(row.get::<String, _>(0)).join("postmaster.pid"))
                .unwrap();
        fs::write(data_dir, row.get::<String, _>(0)).unwrap();
        println!("server {}", file.lines().next().unwrap());
        panic!("a test that fails");
    }
    let cluster = Cluster::start(options(Path::new(&data_dir))).await.unwrap();
    let mut connection = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    connection
        .execute("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)")
        .await
        .unwrap();
    println!("server {}", cluster.pid());
    std::io::stdin().lines().next();
}

#[tokio::test]
async fn a_cluster_is_made_started_stopped_and_keeps_its_data() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("with spaces, and a comma");
    let cluster = Cluster::start(options(&data_dir)).await.unwrap();
    let pid = cluster.pid();
    cluster.create_database("domain flow").await.unwrap();
    cluster.create_database("domain flow").await.unwrap();
    let url = cluster.url("domain flow");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    connection
        .execute("CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    connection.close().await.unwrap();
    cluster.stop().await.unwrap();
    assert!(!is_alive(pid));
    assert!(PgConnection::connect(&url).await.is_err());

    let cluster = Cluster::start(options(&data_dir)).await.unwrap();
    let mut connection = PgConnection::connect(&cluster.url("domain flow"))
        .await
        .unwrap();
    assert_eq!(
        connection
            .fetch_one("SELECT n FROM kept")
            .await
            .unwrap()
            .get::<i32, _>(0),
        7
    );
    let settings = connection
        .fetch_one("SELECT current_setting('listen_addresses'), current_setting('fsync'), current_user::text")
        .await
        .unwrap();
    assert_eq!(settings.get::<&str, _>(0), "");
    assert_eq!(settings.get::<&str, _>(1), "off");
    assert_eq!(settings.get::<&str, _>(2), "domainflow");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_durable_cluster_syncs_every_commit() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(Options::new(directory.path()))
        .await
        .unwrap();
    let mut connection = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    for setting in ["fsync", "synchronous_commit", "full_page_writes"] {
        let row = connection
            .fetch_one(format!("SHOW {setting}").as_str())
            .await
            .unwrap();
        assert_eq!(row.get::<&str, _>(0), "on", "{setting}");
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_path_gets_a_short_private_directory_for_its_socket() {
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("long".repeat(30));
    let cluster = Cluster::start(options(&data_dir)).await.unwrap();
    assert_eq!(answers(&cluster.url("postgres")).await, 42);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_owner_is_refused_while_the_first_lives_and_welcome_after() {
    let directory = TempDir::new().unwrap();
    let first = Cluster::start(options(directory.path())).await.unwrap();
    let refused = Cluster::start(options(directory.path())).await.unwrap_err();
    assert!(
        matches!(&refused, Error::InUse { owner, .. } if *owner == std::process::id().to_string()),
        "{refused}"
    );
    assert_eq!(answers(&first.url("postgres")).await, 42);
    first.stop().await.unwrap();
    Cluster::start(options(directory.path()))
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_dropped_cluster_leaves_no_server() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    let pid = cluster.pid();
    drop(cluster);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn the_end_of_the_server_is_noticed() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    kill_process(Pid::from_raw(cluster.pid()).unwrap(), Signal::QUIT).unwrap();
    tokio::time::timeout(Duration::from_secs(30), cluster.ended())
        .await
        .unwrap();
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_whose_program_was_killed_is_taken_over() {
    let directory = TempDir::new().unwrap();
    let (mut program, pid) = owner("cluster", directory.path(), &std::env::var("PATH").unwrap());
    program.kill().unwrap();
    program.wait().unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    assert!(!is_alive(pid), "the server of the killed program has ended");
    let mut connection = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    assert_eq!(
        connection
            .fetch_one("SELECT count(*) FROM kept")
            .await
            .unwrap()
            .get::<i64, _>(0),
        1
    );
    cluster.stop().await.unwrap();
}

/// Without the kernel's signal to the server, as where `setpriv` is missing: the server is found alive.
#[tokio::test]
async fn a_server_that_outlived_its_program_is_stopped_before_the_next_starts() {
    let directory = TempDir::new().unwrap();
    let without = TempDir::new().unwrap();
    let setpriv = without.path().join("setpriv");
    fs::write(&setpriv, "#!/bin/sh\nexit 1\n").unwrap();
    fs::set_permissions(&setpriv, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        without.path().display(),
        std::env::var("PATH").unwrap()
    );
    let (mut program, pid) = owner("cluster", directory.path(), &path);
    program.kill().unwrap();
    program.wait().unwrap();
    assert!(is_alive(pid), "nothing told the server to end");
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    assert!(!is_alive(pid));
    let mut connection = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    assert_eq!(
        connection
            .fetch_one("SELECT count(*) FROM kept")
            .await
            .unwrap()
            .get::<i64, _>(0),
        1
    );
    cluster.stop().await.unwrap();
}

/// A process that has nothing to do with PostgreSQL; it ends with the test, whichever way that ends.
struct Innocent(Child);

impl Innocent {
    fn start() -> Self {
        Self(Command::new("sleep").arg("600").spawn().unwrap())
    }
}

impl Drop for Innocent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process id is used again: the file names a process that is alive and no server of this cluster.
#[tokio::test]
async fn a_stale_process_file_that_names_another_process_is_removed() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    let file = cluster.directory().join("postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    cluster.stop().await.unwrap();
    let mut innocent = Innocent::start();
    let rest = text.split_once('\n').unwrap().1;
    fs::write(&file, format!("{}\n{rest}", innocent.0.id())).unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    assert!(
        innocent.0.try_wait().unwrap().is_none(),
        "the other process was left alone"
    );
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_another_version_is_refused_with_both_versions() {
    let directory = TempDir::new().unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    let version = cluster.directory().join("PG_VERSION");
    cluster.stop().await.unwrap();
    fs::write(&version, "9\n").unwrap();
    let refused = Cluster::start(options(directory.path())).await.unwrap_err();
    let own = Programs::find().unwrap().major();
    assert!(
        matches!(&refused, Error::VersionDiffers { found, version, .. } if found == "9" && *version == own)
    );
}

#[tokio::test]
async fn a_cluster_that_was_half_made_is_made_again() {
    let directory = TempDir::new().unwrap();
    let unfinished = directory.path().join("postgres.unfinished");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("PG_VERSION"), "15").unwrap();
    let cluster = Cluster::start(options(directory.path())).await.unwrap();
    assert_eq!(answers(&cluster.url("postgres")).await, 42);
    cluster.stop().await.unwrap();
}

/// Root's home is closed to the account that the server runs as.
#[tokio::test]
async fn a_data_directory_that_the_account_cannot_reach_links_to_one_that_it_can() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let directory = TempDir::new().unwrap();
    let data_dir = directory.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = Cluster::start(options(&data_dir)).await.unwrap();
    let elsewhere = cluster.directory().to_owned();
    assert!(!elsewhere.starts_with(directory.path()));
    assert_eq!(fs::read_link(data_dir.join("postgres")).unwrap(), elsewhere);
    cluster.stop().await.unwrap();
    let cluster = Cluster::start(options(&data_dir)).await.unwrap();
    assert_eq!(cluster.directory(), elsewhere);
    assert_eq!(answers(&cluster.url("postgres")).await, 42);
    cluster.stop().await.unwrap();
    fs::remove_dir_all(elsewhere.parent().unwrap()).unwrap();
}

#[test]
fn a_test_process_that_fails_leaves_neither_server_nor_files() {
    let directory = TempDir::new().unwrap();
    let told = directory.path().join("cluster");
    let (mut program, pid) = owner("test", &told, &std::env::var("PATH").unwrap());
    assert!(!program.wait().unwrap().success());
    wait_until("the server of the test process has ended", || {
        !is_alive(pid)
    });
    let cluster = PathBuf::from(fs::read_to_string(told).unwrap());
    wait_until("its files are gone", || !cluster.exists());
}

#[tokio::test]
async fn databases_of_one_template_are_alike_and_apart() {
    let prepare = |url: String| async move {
        let mut connection = PgConnection::connect(&url).await?;
        connection.execute("CREATE TABLE prepared (n int)").await?;
        connection.close().await
    };
    let (one, other) = tokio::join!(
        TestDatabase::from_template("alike", prepare),
        TestDatabase::from_template("alike", prepare),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    let mut connection = PgConnection::connect(one.url()).await.unwrap();
    connection
        .execute("INSERT INTO prepared VALUES (1)")
        .await
        .unwrap();
    let mut connection = PgConnection::connect(other.url()).await.unwrap();
    assert_eq!(
        connection
            .fetch_one("SELECT count(*) FROM prepared")
            .await
            .unwrap()
            .get::<i64, _>(0),
        0
    );
}
