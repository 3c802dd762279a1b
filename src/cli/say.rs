//! What commands say on standard output.

use std::{fmt::Display, io::Write as _};

use super::Error;

/// Writes a line to standard output. Not `println!`, which panics when whoever reads has read enough.
///
/// # Errors
/// When nobody reads any more.
pub(crate) fn say(line: impl Display) -> Result<(), Error> {
    writeln!(std::io::stdout(), "{line}").map_err(Error::step("write to standard output"))
}
