//! Starting the server of a cluster, for the first time or again.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    Error, Programs,
    account::Account,
    cluster::quoted,
    log::{self, last_log_lines},
    server::{Server, dying_with_parent},
    takeover,
};

/// How long a start may take; recovery after a crash replays the write-ahead log first.
const START_LIMIT: Duration = Duration::from_secs(120);

/// How a cluster's server is started.
#[derive(Debug)]
pub(crate) struct Launcher {
    /// The cluster.
    pub(crate) directory: PathBuf,
    /// The directory of the socket.
    pub(crate) socket: PathBuf,
    /// The server programs.
    pub(crate) programs: Programs,
    /// The account that the server runs as.
    pub(crate) account: Account,
    /// Whether a commit survives a power cut.
    pub(crate) durable: bool,
    /// How many connections the server accepts.
    pub(crate) max_connections: u16,
}

impl Launcher {
    /// Stops or clears away what an earlier server left, starts one and waits until it accepts connections.
    pub(crate) fn start(&self) -> Result<Server, Error> {
        let taken_over = takeover::stop_orphan(&self.directory, &self.account)?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let server = Server::start(self.command()?)?;
            match ready(&server, &self.directory, deadline) {
                Ok(()) => {
                    tracing::debug!(cluster = %self.directory.display(), pid = server.pid(), "private PostgreSQL is ready");
                    return Ok(server);
                }
                // After a SIGKILL of the postmaster its backends hold the shared memory for a moment.
                Err(_)
                    if taken_over
                        && server.exit_status().is_some()
                        && Instant::now() < deadline
                        && last_log_lines(&self.directory).contains("shared memory") =>
                {
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(error) => {
                    server.signal(Signal::QUIT);
                    return Err(error);
                }
            }
        }
    }

    fn command(&self) -> Result<Command, Error> {
        let (directory, socket) = (&self.directory, &self.socket);
        let output = log::open(directory)?;
        let errors = output
            .try_clone()
            .map_err(Error::io("open the log of", directory))?;
        let mut command = dying_with_parent(&self.account, &self.programs.path("postgres"));
        command.arg("-D").arg(directory);
        let on_when_durable = if self.durable { "on" } else { "off" };
        let settings = [
            ("listen_addresses", String::new()),
            ("port", "5432".to_owned()),
            ("unix_socket_directories", quoted(&socket.to_string_lossy())),
            ("unix_socket_permissions", "0700".to_owned()),
            ("max_connections", self.max_connections.to_string()),
            (
                "shared_buffers",
                if self.durable { "256MB" } else { "64MB" }.to_owned(),
            ),
            ("fsync", on_when_durable.to_owned()),
            ("synchronous_commit", on_when_durable.to_owned()),
            ("full_page_writes", on_when_durable.to_owned()),
            ("wal_buffers", "16MB".to_owned()),
            ("max_wal_size", "2GB".to_owned()),
            ("checkpoint_timeout", "15min".to_owned()),
            // Pages of events are short index scans; compiling their plans costs more than running them.
            ("jit", "off".to_owned()),
            ("timezone", "UTC".to_owned()),
            ("log_timezone", "UTC".to_owned()),
        ];
        for (name, value) in settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        // A process group of its own: Ctrl-C at the terminal is for the program, which stops the server last.
        command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        Ok(command)
    }
}

/// Waits until the server says in its `postmaster.pid` that it accepts connections.
fn ready(server: &Server, directory: &Path, deadline: Instant) -> Result<(), Error> {
    let file = directory.join("postmaster.pid");
    loop {
        if server.exit_status().is_some() {
            return Err(Error::Failed {
                program: "postgres",
                output: last_log_lines(directory),
            });
        }
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut lines = text.lines();
        // Line 1 is the process id, line 8 the status.
        let own = lines
            .next()
            .is_some_and(|pid| pid.trim().parse() == Ok(server.pid()));
        if own && lines.nth(6).is_some_and(|status| status.trim() == "ready") {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(Error::NotReady {
                cluster: directory.to_owned(),
                seconds: START_LIMIT.as_secs(),
                log: last_log_lines(directory),
            });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
