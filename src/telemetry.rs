//! What the program says about itself while it works: log lines on standard error.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged of others: their warnings on slow statements and closed connections are news to nobody.
const OTHERS: &str =
    "sqlx=error,hyper=error,h2=error,rustls=error,reqwest=error,hickory_proto=error";

/// Starts the log. `level` is what is logged of the program's own where `RUST_LOG` does not say otherwise.
pub fn start(format: LogFormat, level: &str) {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new(format!("{level},{OTHERS}")));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second start in one process, as in tests, keeps the first.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}
