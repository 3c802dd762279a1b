//! What the operator says: on the command line, or in the environment.
//!
//! Every setting is here and nowhere else. `cli` decides which command takes which group.

mod access;
mod bounds;
mod duration;
mod polite;
mod reach;
mod reconcile;

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use aggregates::persona::Resolver;
use clap::{Args, ValueEnum};
use url::Url;
use validation::{
    http::{
        Politeness,
        politeness::{BadExemption, Exempt},
    },
    technologies::{self, Technologies},
};
use zeroize::Zeroizing;

pub use self::{
    access::SessionArgs, bounds::BoundArgs, polite::PoliteArgs, reach::ReachArgs,
    reconcile::ReconcileArgs,
};
use crate::{
    credentials::Keys,
    work::{Network, trials::Target},
};

/// Where the log is kept.
#[derive(Args, Clone, Debug)]
pub struct StoreArgs {
    /// A PostgreSQL server; without one the program keeps a private server in the data directory
    #[arg(long, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// The directory of everything that the program keeps on this machine
    #[arg(
        long,
        env = "DOMAINFLOW_DATA_DIR",
        value_name = "DIR",
        default_value = "./.domainflow"
    )]
    pub data_dir: PathBuf,
    /// A key that the passwords of proxies and the personal data of users are sealed under, 32 bytes in base64 or hexadecimal, the same on every node; of
    /// several the first seals and all open; without one, and without a database that was named, it is drawn once and kept
    /// in the data directory
    #[arg(
        long = "credentials-key",
        env = "DOMAINFLOW_CREDENTIALS_KEY",
        value_name = "KEY",
        value_delimiter = ',',
        hide_env_values = true
    )]
    pub credentials_keys: Vec<SecretText>,
}

impl StoreArgs {
    /// Returns the address of the server that was named, if one was.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.database_url
            .as_deref()
            .map(str::trim)
            .filter(|url| !url.is_empty())
    }
}

/// What is said about the network, for all campaigns.
#[derive(Args, Clone, Debug, Default)]
pub struct NetworkArgs {
    /// A resolver (ip, ip:port or system; IPv6 before a port in brackets) of campaigns that name no DNS persona; may be repeated
    #[arg(long = "resolver", env = "DOMAINFLOW_RESOLVERS", value_name = "ADDRESS", value_delimiter = ',', value_parser = resolver)]
    pub resolvers: Vec<String>,
    /// The port of http sites in place of 80; https is then tried only where its port is given too
    #[arg(long, env = "DOMAINFLOW_HTTP_PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub http_port: Option<u16>,
    /// The port of https sites in place of 443
    #[arg(long, env = "DOMAINFLOW_HTTPS_PORT", value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub https_port: Option<u16>,
    /// Fetch from private and loopback addresses as well, and let personas name resolvers there
    #[arg(long, env = "DOMAINFLOW_ALLOW_PRIVATE")]
    pub allow_private: bool,
    /// Ask sites there as often as one likes: a block of addresses (10.1.0.0/16) or the end of names (example.com), for one's
    /// own servers; may be repeated
    #[arg(
        long = "polite-exempt",
        env = "DOMAINFLOW_POLITE_EXEMPT",
        value_name = "BLOCK|NAME",
        value_delimiter = ',',
        value_parser = exemption
    )]
    pub polite_exempt: Vec<String>,
    /// How often sites are asked.
    #[command(flatten)]
    pub polite: PoliteArgs,
    /// Ask sites on loopback addresses no more often than others, where --allow-private lets them be asked at all
    #[arg(long, env = "DOMAINFLOW_POLITE_TO_LOOPBACK")]
    pub polite_to_loopback: bool,
    /// A PEM file of certificate authorities that are trusted besides the system's; may be repeated
    #[arg(
        long = "trust",
        env = "DOMAINFLOW_TRUST",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub trusted: Vec<PathBuf>,
    /// A file of rules by which technologies are told besides the program's own; may be repeated
    #[arg(
        long = "technologies",
        env = "DOMAINFLOW_TECHNOLOGIES",
        value_name = "FILE",
        value_delimiter = ','
    )]
    pub technologies: Vec<PathBuf>,
    /// The page that checks of proxies fetch; without one proxies are not checked
    #[arg(long, env = "DOMAINFLOW_PROXY_CHECK_URL", value_name = "URL", value_parser = check_url)]
    pub proxy_check_url: Option<Url>,
    /// The domain, or the address of a page on one, that personas are tried on where their user names none; example.com
    /// without it
    #[arg(
        long,
        env = "DOMAINFLOW_PERSONA_TEST_TARGET",
        value_name = "DOMAIN|URL",
        value_parser = test_target
    )]
    pub persona_test_target: Option<Target>,
}

/// A text of the command line that is never shown.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Returns the text, for the one place that reads it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

fn check_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err("must begin with http:// or https://".to_owned()),
    }
}

/// Reads what personas of both kinds are tried on: those of the DNS have nothing to ask about an address.
fn test_target(text: &str) -> Result<Target, String> {
    let target: Target = text.parse()?;
    match target.name() {
        Some(_) => Ok(target),
        None => Err("must name a domain: DNS personas are tried on it too".to_owned()),
    }
}

fn exemption(text: &str) -> Result<String, String> {
    let added = Exempt::default().add(text);
    added
        .map(|()| text.trim().to_owned())
        .map_err(|error| error.to_string())
}

fn resolver(text: &str) -> Result<String, String> {
    Resolver::parse(text).map(|_| text.trim().to_owned())
}

/// A file that was named and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("{argument} {path}")]
    Read {
        /// The argument that names it.
        argument: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is neither a block of addresses nor the end of names.
    #[error("--polite-exempt: {0}")]
    Exemption(#[from] BadExemption),
    /// It holds no certificate.
    #[error("--trust {0} holds no certificate in PEM form")]
    NotPem(PathBuf),
    /// It holds a rule that cannot be honoured.
    #[error("--technologies {0}")]
    Technologies(#[from] technologies::Error),
}

fn read(argument: &'static str, path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|source| FileError::Read {
        argument,
        path: path.to_owned(),
        source,
    })
}

impl NetworkArgs {
    fn politeness(&self) -> Result<Politeness, BadExemption> {
        let mut exempt = Exempt::default();
        for text in &self.polite_exempt {
            exempt.add(text)?;
        }
        Ok(Politeness::new(self.polite.limits(), exempt))
    }

    /// Reads the files that are named and puts everything together, with the keys of credentials.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn network(&self, keys: Keys) -> Result<Network, FileError> {
        let mut network = Network {
            http_port: self.http_port,
            https_port: self.https_port,
            allow_private: self.allow_private,
            resolvers: self.resolvers.clone(),
            proxy_check_url: self.proxy_check_url.clone(),
            persona_test_target: self.persona_test_target.clone(),
            politeness: self.politeness()?,
            polite_to_loopback: self.polite_to_loopback,
            keys,
            ..Network::default()
        };
        for path in &self.trusted {
            network
                .trust_pem(&read("--trust", path)?)
                .map_err(|_| FileError::NotPem(path.clone()))?;
        }
        if !self.technologies.is_empty() {
            let mut files = Vec::new();
            for path in &self.technologies {
                files.push((path.display().to_string(), read("--technologies", path)?));
            }
            network.technologies = Some(Arc::new(Technologies::with(&files)?));
        }
        Ok(network)
    }
}

/// How the server is reached.
#[derive(Args, Clone, Debug)]
pub struct ListenArgs {
    /// The address that the server listens on; port 0 takes a free one
    #[arg(
        long,
        env = "DOMAINFLOW_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8090"
    )]
    pub listen: SocketAddr,
    /// What session tokens are signed with, at least 32 bytes, the same on every node; without one, and without a
    /// database that was named, it is drawn once and kept in the data directory
    #[arg(
        long,
        env = "SESSION_SIGNING_SECRET",
        value_name = "TEXT",
        hide_env_values = true
    )]
    pub secret: Option<SecretText>,
    /// Let browsers send the session's cookie over TLS only
    #[arg(long, env = "DOMAINFLOW_SECURE_COOKIE")]
    pub secure_cookie: bool,
    /// How long sessions last.
    #[command(flatten)]
    pub sessions: SessionArgs,
    /// From where it may be reached, and how often.
    #[command(flatten)]
    pub reach: ReachArgs,
}

/// Where a node tells what it counts.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct MetricsArgs {
    /// An address that the metrics of Prometheus are served on by themselves, at /metrics, to whoever reaches it: one of this
    /// machine, or of a network of those who watch. Without it those of a server are for administrators and auditors of its
    /// interface
    #[arg(long, env = "DOMAINFLOW_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
}

/// Where checkpoints of the log are.
#[derive(Args, Clone, Debug, Default)]
pub struct CheckpointDirectory {
    /// The directory of signed checkpoints of the log; `checkpoints` in the data directory where absent
    #[arg(long, env = "DOMAINFLOW_CHECKPOINT_DIR", value_name = "DIR")]
    pub checkpoint_dir: Option<PathBuf>,
}

impl CheckpointDirectory {
    /// Returns the directory.
    #[must_use]
    pub fn of(&self, store: &StoreArgs) -> PathBuf {
        let named = self.checkpoint_dir.clone();
        named.unwrap_or_else(|| store.data_dir.join("checkpoints"))
    }
}

/// Where the key is that signs checkpoints of the log.
#[derive(Args, Clone, Debug, Default)]
pub struct CheckpointKey {
    /// The file of the key that checkpoints are signed with; `checkpoint.key` in the data directory where absent
    #[arg(long, env = "DOMAINFLOW_CHECKPOINT_KEY_FILE", value_name = "FILE")]
    pub checkpoint_key_file: Option<PathBuf>,
}

impl CheckpointKey {
    /// Returns the file.
    #[must_use]
    pub fn file(&self, store: &StoreArgs) -> PathBuf {
        let named = self.checkpoint_key_file.clone();
        named.unwrap_or_else(|| store.data_dir.join("checkpoint.key"))
    }
}

/// Where checkpoints of the log and the key that signs them are.
#[derive(Args, Clone, Debug, Default)]
pub struct CheckpointPlaces {
    /// Where they are.
    #[command(flatten)]
    pub directory: CheckpointDirectory,
    /// Where the key is.
    #[command(flatten)]
    pub key: CheckpointKey,
}

/// How checkpoints of the log are signed.
#[derive(Args, Clone, Debug)]
pub struct CheckpointArgs {
    /// Where they are.
    #[command(flatten)]
    pub places: CheckpointPlaces,
    /// Seconds between two checkpoints of a log that grows; one more is signed when the server ends
    #[arg(long, env = "DOMAINFLOW_CHECKPOINT_INTERVAL", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub checkpoint_interval: u64,
}

/// How the program speaks of what it does.
#[derive(Args, Clone, Debug)]
pub struct LogArgs {
    /// How log lines are written to standard error; what is logged is up to RUST_LOG
    #[arg(long, env = "DOMAINFLOW_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}
