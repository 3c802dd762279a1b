//! The reconciliation of counters with the rows that they count, on a schedule.
//!
//! Counters move in the transaction of their rows, so that a drift is somebody's hand in the database or a fault of ours.
//! One process at a time looks, whoever is first when it is due ([`Schedule`]); it looks at one campaign after the other, tells
//! where more is counted wrongly than the settings bear, and puts that right where they say so: the counters and the
//! event that tells of them are in one transaction.

mod look;
mod schedule;
#[cfg(test)]
mod tests;

use std::time::Duration;

use event_store::{Database, ExecuteError, describe};
use tokio_util::sync::CancellationToken;

use self::{
    look::{Found, Look},
    schedule::Schedule,
};
use crate::installation::Installation;

/// How often it is asked whether a look is due: a row by its key.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long a look that failed is put off.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Looks that came to their end.
pub const LOOKS: &str = "domain_counters_looks_total";
/// Drifted counters that were found.
pub const DRIFT_EVENTS: &str = "domain_counters_drift_events_total";
/// Counters that were put right.
pub const CORRECTIONS: &str = "domain_counters_corrections_total";

/// Why a look did not come to its end.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot hold counters against their rows")]
    Database(#[from] sqlx::Error),
    #[error("cannot put counters right")]
    Log(#[from] event_store::Error),
    #[error("cannot note that counters were put right")]
    Refused(#[from] ExecuteError<aggregates::campaign::Error>),
}

/// Holds counters against their rows when that is due.
#[derive(Clone, Debug)]
pub struct Reconciler {
    database: Database,
    installation: Installation,
}

impl Reconciler {
    /// Makes one that goes by the settings of the installation.
    #[must_use]
    pub const fn new(database: Database, installation: Installation) -> Self {
        Self {
            database,
            installation,
        }
    }

    /// Looks whenever it is due, until the token is cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.keep_looking()).await;
    }

    async fn keep_looking(&self) {
        loop {
            let pause = match self.look_if_due().await {
                Ok(_) => ASK_EVERY,
                Err(error) => {
                    tracing::warn!(error = %describe(&error), "the reconciliation of counters failed, trying again later");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks where it is due and nobody else does; answers what was found then.
    async fn look_if_due(&self) -> Result<Option<Found>, Error> {
        let settings = self.installation.reconciling();
        if !settings.enabled {
            return Ok(None);
        }
        let Some(schedule) = Schedule::lead(&self.database, settings.interval()).await? else {
            return Ok(None);
        };
        let mut look = Look::new(&self.database, settings);
        look.at_every_campaign().await?;
        let found = look.found();
        schedule.end(found).await?;
        metrics::counter!(LOOKS).increment(1);
        tracing::info!(
            campaigns = found.campaigns,
            drifted = found.drifted,
            counters = found.counters,
            corrections = found.corrections,
            "counters were held against their rows"
        );
        Ok(Some(found))
    }
}
