//! The server's log, beside the cluster.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::Error;

/// A log above this size is put aside at the next start, so that two files of it bound what the log takes.
const LIMIT: u64 = 16 * 1024 * 1024;
/// How much of the log an error quotes.
const QUOTED_LINES: usize = 8;

/// Opens the log of a cluster for a server that is about to start.
pub(crate) fn open(directory: &Path) -> Result<File, Error> {
    let log = log_of(directory);
    if fs::metadata(&log).is_ok_and(|found| found.len() > LIMIT) {
        let aside = log.with_extension("log.1");
        fs::rename(&log, &aside).map_err(Error::io("put aside", &log))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&log)
        .map_err(Error::io("open", &log))
}

fn log_of(directory: &Path) -> PathBuf {
    directory.with_file_name("postgres.log")
}

/// Returns the end of a cluster's log in one line.
pub(crate) fn last_log_lines(directory: &Path) -> String {
    last_lines(&String::from_utf8_lossy(
        &fs::read(log_of(directory)).unwrap_or_default(),
    ))
}

/// Returns the end of a text in one line.
pub(crate) fn last_lines(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().rev().take(QUOTED_LINES).collect();
    lines.reverse();
    lines.join("; ")
}
