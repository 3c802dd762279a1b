//! Looking at patterns before a campaign takes their names: nothing here sets anything apart.
//!
//! Previews answer from the same pattern, generator and stream that discovery uses, so what they say is what a start at
//! this moment would give.

mod lineage;
mod of_campaign;
mod offset;
mod preview;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::{
    Error, State,
    campaigns::settings::{Fields, PREVIEW_NAMES, build},
};
use aggregates::{names, pattern::Pattern};

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(preview::preview))
        .routes(routes!(offset::pattern_offset))
        .routes(routes!(of_campaign::discovery_lineage))
}

/// Builds a pattern and reads what campaigns have of it.
async fn pattern(state: &State, fields: Fields) -> Result<(names::Pattern, Pattern), Error> {
    let pattern = build(fields, &PREVIEW_NAMES).map_err(as_bad_request)?;
    let log = state.app.database.log();
    let (used, _) = log.load::<Pattern>(&pattern.hash()).await?;
    Ok((pattern, used))
}

/// Answers a refusal of a preview with 400, which is all that its contract has.
fn as_bad_request(error: Error) -> Error {
    match error {
        Error::Unprocessable(details) => Error::BadRequest(details),
        other => other,
    }
}

/// Refuses a length that previews do not take.
fn length(field: &str, given: Option<u32>, most: u32) -> Result<Option<u32>, Error> {
    match given {
        Some(length) if length > most => {
            Err(Error::bad(field, format!("must be from 0 to {most}")))
        }
        given => Ok(given),
    }
}
