//! Commands whose events are recorded together with rows of the shell's own.

use aggregates::Metadata;
use cqrs_es::Aggregate;
use event_store::{ExecuteError, Transaction};

use super::{Done, Recorded};
use crate::app::App;

impl App {
    /// Gives a command in a transaction that already has the rows that belong to it, commits, and waits, for a moment,
    /// until queries show what it did: events and rows are there together, or neither is.
    ///
    /// Whoever calls has asked [`Self::repeated`] before he wrote the rows. With `expected_version` nothing is recorded
    /// unless the aggregate is at that version.
    ///
    /// # Errors
    /// As [`Self::execute`]; the rows are not written then.
    pub async fn execute_in<A>(
        &self,
        transaction: Transaction,
        aggregate_id: &str,
        command: A::Command,
        metadata: &Metadata,
        expected_version: Option<u64>,
    ) -> Result<Done<A::Event>, ExecuteError<A::Error>>
    where
        A: Aggregate<Services = ()>,
        A::Command: Clone + Send,
        A::Error: Send + Sync + 'static,
    {
        let decided = record::<A>(
            transaction,
            aggregate_id,
            command,
            metadata,
            expected_version,
        );
        match decided.await {
            Ok(recorded) => Ok(self.settle::<A>(recorded).await?),
            // The key's row refuses the second of two that run at once, whatever else they disagree on.
            Err(lost @ (ExecuteError::Conflict { .. } | ExecuteError::VersionMismatch { .. })) => {
                self.repeated::<A>(metadata).await?.ok_or(lost)
            }
            Err(refused) => Err(refused),
        }
    }
}

async fn record<A>(
    mut transaction: Transaction,
    aggregate_id: &str,
    command: A::Command,
    metadata: &Metadata,
    expected_version: Option<u64>,
) -> Result<Recorded<A::Event>, ExecuteError<A::Error>>
where
    A: Aggregate<Services = ()>,
    A::Command: Clone + Send,
{
    let committed = match transaction
        .execute::<A>(aggregate_id, command, metadata)
        .await
    {
        Ok(committed) => committed,
        Err(refused) => {
            transaction.rollback().await?;
            return Err(refused);
        }
    };
    // The version that was decided on is known for sure only now: somebody may have been faster than a look before.
    let recorded = u64::try_from(committed.events.len()).unwrap_or(u64::MAX);
    let actual = committed.version.saturating_sub(recorded);
    if let Some(expected) = expected_version.filter(|expected| *expected != actual) {
        transaction.rollback().await?;
        return Err(ExecuteError::VersionMismatch { expected, actual });
    }
    transaction.commit().await?;
    Ok(Recorded {
        aggregate_id: aggregate_id.to_owned(),
        committed,
    })
}
