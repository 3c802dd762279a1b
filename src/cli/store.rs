//! The database of a command: a server that was named, or the private one.

use std::{future::pending, path::Path, str::FromStr as _};

use event_store::describe;
use private_postgres::{Cluster, Options};
use sqlx::postgres::PgConnectOptions;

use super::Error;
use crate::config::StoreArgs;

/// The database of a private server.
const DATABASE: &str = "domainflow";
/// How the address of a server begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// Says how a private server is reached that another program keeps.
fn with_a_way_in(error: private_postgres::Error, data_dir: &Path) -> Error {
    let running = match error {
        private_postgres::Error::InUse { .. } => Cluster::url_of_running(data_dir, DATABASE),
        _ => None,
    };
    match running {
        Some(url) => Error::Failed(format!(
            "{error}; beside it, name its database: --database-url '{url}'"
        )),
        None => error.into(),
    }
}

/// A database for the time of a command.
#[derive(Debug)]
pub struct Store {
    url: String,
    cluster: Option<Cluster>,
}

impl Store {
    /// Takes the server that was named, or starts the private one.
    ///
    /// # Errors
    /// When the address is none, the private server cannot be had, or another program owns the data directory.
    pub async fn open(args: &StoreArgs) -> Result<Self, Error> {
        if let Some(url) = args.server() {
            // Neither here nor by the parser of arguments, which would repeat the password in its message.
            if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
                return Err(Error::Usage(
                    "--database-url: must begin with postgres:// or postgresql://".to_owned(),
                ));
            }
            PgConnectOptions::from_str(url)
                .map_err(|error| Error::Usage(format!("--database-url: {}", describe(&error))))?;
            return Ok(Self {
                url: url.to_owned(),
                cluster: None,
            });
        }
        let cluster = Cluster::start(Options::new(&args.data_dir))
            .await
            .map_err(|error| with_a_way_in(error, &args.data_dir))?;
        cluster.create_database(DATABASE).await?;
        Ok(Self {
            url: cluster.url(DATABASE),
            cluster: Some(cluster),
        })
    }

    /// As [`open`](Self::open), but makes no private server where there is none: for commands that only look.
    ///
    /// # Errors
    /// Also when the data directory holds nothing yet.
    pub async fn open_existing(args: &StoreArgs) -> Result<Self, Error> {
        if args.server().is_none() && !Cluster::is_in(&args.data_dir) {
            return Err(Error::Failed(format!(
                "there is no DomainFlow data in {}",
                args.data_dir.display()
            )));
        }
        Self::open(args).await
    }

    /// Returns the database's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Keeps a private server running and returns when it cannot be kept so; a server that was named is its operator's
    /// affair. Returns [`Error::Lost`].
    pub async fn lost(&self) -> Error {
        match &self.cluster {
            Some(cluster) => {
                let error = cluster.keep_running().await;
                tracing::error!(error = %describe(&error), "the private PostgreSQL is given up");
                Error::Lost
            }
            None => pending().await,
        }
    }

    /// Stops a private server.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn close(self) -> Result<(), Error> {
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}
