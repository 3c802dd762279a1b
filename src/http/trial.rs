//! The turn of a request that tries something.

use super::error::Error;
use crate::{app::App, work::trials::Trial};

/// Begins a trial.
///
/// # Errors
/// [`Error::TooManyRequests`] while as many are under way as may be.
pub(super) fn trial(app: &App) -> Result<Trial, Error> {
    app.trials.begin().ok_or_else(|| Error::TooManyRequests {
        message: "as many tests and extractions are under way as this server takes".to_owned(),
        retry_after_seconds: 5,
    })
}
