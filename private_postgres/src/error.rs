//! Why a private cluster could not be had.

use std::{io, path::PathBuf};

/// Why a private cluster could not be found, made, started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No server programs on this machine.
    #[error(
        "no PostgreSQL server programs found: install them (apt-get install postgresql, dnf install postgresql-server, \
         apk add postgresql, brew install postgresql), name their directory in PG_BIN_DIR, or name a server in DATABASE_URL"
    )]
    NotFound,
    /// `PG_BIN_DIR` names a directory without the programs.
    #[error("PG_BIN_DIR is {0}, which has no initdb and postgres")]
    BadBinDir(PathBuf),
    /// The programs would not say which version they are.
    #[error("cannot tell the version of {program} from its answer {answer:?}")]
    UnknownVersion {
        /// The program asked.
        program: PathBuf,
        /// What it printed.
        answer: String,
    },
    /// The cluster was made by another major version.
    #[error(
        "the cluster in {cluster} was made by PostgreSQL {found}, but the programs in {programs} are version {version}: \
         install version {found}, or move the data with pg_upgrade"
    )]
    VersionDiffers {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The version that made it.
        found: String,
        /// Where the programs are.
        programs: PathBuf,
        /// Their version.
        version: u32,
    },
    /// Another program owns the data directory and is alive.
    #[error("{data_dir} is in use by another program (process {owner})")]
    InUse {
        /// The data directory.
        data_dir: PathBuf,
        /// The owner's process id, or `unknown`.
        owner: String,
    },
    /// Started by root, and there is no other account to run the server as.
    #[error(
        "the server does not run as root, and this machine has neither a postgres nor a nobody account"
    )]
    NoAccount,
    /// A directory could not be prepared.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// The server's account cannot reach its directory.
    #[error(
        "the account {account} cannot enter {path}, and no other place could be used: choose a data directory that it can reach"
    )]
    Unreachable {
        /// The account that the server runs as.
        account: String,
        /// The directory that it cannot enter.
        path: PathBuf,
    },
    /// A program failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// The program.
        program: &'static str,
        /// The end of what it printed.
        output: String,
    },
    /// The server did not become ready in time.
    #[error("the server in {cluster} was not ready after {seconds} s: {log}")]
    NotReady {
        /// The cluster's directory.
        cluster: PathBuf,
        /// How long it was waited for.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// The server ended again and again.
    #[error(
        "the private PostgreSQL in {cluster} ended {times} times within minutes; see its log beside it"
    )]
    KeepsEnding {
        /// The cluster's directory.
        cluster: PathBuf,
        /// How often.
        times: usize,
    },
    /// A server that outlived its owner could not be stopped.
    #[error("the server (process {pid}) that an earlier program left in {cluster} does not stop")]
    StillRunning {
        /// The cluster's directory.
        cluster: PathBuf,
        /// The postmaster's process id.
        pid: i32,
    },
    /// The server refused a statement.
    #[error("the private server refused to {action}")]
    Database {
        /// What was tried.
        action: &'static str,
        /// What it answered.
        #[source]
        source: sqlx::Error,
    },
    /// A test's preparation of its template failed.
    #[error("preparing the template {template} failed: {message}")]
    Template {
        /// The template's name.
        template: String,
        /// What the preparation reported.
        message: String,
    },
}

impl Error {
    /// Names the step and the path of an I/O error.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
