//! `openapi`: the interface's description on standard output.

use std::io::Write as _;

use super::Error;
use crate::http;

pub(super) fn openapi() -> Result<(), Error> {
    let text = http::openapi()
        .to_pretty_json()
        .map_err(Error::step("write the description"))?;
    // Not `println!`, which panics when whoever reads has read enough.
    writeln!(std::io::stdout(), "{text}").map_err(Error::step("write the description"))
}
