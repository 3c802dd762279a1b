//! A log is moved to another installation, as the documentation says, and is worked on there.

use std::{
    fs,
    process::{Output, Stdio},
};

use rustix::process::Signal;

use super::{
    directory, domainflow,
    shops::Shops,
    signal,
    tamper::{example, shell, tamper},
    text,
};
use crate::support::eventually;

fn told(output: &Output) -> String {
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_whose_log_was_moved_is_there_as_it_was_and_more_can_be_done() {
    let directory = directory();
    let here = directory.path();
    let shops = Shops::start(here, 120).await;
    let first = shops.run(here, "leads.csv").output().expect("it runs");
    shops.is_found_by(&first);
    let data = here.join("data");
    let (is_moved, moved) = shell(here, &data, &example("docs/replay.md", "replay import"));
    assert!(is_moved, "{moved}");
    assert!(moved.contains("the read models follow"), "{moved}");
    assert!(moved.contains("log: "), "{moved}");

    let there = here.join("elsewhere");
    let asked = shops.sandbox.http_total();
    let again = shops.run(&there, "leads.csv").output().expect("it runs");
    shops.is_found_by(&again);
    assert!(told(&again).contains("nothing is looked up anew"));
    assert_eq!(shops.sandbox.http_total(), asked);
    let leads = |of: &std::path::Path| fs::read_to_string(of.join("leads.csv")).expect("leads");
    assert_eq!(leads(&there), leads(here));
    let other = shops
        .run(&there, "others.csv")
        .args(["--keyword", "telecom"])
        .output()
        .expect("it runs");
    assert!(other.status.success(), "{}", told(&other));
    assert!(told(&other).contains("extraction: completed in"));

    let moved = there.join("data");
    let ask = |arguments: &[&str]| {
        let mut command = domainflow(&moved);
        command
            .arg("replay")
            .args(arguments)
            .output()
            .expect("it runs")
    };
    for clean in [
        &["check"][..],
        &["compare"],
        &["verify"],
        &["lag", "--max-events", "0", "--max-seconds", "0"],
    ] {
        let done = ask(clean);
        assert!(done.status.success(), "{clean:?}: {}", told(&done));
    }
    let file = here.join("log.ndjson").display().to_string();
    for (refused, code, words) in [
        (&["import", &file][..], 1, "the log is not empty"),
        (
            &["import", "/nowhere/log"],
            2,
            "FILE: there is no file /nowhere/log",
        ),
        (&["export", &file], 2, "is there already"),
    ] {
        let done = ask(refused);
        assert_eq!(done.status.code(), Some(code), "{refused:?}");
        assert!(told(&done).contains(words), "{}", told(&done));
    }

    tamper(
        &moved,
        "UPDATE projection_checkpoints SET position = 0 WHERE name = 'users'",
    )
    .await;
    assert!(
        ask(&["lag"]).status.success(),
        "nobody has said how far is too far"
    );
    for bound in ["--max-events", "--max-seconds"] {
        let late = ask(&["lag", bound, "0"]);
        assert_eq!(late.status.code(), Some(1));
        assert!(
            told(&late).contains("too far behind: users\n"),
            "{}",
            told(&late)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_goes_on_where_its_log_was_moved_to() {
    let directory = directory();
    let here = directory.path();
    let shops = Shops::start(here, 600).await;
    let mut killed = shops
        .run(here, "leads.csv")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    eventually("pages are fetched", || async {
        (shops.sandbox.http_total() > 20).then_some(())
    })
    .await;
    signal(&killed, Signal::KILL);
    killed.wait().expect("it ends");
    let data = here.join("data");
    let (is_moved, moved) = shell(here, &data, &example("docs/replay.md", "replay import"));
    assert!(is_moved, "{moved}");
    let there = here.join("elsewhere");
    let finished = shops.run(&there, "leads.csv").output().expect("it runs");
    shops.is_found_by(&finished);
    let checked = domainflow(&there.join("data"))
        .args(["replay", "check"])
        .output()
        .expect("it runs");
    assert!(checked.status.success(), "{}", told(&checked));
}
