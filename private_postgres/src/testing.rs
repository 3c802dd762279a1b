//! Databases for tests: one cluster a test process, one database a test.
//!
//! The cluster runs without fsync in a temporary directory. The first test that asks for a template prepares it (runs
//! the migrations), every test gets a clone of it. When the test process ends, however it ends, a guardian sees the
//! end of its pipe, stops the server and removes the directory; on Linux the server is interrupted by the kernel as well.

use std::{
    collections::HashMap,
    fmt::Display,
    fs,
    os::unix::{fs::DirBuilderExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{ChildStdin, Command, Stdio},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Mutex, OnceCell};

use crate::{
    Cluster, Error, Options,
    cluster::{administer, quoted},
};

/// Waits for the end of its input, which is the end of the test process, then ends the server ($1) and removes its
/// directory ($2). Bounded, because a zombie that nobody reaps looks alive.
const GUARDIAN: &str = r#"cat > /dev/null
kill -QUIT "$1" 2> /dev/null
turns=0
while kill -0 "$1" 2> /dev/null && [ "$turns" -lt 100 ]; do sleep 0.05; turns=$((turns + 1)); done
rm -rf -- "$2""#;

/// Tests run beside each other, each with a pool of its own.
const MAX_CONNECTIONS: u16 = 300;

static SHARED: OnceCell<Shared> = OnceCell::const_new();
static TEMPLATES: LazyLock<Mutex<HashMap<String, Arc<OnceCell<()>>>>> =
    LazyLock::new(Mutex::default);
static NAMED: AtomicU64 = AtomicU64::new(0);

struct Shared {
    cluster: Cluster,
    /// Held, never used: it closes with the process and so wakes the guardian.
    _guardian: ChildStdin,
}

/// A database of one test, dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    admin_url: String,
}

impl TestDatabase {
    /// Makes an empty database.
    ///
    /// # Errors
    /// When the cluster does not start or refuses.
    pub async fn empty() -> Result<Self, Error> {
        Self::clone_of("template0").await
    }

    /// Makes a database like the one that `prepare` makes of an empty database, given its URL. `prepare` runs once a
    /// process for each name of a template and must close its connections.
    ///
    /// # Errors
    /// When the cluster does not start or refuses, or `prepare` fails.
    pub async fn from_template<F, Fut, E>(template: &str, prepare: F) -> Result<Self, Error>
    where
        F: FnOnce(String) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Display,
    {
        let name = format!("template_{template}");
        let prepared = Arc::clone(TEMPLATES.lock().await.entry(name.clone()).or_default());
        prepared
            .get_or_try_init(|| async {
                let cluster = &shared().await?.cluster;
                // Left by a preparation that failed and is tried again.
                cluster
                    .administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(&name)), "drop a template")
                    .await?;
                cluster.create_database(&name).await?;
                prepare(cluster.url(&name))
                    .await
                    .map_err(|error| Error::Template { template: template.to_owned(), message: error.to_string() })?;
                // A connection that is still closing would keep the template from being cloned.
                cluster
                    .administer(&format!("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", quoted(&name)), "close a template")
                    .await?;
                let terminate = format!(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{}'",
                    name.replace('\'', "''")
                );
                cluster.administer(&terminate, "disconnect from a template").await
            })
            .await?;
        Self::clone_of(&name).await
    }

    async fn clone_of(template: &str) -> Result<Self, Error> {
        let cluster = &shared().await?.cluster;
        let name = format!("test_{}", NAMED.fetch_add(1, Ordering::Relaxed));
        // Copying the files is faster than logging every page while nothing is synced.
        let statement = format!(
            "CREATE DATABASE {} TEMPLATE {} {}",
            quoted(&name),
            quoted(template),
            strategy(cluster.directory())
        );
        cluster.administer(&statement, "clone a database").await?;
        Ok(Self {
            url: cluster.url(&name),
            admin_url: cluster.url("postgres"),
            name,
        })
    }

    /// Returns the database's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for TestDatabase {
    /// Drops the database with whatever is still connected to it, on a thread of its own: the test's runtime may be
    /// the one that is unwinding.
    fn drop(&mut self) {
        let statement = format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            quoted(&self.name)
        );
        let url = self.admin_url.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime
                .block_on(administer(&url, &statement, "drop a database"))
                .ok()
        });
        // What is left over goes with the cluster.
        let _ = dropping.join();
    }
}

/// The copying of files as a choice came with version 15, as the default it is what older versions do.
fn strategy(cluster: &Path) -> &'static str {
    let major: u32 = fs::read_to_string(cluster.join("PG_VERSION"))
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    if major >= 15 {
        "STRATEGY FILE_COPY"
    } else {
        ""
    }
}

async fn shared() -> Result<&'static Shared, Error> {
    SHARED
        .get_or_try_init(|| async {
            let data_dir = temporary_directory()?;
            let cluster = Cluster::start(Options {
                durable: false,
                max_connections: MAX_CONNECTIONS,
                ..Options::new(&data_dir)
            })
            .await?;
            let guardian = guard(&cluster, &data_dir)?;
            Ok(Shared {
                cluster,
                _guardian: guardian,
            })
        })
        .await
}

/// Makes a directory of this process; the system's temporary directory is one that every account can reach.
fn temporary_directory() -> Result<PathBuf, Error> {
    let path = std::env::temp_dir().join(format!("domainflow-test-{}", std::process::id()));
    // Left by an earlier process of this number whose guardian was killed.
    if path.exists() {
        fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
    }
    fs::DirBuilder::new()
        .mode(0o711)
        .create(&path)
        .map_err(Error::io("make", &path))?;
    Ok(path)
}

fn guard(cluster: &Cluster, data_dir: &Path) -> Result<ChildStdin, Error> {
    let mut guardian = Command::new("/bin/sh")
        .args(["-c", GUARDIAN, "guardian"])
        .arg(cluster.pid().to_string())
        .arg(data_dir)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(Error::io("start a guardian for", data_dir))?;
    guardian.stdin.take().ok_or(Error::Failed {
        program: "sh",
        output: "no pipe to its input".to_owned(),
    })
}
