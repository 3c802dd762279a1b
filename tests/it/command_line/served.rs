//! A `serve` with a private PostgreSQL that has said where it listens.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use super::domainflow;

pub struct Served {
    pub child: Child,
    /// Address and port.
    pub address: String,
    /// What it says after that.
    pub lines: Lines<BufReader<ChildStdout>>,
}

impl Served {
    /// Starts a server and waits until it says where it listens.
    pub fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    /// The same with further arguments.
    pub fn start_with(data_dir: &Path, arguments: &[&str]) -> Self {
        let mut command = domainflow(data_dir);
        command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .stderr(Stdio::null());
        Self::of(command)
    }

    /// The same by a command that is put together.
    pub fn of(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let first = lines.next().expect("a line").expect("text");
        let address = first
            .split_once("listens on http://")
            .and_then(|(_, rest)| rest.split_once(';'))
            .map(|(address, _)| address.to_owned());
        let address = address.unwrap_or_else(|| panic!("no address: {first}"));
        Self {
            child,
            address,
            lines,
        }
    }
}
