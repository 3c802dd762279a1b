//! A private PostgreSQL that ends and cannot be started again.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::Signal;

use super::{directory, domainflow, server_of, signal_process};

/// What the server does not start without.
const NEEDED: &str = "postgres/global/pg_control";

/// Starts a command, takes its database away for good once it has said a line, and expects a failure that tells so.
#[track_caller]
fn fails_without_its_database(
    mut command: Command,
    says: &str,
    data_dir: impl FnOnce() -> PathBuf,
) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(
        lines.any(|line| line.expect("text").contains(says)),
        "it never said: {says}"
    );
    let data_dir = data_dir();
    fs::remove_file(data_dir.join(NEEDED)).expect("a cluster");
    signal_process(
        server_of(&data_dir).expect("a private server"),
        Signal::KILL,
    );
    let mut message = String::new();
    let mut errors = child.stderr.take().expect("a pipe");
    errors.read_to_string(&mut message).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(1), "{message}");
    assert!(
        message.contains("error: the private PostgreSQL ended"),
        "{message}"
    );
}

#[test]
fn workers_that_lose_their_database_end_with_a_failure() {
    let directory = directory();
    let mut work = domainflow(directory.path());
    work.arg("work");
    fails_without_its_database(work, "orders at once", || directory.path().to_owned());
}

#[test]
fn a_server_that_loses_its_database_ends_with_a_failure() {
    let directory = directory();
    let mut serve = domainflow(directory.path());
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    fails_without_its_database(serve, "listens on", || directory.path().to_owned());
}

#[test]
fn a_demo_that_loses_its_database_ends_with_a_failure() {
    let directory = directory();
    let mut demo = domainflow(directory.path());
    demo.args(["demo", "--names", "50", "--listen", "127.0.0.1:0"])
        .env("TMPDIR", directory.path());
    fails_without_its_database(demo, "serving on", || directory_of_demo(directory.path()));
}

/// Where a demo keeps what is its own, below the directory of temporary files.
fn directory_of_demo(temporary: &Path) -> PathBuf {
    fs::read_dir(temporary)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.join("postgres").exists())
        .expect("the demo's directory")
}
