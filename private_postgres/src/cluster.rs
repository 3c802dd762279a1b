//! A cluster: made once, started and stopped with the program.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, postgres::PgConnectOptions};

use crate::{
    Error, Programs,
    account::Account,
    place::{self, Ownership},
    server::{Server, dying_with_parent},
    takeover,
};

/// The role that owns everything in a private cluster.
const ROLE: &str = "domainflow";
/// How long a start may take; recovery after a crash replays the write-ahead log first.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long a fast shutdown may take, which ends with a checkpoint, before the server is told to drop everything.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// A log above this size is put aside at the next start, so that two files of it bound what the log takes.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;
/// How much of the log an error quotes.
const QUOTED_LOG_LINES: usize = 8;

/// How a cluster is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that the program keeps its data in; the cluster goes below it.
    pub data_dir: PathBuf,
    /// Whether a commit survives a power cut. Only tests can do without.
    pub durable: bool,
    /// How many connections the server accepts.
    pub max_connections: u16,
    /// The server programs; found when not given, of the version that the cluster was made by.
    pub programs: Option<Programs>,
}

impl Options {
    /// Runs a durable cluster below `data_dir`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durable: true,
            max_connections: 100,
            programs: None,
        }
    }
}

/// A private PostgreSQL server that is running and ends with this value.
#[derive(Debug)]
pub struct Cluster {
    server: Server,
    directory: PathBuf,
    socket: PathBuf,
    _ownership: Ownership,
}

impl Cluster {
    /// Takes over the data directory, makes the cluster where there is none, and starts its server.
    ///
    /// # Errors
    /// [`Error::InUse`] while another program owns the directory; otherwise the variant names the step that failed.
    pub async fn start(options: Options) -> Result<Self, Error> {
        // Processes are run and waited for; none of that belongs on an async thread.
        tokio::task::spawn_blocking(move || Self::start_blocking(&options))
            .await
            .unwrap_or_else(|error| {
                Err(Error::Failed {
                    program: "the start",
                    output: error.to_string(),
                })
            })
    }

    fn start_blocking(options: &Options) -> Result<Self, Error> {
        let ownership = Ownership::take(&options.data_dir)?;
        let account = Account::choose()?;
        let directory = place::of_cluster(&options.data_dir, &account)?;
        let found = fs::read_to_string(directory.join("PG_VERSION"))
            .ok()
            .map(|text| text.trim().to_owned());
        let programs = match (
            &options.programs,
            found.as_deref().and_then(|text| text.parse().ok()),
        ) {
            (Some(programs), _) => programs.clone(),
            (None, Some(major)) => Programs::find_major(major)?,
            (None, None) => Programs::find()?,
        };
        match found {
            None => make(&directory, &programs, &account, options.durable)?,
            Some(found) if found != programs.major().to_string() => {
                return Err(Error::VersionDiffers {
                    cluster: directory,
                    found,
                    programs: programs.directory().to_owned(),
                    version: programs.major(),
                });
            }
            Some(_) => {}
        }
        let taken_over = takeover::stop_orphan(&directory, &account)?;
        let socket = place::of_socket(&directory, &account)?;
        let deadline = Instant::now() + START_LIMIT;
        let server = loop {
            let server = Server::start(server_command(
                &directory, &socket, &programs, &account, options,
            )?)?;
            match ready(&server, &directory, deadline) {
                Ok(()) => break server,
                // After a SIGKILL of the postmaster its backends hold the shared memory for a moment.
                Err(_)
                    if taken_over
                        && server.exit_status().is_some()
                        && Instant::now() < deadline
                        && last_log_lines(&directory).contains("shared memory") =>
                {
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(error) => {
                    server.signal(Signal::QUIT);
                    return Err(error);
                }
            }
        };
        tracing::debug!(cluster = %directory.display(), pid = server.pid(), "private PostgreSQL is ready");
        Ok(Self {
            server,
            directory,
            socket,
            _ownership: ownership,
        })
    }

    /// Returns the address of one of the cluster's databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let socket = percent_encoded(self.socket.as_os_str().as_encoded_bytes());
        format!(
            "postgres:///{}?host={socket}&user={ROLE}",
            percent_encoded(database.as_bytes())
        )
    }

    /// Returns the server's process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// Returns the directory that the cluster is in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes a database where it is missing.
    ///
    /// # Errors
    /// [`Error::Database`] when the server refuses.
    pub async fn create_database(&self, name: &str) -> Result<(), Error> {
        match self
            .administer(
                &format!("CREATE DATABASE {}", quoted(name)),
                "make a database",
            )
            .await
        {
            Err(Error::Database {
                source: sqlx::Error::Database(error),
                ..
            }) if error.code().as_deref() == Some("42P04") => Ok(()),
            other => other,
        }
    }

    /// Runs one statement in the database `postgres`, over a connection of its own.
    pub(crate) async fn administer(
        &self,
        statement: &str,
        action: &'static str,
    ) -> Result<(), Error> {
        administer(&self.url("postgres"), statement, action).await
    }

    /// Waits until the server has ended, asked to or not.
    pub async fn ended(&self) {
        self.server.ended().await;
    }

    /// Stops the server: open transactions are rolled back, everything committed is on disk.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when it does not end even when told to drop everything.
    pub async fn stop(self) -> Result<(), Error> {
        for (signal, limit) in [(Signal::INT, STOP_LIMIT), (Signal::QUIT, STOP_LIMIT)] {
            self.server.signal(signal);
            if tokio::time::timeout(limit, self.server.ended())
                .await
                .is_ok()
            {
                return Ok(());
            }
        }
        Err(Error::StillRunning {
            cluster: self.directory.clone(),
            pid: self.server.pid(),
        })
    }
}

impl Drop for Cluster {
    /// The last resort of a caller that did not stop it: waits, so that the lock outlives the server.
    fn drop(&mut self) {
        self.server.signal(Signal::INT);
        let deadline = Instant::now() + STOP_LIMIT;
        while self.server.exit_status().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        if self.socket != self.directory {
            // Empty once the server has ended; kept when it has not.
            let _ = fs::remove_dir(&self.socket);
        }
    }
}

/// Runs one statement over a connection of its own.
pub(crate) async fn administer(
    url: &str,
    statement: &str,
    action: &'static str,
) -> Result<(), Error> {
    let run = async {
        let options: PgConnectOptions = url.parse()?;
        let mut connection = options.disable_statement_logging().connect().await?;
        connection.execute(statement).await?;
        connection.close().await
    };
    run.await
        .map_err(|source| Error::Database { action, source })
}

/// Quotes an SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Makes the cluster beside its place and moves it there, so that a half-made one is never mistaken for a whole.
fn make(
    directory: &Path,
    programs: &Programs,
    account: &Account,
    durable: bool,
) -> Result<(), Error> {
    let unfinished = directory.with_file_name("postgres.unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))?;
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&unfinished)
        .map_err(Error::io("make", &unfinished))?;
    account.give(&unfinished)?;
    let mut command = account.command(programs.path("initdb"));
    command
        .args([
            "--username",
            ROLE,
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--locale=C",
        ])
        .arg("--no-instructions")
        .arg("--pgdata")
        .arg(&unfinished);
    if !durable {
        command.arg("--no-sync");
    }
    run(command, "initdb")?;
    fs::rename(&unfinished, directory).map_err(Error::io("move into place", &unfinished))
}

fn run(mut command: Command, program: &'static str) -> Result<(), Error> {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .output()
        .map_err(Error::io("run", Path::new(command.get_program())))?;
    if status.success() {
        return Ok(());
    }
    let output = [stdout, stderr].concat();
    Err(Error::Failed {
        program,
        output: last_lines(&String::from_utf8_lossy(&output)),
    })
}

fn server_command(
    directory: &Path,
    socket: &Path,
    programs: &Programs,
    account: &Account,
    options: &Options,
) -> Result<Command, Error> {
    let log = log_of(directory);
    if fs::metadata(&log).is_ok_and(|found| found.len() > LOG_LIMIT) {
        let aside = log.with_extension("log.1");
        fs::rename(&log, &aside).map_err(Error::io("put aside", &log))?;
    }
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(Error::io("open", &log))?;
    let errors = output.try_clone().map_err(Error::io("open", &log))?;
    let mut command = dying_with_parent(account, &programs.path("postgres"));
    command.arg("-D").arg(directory);
    let on_when_durable = if options.durable { "on" } else { "off" };
    let settings = [
        ("listen_addresses", String::new()),
        ("port", "5432".to_owned()),
        ("unix_socket_directories", quoted(&socket.to_string_lossy())),
        ("unix_socket_permissions", "0700".to_owned()),
        ("max_connections", options.max_connections.to_string()),
        (
            "shared_buffers",
            if options.durable { "256MB" } else { "64MB" }.to_owned(),
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

fn log_of(directory: &Path) -> PathBuf {
    directory.with_file_name("postgres.log")
}

fn last_log_lines(directory: &Path) -> String {
    last_lines(&String::from_utf8_lossy(
        &fs::read(log_of(directory)).unwrap_or_default(),
    ))
}

fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().rev().take(QUOTED_LOG_LINES).collect();
    lines.reverse();
    lines.join("; ")
}

/// Encodes everything but unreserved characters (RFC 3986, section 2.3).
fn percent_encoded(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len()), |mut text, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
                text.push(char::from(*byte));
            } else {
                text.push_str(&format!("%{byte:02X}"));
            }
            text
        })
}
