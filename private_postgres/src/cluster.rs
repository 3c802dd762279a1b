//! A cluster: made once, started and stopped with the program.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, postgres::PgConnectOptions};

use crate::{
    Error, Programs,
    account::Account,
    launcher::Launcher,
    make::make,
    place::{self, Ownership},
    server::Server,
};

/// The role that owns everything in a private cluster.
pub(crate) const ROLE: &str = "domainflow";
/// How long a fast shutdown may take, which ends with a checkpoint, before the server is told to drop everything.
const STOP_LIMIT: Duration = Duration::from_secs(60);

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
    pub(crate) running: Arc<Running>,
    _ownership: Ownership,
}

/// A cluster's present server, and how the next one is started.
#[derive(Debug)]
pub(crate) struct Running {
    launcher: Launcher,
    server: Mutex<Server>,
    /// Whether the cluster is being stopped. Held while a server is started, so that a stop meets either all of a start
    /// or none of it.
    stopped: Mutex<bool>,
}

impl Running {
    /// Returns the present server, which may have ended.
    pub(crate) fn server(&self) -> Server {
        locked(&self.server).clone()
    }

    /// Starts a server in the place of one that has ended; none where the cluster is being stopped.
    pub(crate) fn start_again(&self) -> Result<(), Error> {
        let stopped = locked(&self.stopped);
        if *stopped {
            return Ok(());
        }
        let server = self.launcher.start()?;
        *locked(&self.server) = server;
        Ok(())
    }

    /// Waits until no server is being started, and lets none be started any more.
    fn settle(&self) {
        *locked(&self.stopped) = true;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(socket: &Path, database: &str) -> String {
    format!(
        "postgres:///{}?host={}&user={ROLE}",
        percent_encoded(database.as_bytes()),
        percent_encoded(socket.as_os_str().as_encoded_bytes()),
    )
}

impl Cluster {
    /// Says whether a data directory holds a cluster already.
    #[must_use]
    pub fn is_in(data_dir: &Path) -> bool {
        data_dir.join("postgres/PG_VERSION").exists()
    }

    /// Takes over the data directory, makes the cluster where there is none, and starts its server.
    ///
    /// # Errors
    /// [`Error::InUse`] while another program owns the directory; otherwise the variant names the step that failed.
    pub async fn start(options: Options) -> Result<Self, Error> {
        blocking("the start", move || Self::start_blocking(&options)).await
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
        let launcher = Launcher {
            socket: place::of_socket(&directory, &account)?,
            directory,
            programs,
            account,
            durable: options.durable,
            max_connections: options.max_connections,
        };
        let server = Mutex::new(launcher.start()?);
        Ok(Self {
            running: Arc::new(Running {
                launcher,
                server,
                stopped: Mutex::new(false),
            }),
            _ownership: ownership,
        })
    }

    /// Returns the address of one of the cluster's databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        address(&self.running.launcher.socket, database)
    }

    /// Returns the address of a database of the server that runs on a data directory, whichever program owns it;
    /// nothing where none runs there.
    #[must_use]
    pub fn url_of_running(data_dir: &Path, database: &str) -> Option<String> {
        let file = fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
        // The fifth line is the directory of the server's socket.
        let socket = file.lines().nth(4).filter(|socket| !socket.is_empty())?;
        Some(address(Path::new(socket), database))
    }

    /// Returns the server's process id.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.running.server().pid()
    }

    /// Returns the directory that the cluster is in.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.running.launcher.directory
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

    /// Stops the server: open transactions are rolled back, everything committed is on disk.
    ///
    /// # Errors
    /// [`Error::StillRunning`] when it does not end even when told to drop everything.
    pub async fn stop(self) -> Result<(), Error> {
        let running = Arc::clone(&self.running);
        blocking("the stop", move || {
            running.settle();
            Ok(())
        })
        .await?;
        let server = self.running.server();
        for (signal, limit) in [(Signal::INT, STOP_LIMIT), (Signal::QUIT, STOP_LIMIT)] {
            server.signal(signal);
            if tokio::time::timeout(limit, server.ended()).await.is_ok() {
                return Ok(());
            }
        }
        Err(Error::StillRunning {
            cluster: self.directory().to_owned(),
            pid: server.pid(),
        })
    }
}

impl Drop for Cluster {
    /// The last resort of a caller that did not stop it: waits, so that the lock outlives the server.
    fn drop(&mut self) {
        self.running.settle();
        let server = self.running.server();
        server.signal(Signal::INT);
        let deadline = Instant::now() + STOP_LIMIT;
        while server.exit_status().is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let Launcher {
            directory, socket, ..
        } = &self.running.launcher;
        if socket != directory {
            // Empty once the server has ended; kept when it has not.
            let _ = fs::remove_dir(socket);
        }
    }
}

/// Runs what starts processes and waits for them; none of that belongs on an async thread.
pub(crate) async fn blocking<T: Send + 'static>(
    step: &'static str,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::Failed {
                program: step,
                output: error.to_string(),
            })
        })
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
