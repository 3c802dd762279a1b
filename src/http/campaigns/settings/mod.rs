//! Settings: what users may set for campaigns and phases, read strictly and turned into phase configurations.
//!
//! Called by the handlers that create, update and configure, and by the previews of discovery. The invariant: a setting
//! either takes effect or is refused by its name with 422; a name that is not known here is refused too.

mod campaign;
mod discovery;
mod listed;
mod pattern;
mod personas;
mod phase;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::{
    campaign::{CampaignConfiguration, Planned, plan},
    pattern::{Fields, Names, PREVIEW_NAMES, build},
    phase::{PersonaIds, PhaseConfigurationRequest, phase_config},
};
pub(in crate::http) use self::{
    listed::{MOST_LISTED, distinct_names, listed_names},
    pattern::count,
    phase::{distinct, record_types},
};
use crate::http::{Detail, Error, body::blame, objects::Objects};

/// The most names that one campaign may be asked to generate.
pub const MOST_NAMES: u64 = 10_000_000;

/// Reads a settings object that stands in a request below `place`, or is the request where that is empty.
pub(in crate::http) fn read<T: DeserializeOwned>(value: &Value, place: &str) -> Result<T, Error> {
    serde_path_to_error::deserialize(Objects(value)).map_err(|error| {
        let found = blame(&error.path().to_string(), &error.inner().to_string());
        below(place, found)
    })
}

/// Puts a refusal's fields below a place and answers it with 422.
fn below(place: &str, error: Error) -> Error {
    match error {
        Error::BadRequest(details) | Error::Unprocessable(details) => Error::Unprocessable(
            details
                .into_iter()
                .map(|detail| Detail {
                    field: match detail.field.as_str() {
                        "body" | "" => place.to_owned(),
                        field if place.is_empty() => field.to_owned(),
                        field => format!("{place}.{field}"),
                    },
                    ..detail
                })
                .collect(),
        ),
        other => other,
    }
}

/// Refuses a number outside its range.
fn in_range(
    field: impl Into<String>,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, Error> {
    if range.contains(&value) {
        return Ok(value);
    }
    let message = format!("must be from {} to {}", range.start(), range.end());
    Err(Error::unprocessable(field, message))
}
