//! The running server: a child process and the thread that keeps it.
//!
//! Linux sends the parent-death signal when the *thread* that started a child ends, so the child is started by a
//! thread of its own that lives as long as the child does, never by a worker of an async runtime.

use std::{
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::sync::watch;

use crate::{Error, account::Account};

/// A server process that was started and may have ended.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pid: Pid,
    /// Whether the process is ours to signal: false once it was reaped, when its number may name another process.
    alive: Arc<Mutex<bool>>,
    exit: watch::Receiver<Option<ExitStatus>>,
}

impl Server {
    /// Starts a command and keeps it.
    pub(crate) fn start(mut command: Command) -> Result<Self, Error> {
        let program = Path::new(command.get_program()).to_owned();
        let alive = Arc::new(Mutex::new(true));
        let kept = Arc::clone(&alive);
        let (exited, exit) = watch::channel(None);
        let (report, reported) = std::sync::mpsc::sync_channel(1);
        let keep = move || {
            let mut child = match command.spawn() {
                Ok(child) => child,
                Err(error) => {
                    let _ = report.send(Err(error));
                    return;
                }
            };
            let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
                let _ = report.send(Err(std::io::Error::other(
                    "the child's process id is out of range",
                )));
                return;
            };
            let _ = report.send(Ok(pid));
            // Waits without reaping, so that a signal sent meanwhile cannot reach a recycled process id.
            while waitid(
                WaitId::Pid(pid),
                WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
            )
            .is_err_and(|error| error == rustix::io::Errno::INTR)
            {}
            let mut alive = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let status = child.wait();
            *alive = false;
            drop(alive);
            // A wait that fails still means that the process is not there any more.
            let _ = exited.send(Some(status.unwrap_or_default()));
        };
        thread::Builder::new()
            .name("private-postgres".to_owned())
            .spawn(keep)
            .map_err(Error::io("start a thread for", &program))?;
        let pid = reported
            .recv()
            .unwrap_or_else(|_| Err(std::io::Error::other("the keeping thread ended")))
            .map_err(Error::io("run", &program))?;
        Ok(Self { pid, alive, exit })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Sends a signal, unless the process has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if *alive {
            // It can only fail because the process has just ended.
            let _ = kill_process(self.pid, signal);
        }
    }

    /// How the process ended, when it has.
    pub(crate) fn exit_status(&self) -> Option<ExitStatus> {
        *self.exit.borrow()
    }

    /// Waits until the process has ended.
    pub(crate) async fn ended(&self) {
        let mut exit = self.exit.clone();
        // The sender only goes away after it has reported the end.
        let _ = exit.wait_for(Option::is_some).await;
    }
}

/// Wraps a program so that the kernel interrupts it when its parent dies, where the machine can do that.
pub(crate) fn dying_with_parent(account: &Account, program: &Path) -> Command {
    let can = Command::new("setpriv")
        .args(["--pdeathsig", "INT", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !can {
        return account.command(program);
    }
    let mut command = account.command("setpriv");
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    command
}
