//! `demo`: it succeeds only when all that it shows was checked.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use rustix::process::Signal;

use super::{directory, domainflow, signal, text};

#[test]
fn a_demo_that_a_signal_ends_before_its_checks_does_not_succeed() {
    for exit in [&["--exit"][..], &[]] {
        let directory = directory();
        let mut child = domainflow(directory.path())
            .args(["demo", "--listen", "127.0.0.1:0", "--names", "1000000"])
            .args(exit)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        lines
            .find(|line| {
                line.as_ref()
                    .is_ok_and(|line| line.contains("a campaign of"))
            })
            .expect("the campaign begins")
            .expect("text");
        signal(&child, Signal::TERM);
        // Read on, so that it is not held up by a pipe that is full.
        let rest = std::thread::spawn(move || lines.count());
        let ended = child.wait_with_output().expect("it ends");
        rest.join().expect("its output ends");
        let message = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(1), "{exit:?}: {message}");
        assert!(message.contains("interrupted"), "{exit:?}: {message}");
    }
}
