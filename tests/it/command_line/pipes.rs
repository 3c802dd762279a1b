//! What is written to a pipe.

use std::{
    io::{PipeWriter, Read as _, pipe},
    process::Stdio,
};

use super::{directory, domainflow, text};

/// A pipe whose reader has gone before anything is written.
fn without_reader() -> PipeWriter {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer
}

#[test]
fn the_description_of_the_interface_is_json_that_any_pipe_may_cut() {
    let directory = directory();
    let output = domainflow(directory.path())
        .arg("openapi")
        .output()
        .expect("it runs");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(document["paths"].as_object().expect("paths").len() > 20);
    let mut cut = domainflow(directory.path())
        .arg("openapi")
        .stdout(without_reader())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut message = String::new();
    cut.stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut message)
        .expect("text");
    assert!(!cut.wait().expect("it ends").success());
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn a_command_whose_reader_has_gone_ends_with_one_line_and_no_panic() {
    let directory = directory();
    let create = [
        "user",
        "create",
        "--email",
        "a@b.test",
        "--password",
        "a long password",
    ];
    let commands: [&[&str]; 6] = [
        &["--help"],
        &["migrate"],
        &create,
        &["replay", "check"],
        &["replay", "verify"],
        &["replay", "rebuild"],
    ];
    for command in commands {
        let ended = domainflow(directory.path())
            .args(command)
            .stdout(without_reader())
            .stderr(Stdio::piped())
            .output()
            .expect("it runs");
        let message = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{command:?}: {message}");
        assert!(
            message.starts_with("error: cannot write to standard output: "),
            "{command:?}: {message}"
        );
        assert_eq!(message.lines().count(), 1, "{command:?}: {message}");
    }
}
