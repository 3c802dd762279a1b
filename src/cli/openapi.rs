//! `openapi`: the interface's description on standard output.

use super::{Error, say};
use crate::http;

pub(super) fn openapi() -> Result<(), Error> {
    let text = http::openapi()
        .to_pretty_json()
        .map_err(Error::step("write the description"))?;
    say(text)
}
