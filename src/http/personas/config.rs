//! Reads a persona's configuration so that whatever does not fit is named by its place.

use aggregates::persona::{Config, Kind};
use serde_json::{Map, Value};

use crate::http::{Error, body};

const FIELD: &str = "configDetails";

/// Reads the configuration of a persona of a kind; `personaType` inside may be left out, but not be another.
pub(super) fn read(kind: Kind, mut details: Map<String, Value>) -> Result<Config, Error> {
    if let Some(inside) = details.remove("personaType")
        && inside != kind.name()
    {
        return Err(Error::bad(
            format!("{FIELD}.personaType"),
            format!("must be {}", kind.name()),
        ));
    }
    let details = Value::Object(details);
    match kind {
        Kind::Dns => body::from_value(FIELD, details).map(Config::Dns),
        Kind::Http => body::from_value(FIELD, details).map(Config::Http),
    }
}
