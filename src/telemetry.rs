//! What the program says about itself while it works: log lines on standard error.

use std::{env, io::IsTerminal as _};

use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::config::LogFormat;

/// What is logged of others: their warnings on slow statements and closed connections are news to nobody.
const OTHERS: &str =
    "sqlx=error,hyper=error,h2=error,rustls=error,reqwest=error,hickory_proto=error";

/// Why what is to be logged is not known.
#[derive(Debug, thiserror::Error)]
pub enum BadFilter {
    /// It is no text.
    #[error("RUST_LOG is not UTF-8")]
    NoText,
    /// It is none that a filter understands.
    #[error("RUST_LOG: {0}")]
    Parse(#[from] ParseError),
}

/// Starts the log. `level` is what is logged of the program's own where `RUST_LOG` does not say otherwise.
///
/// # Errors
/// When `RUST_LOG` does not read.
pub fn start(format: LogFormat, level: &str) -> Result<(), BadFilter> {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(level)?)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process, as in tests, keeps the first.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, BadFilter> {
    let given = match env::var(EnvFilter::DEFAULT_ENV) {
        Ok(given) => given,
        Err(env::VarError::NotPresent) => String::new(),
        Err(env::VarError::NotUnicode(_)) => return Err(BadFilter::NoText),
    };
    if given.is_empty() {
        return Ok(EnvFilter::new(format!("{level},{OTHERS}")));
    }
    Ok(EnvFilter::builder().parse(given)?)
}
