//! The projection runtime: batches of events become rows, exactly once.
//!
//! One step is one transaction: take the projection's advisory lock (whoever has it leads; every process may stand
//! by), read the checkpoint, read the feed after it, let the projection write its rows, move the checkpoint. A crash at
//! any point leaves rows and checkpoint as they were together. An event that cannot be applied stops its projection,
//! is written beside the checkpoint and logged as an error; it is never skipped.

mod checkpoint;
mod error;
mod page;
mod rebuild;
mod runner;

use event_store::Recorded;
use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

pub use self::{
    checkpoint::{Checkpoint, checkpoints},
    error::{ApplyError, Error},
    rebuild::{Comparison, Difference, Rebuild, SHADOW_PAGE, SWAP_PATIENCE},
    runner::{LIVE_PAGE, Lag, Runtime},
};

/// One read model: the tables that it owns and how events become rows in them.
pub trait Projection: Send + Sync + 'static {
    /// Returns the projection's name, which is its checkpoint's key.
    fn name(&self) -> &'static str;

    /// Returns the tables that the projection owns in schema `read`, without the schema.
    fn tables(&self) -> &'static [&'static str];

    /// Returns the aggregate types whose events the projection reads.
    fn reads(&self) -> &'static [&'static str];

    /// Returns how many rows of work an event is, about. A page is cut by the sum, so that one step stays short
    /// whatever the events are; this is called for every event and must be cheap.
    fn weight(&self, _event: &Recorded) -> u32 {
        1
    }

    /// Says whether the projection shows personal data, which is opened for it then; others see it sealed.
    fn shows_personal_data(&self) -> bool {
        false
    }

    /// Writes what the events, in log order, do to the tables. The tables are named without a schema: the connection's
    /// search path says whether they are the live ones or a rebuild's.
    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>>;
}

/// Decodes an event's payload.
///
/// # Errors
/// [`ApplyError::Poison`] naming the event when it does not decode.
pub fn decode<T: DeserializeOwned>(event: &Recorded) -> Result<T, ApplyError> {
    serde_json::from_str(&event.payload).map_err(|error| ApplyError::poison(event, error))
}
