//! `run`: one campaign from the command line, also again and after a kill.

use std::{fs, net::UdpSocket, path::Path, process::Stdio};

use rustix::process::Signal;

use super::{directory, domainflow, is_alive, server_of, shops::Shops, signal, text};
use crate::support::eventually;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_over_a_list_finds_what_is_there_and_the_same_run_answers_again() {
    let directory = directory();
    let shops = Shops::start(directory.path(), 300).await;
    let first = shops
        .run(directory.path(), "leads.csv")
        .output()
        .expect("it runs");
    shops.is_found_by(&first);
    let told = text(&first.stderr);
    assert!(
        told.contains("names that are there already are left out: 1"),
        "{told}"
    );
    assert!(told.contains("validation: completed in"), "{told}");
    let leads = fs::read_to_string(directory.path().join("leads.csv")).expect("the result");
    assert!(leads.starts_with("domain,"), "{leads}");
    assert!(leads.lines().count() > 1, "a heading and leads: {leads}");
    assert!(
        leads
            .lines()
            .skip(1)
            .all(|line| line.ends_with(",match,qualified")),
        "{leads}"
    );
    assert!(
        server_of(&directory.path().join("data")).is_none(),
        "the private server ended with the run"
    );

    let unanswered = told.lines().find(|line| line.contains("could not be"));
    let unanswered = unanswered.unwrap_or_else(|| panic!("some lookups fail: {told}"));
    assert!(unanswered.contains(" of 300 names "), "{unanswered}");
    history_is_shown(&directory.path().join("data"), &told);

    let asked = shops.sandbox.http_total();
    let again = shops
        .run(directory.path(), "leads.ndjson")
        .output()
        .expect("it runs");
    shops.is_found_by(&again);
    let told = text(&again.stderr);
    assert!(told.contains("nothing is looked up anew"), "{told}");
    assert!(!told.contains("completed in"), "{told}");
    assert_eq!(
        shops.sandbox.http_total(),
        asked,
        "a campaign that is complete is not done again"
    );
    let lines = fs::read_to_string(directory.path().join("leads.ndjson")).expect("the result");
    assert_eq!(
        lines.lines().count(),
        leads.lines().count() - 1,
        "the same leads in the other form"
    );
    assert!(
        lines
            .lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "{lines}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_goes_on_where_it_ended() {
    let directory = directory();
    let shops = Shops::start(directory.path(), 600).await;
    let mut killed = shops
        .run(directory.path(), "leads.csv")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    eventually("pages are fetched", || async {
        (shops.sandbox.http_total() > 20).then_some(())
    })
    .await;
    let server = server_of(&directory.path().join("data")).expect("a private server");
    signal(&killed, Signal::KILL);
    killed.wait().expect("it ends");
    assert!(
        !directory.path().join("leads.csv").exists(),
        "no result before its time"
    );

    let again = shops
        .run(directory.path(), "leads.csv")
        .output()
        .expect("it runs");
    shops.is_found_by(&again);
    assert!(directory.path().join("leads.csv").exists());
    assert!(
        !is_alive(server),
        "the server of the run that was killed is gone"
    );
}

/// Asks for the history of the campaign that a run told of: its beginning, its present and no more.
fn history_is_shown(data_dir: &Path, told: &str) {
    let (_, rest) = told.split_once("the campaign is ").expect("an id");
    let (id, _) = rest.split_once(';').expect("an id");
    let show = |when: &[&str]| {
        let mut command = domainflow(data_dir);
        command.args(["replay", "show", id]).args(when);
        command.output().expect("it runs")
    };
    for (when, status) in [(["--version", "1"].as_slice(), "draft"), (&[], "completed")] {
        let shown = show(when);
        let campaign: serde_json::Value =
            serde_json::from_slice(&shown.stdout).expect("a campaign");
        assert_eq!(campaign["status"], status, "{when:?}");
    }
    for beyond in [["--version", "9999"], ["--cursor", "999999999"]] {
        let refused = show(&beyond);
        let message = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{beyond:?}: {message}");
        assert!(message.contains(beyond[0]), "{message}");
        assert_eq!(text(&refused.stdout), "");
    }
}

#[test]
fn a_run_that_nobody_answers_says_that_it_found_nothing_out() {
    let directory = directory();
    // A socket that takes questions and never answers one.
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let resolver = silent.local_addr().expect("an address").to_string();
    let ended = domainflow(&directory.path().join("data"))
        .args(["run", "--pattern", "prefix", "--length", "1"])
        .args(["--charset", "ab", "--tld", "test", "--resolver", &resolver])
        .output()
        .expect("it runs");
    let told = text(&ended.stderr);
    assert!(ended.status.success(), "{told}");
    let line = told.lines().find(|line| line.starts_with("nothing at all"));
    let line = line.unwrap_or_else(|| panic!("{told}"));
    assert!(
        line.contains(" 2)"),
        "each of two names by its reason: {line}"
    );
}
