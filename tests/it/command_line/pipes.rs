//! What is written to a pipe.

use std::{io::Read as _, process::Stdio};

use super::{directory, domainflow};

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
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(cut.stdout.take());
    let mut message = String::new();
    cut.stderr
        .take()
        .expect("a pipe")
        .read_to_string(&mut message)
        .expect("text");
    assert!(!cut.wait().expect("it ends").success());
    assert!(!message.contains("panicked"), "{message}");
}
