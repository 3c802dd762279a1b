//! A server that outlived the program that started it.
//!
//! The caller owns the data directory, so whatever still runs in it belongs to nobody. The postmaster named in
//! `postmaster.pid` is stopped cleanly; a file whose process is gone, is a zombie that nobody reaps, or is by now
//! another program, is removed, because the server itself believes any process that exists.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, net::UnixStream},
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, kill_process, test_kill_process},
};

use crate::{Error, account::Account};

/// How long an orphan may take to write its checkpoint and end.
const FAST_STOP: Duration = Duration::from_secs(60);
/// How long it may take after it was told to drop everything.
const IMMEDIATE_STOP: Duration = Duration::from_secs(10);

/// Stops what an earlier owner left running in the cluster and says whether there was a trace of one.
pub(crate) fn stop_orphan(cluster: &Path, account: &Account) -> Result<bool, Error> {
    let file = cluster.join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&file) else {
        return Ok(false);
    };
    let pid = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse::<i32>().ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid.filter(|pid| is_postmaster(*pid, &text, cluster, account)) {
        tracing::info!(
            pid = pid.as_raw_nonzero().get(),
            "stopping a server that outlived its program"
        );
        let signal = |signal| match kill_process(pid, signal) {
            Err(error) if error != Errno::SRCH => {
                Err(Error::io("signal the server in", cluster)(error.into()))
            }
            _ => Ok(()),
        };
        signal(Signal::INT)?;
        if !gone_within(FAST_STOP, || is_postmaster(pid, &text, cluster, account)) {
            signal(Signal::QUIT)?;
            if !gone_within(IMMEDIATE_STOP, || {
                is_postmaster(pid, &text, cluster, account)
            }) {
                return Err(Error::StillRunning {
                    cluster: cluster.to_owned(),
                    pid: pid.as_raw_nonzero().get(),
                });
            }
        }
    }
    match fs::remove_file(&file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("remove", &file)(source))
        }
        _ => Ok(true),
    }
}

fn gone_within(limit: Duration, mut alive: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while alive() {
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
    true
}

/// Says whether a process is the postmaster of this cluster.
fn is_postmaster(pid: Pid, postmaster_file: &str, cluster: &Path, account: &Account) -> bool {
    if test_kill_process(pid) == Err(Errno::SRCH) {
        return false;
    }
    // The file is the account's to write, and may name anybody: who is another's is no server of this cluster.
    let process = fs::metadata(format!("/proc/{}", pid.as_raw_nonzero()));
    if process.is_ok_and(|process| process.uid() != account.uid()) {
        return false;
    }
    // A postmaster works in its cluster's directory; a zombie works nowhere. The link is read by the account itself
    // because root without CAP_SYS_PTRACE may not.
    let link = account
        .command("readlink")
        .arg(format!("/proc/{}/cwd", pid.as_raw_nonzero()))
        .stderr(Stdio::null())
        .output()
        .map(|output| output.stdout)
        .unwrap_or_default();
    if let (false, Ok(real)) = (link.is_empty(), cluster.canonicalize()) {
        return link.trim_ascii_end() == real.as_os_str().as_encoded_bytes();
    }
    // Where there is no such link: its socket answers. Line 4 is the port, line 5 the socket's directory.
    let mut lines = postmaster_file.lines().skip(3);
    let (Some(port), Some(directory)) = (lines.next(), lines.next()) else {
        return false;
    };
    UnixStream::connect(Path::new(directory).join(format!(".s.PGSQL.{}", port.trim()))).is_ok()
}
