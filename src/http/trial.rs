//! The turn of a request that tries something.

use super::{caller::Caller, error::Error, router::State};
use crate::work::trials::Trial;

/// Begins a trial of the caller's, which ends with the server.
///
/// # Errors
/// [`Error::TooManyRequests`] while as many are under way as may be, of the caller or of everybody.
pub(super) fn trial(state: &State, caller: &Caller) -> Result<Trial, Error> {
    let begun = state.app.trials.begin(caller.user_id, state.streams.end());
    begun.map_err(|busy| Error::TooManyRequests {
        message: busy.to_string(),
        retry_after_seconds: 5,
    })
}
