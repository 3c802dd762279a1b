//! The built binary, as an operator runs it.

mod arguments;
mod demo;
mod logs;
mod lost;
mod operator;
mod pipes;
mod proofs;
mod run;
mod serve;
pub mod served;
mod shops;
mod shutdown;
mod tamper;
mod transfer;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

/// A directory that the account of a private server can get through.
pub fn directory() -> TempDir {
    let permissions = fs::Permissions::from_mode(0o711);
    tempfile::Builder::new()
        .prefix("domainflow-cli-")
        .permissions(permissions)
        .tempdir()
        .expect("a directory")
}

pub fn domainflow(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_domainflow"));
    command
        .env_remove("DATABASE_URL")
        .env_remove("SESSION_SIGNING_SECRET")
        .env_remove("RUST_LOG")
        .env("DOMAINFLOW_DATA_DIR", data_dir)
        .stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The process id of the private server of a data directory, while there is one.
pub fn server_of(data_dir: &Path) -> Option<i32> {
    fs::read_to_string(data_dir.join("postgres/postmaster.pid"))
        .ok()?
        .lines()
        .next()?
        .trim()
        .parse()
        .ok()
}

pub fn is_alive(pid: i32) -> bool {
    // A zombie that the container's init does not reap is as good as gone.
    let zombie =
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    test_kill_process(Pid::from_raw(pid).expect("a process id")).is_ok() && !zombie
}

pub fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).expect("a process id");
    signal_process(pid, signal);
}

pub fn signal_process(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).expect("a process id"), signal).expect("the process is there");
}
