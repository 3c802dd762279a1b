//! One command: append, get the position, wait until the read models show it.

use std::time::Duration;

use aggregates::Metadata;
use cqrs_es::Aggregate;
use event_store::{Committed, Error, ExecuteError, Position};

use super::repeat::{Recorded, recorded};
use crate::app::App;

/// How long a command waits for the read models before it answers with the lag.
pub const READ_MODELS_WAIT: Duration = Duration::from_secs(2);

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Done<E> {
    /// The aggregate: the one that the command was given for, or, where an idempotency key came again, the one that its
    /// first command was for. What a create answers with must be read by this id.
    pub aggregate_id: String,
    /// The aggregate's version after the command.
    pub version: u64,
    /// What was recorded; empty when the aggregate was where the command wanted it.
    pub events: Vec<E>,
    /// The log's position of the aggregate's last event: whoever has read up to here has read this command.
    pub cursor: Position,
    /// How many events the read models were behind when the wait was over; absent when they show the command.
    pub lag: Option<u64>,
}

impl App {
    /// Gives a command on the interactive lane and waits, for a moment, until queries show what it did.
    ///
    /// With an idempotency key in the metadata a repeat is not decided again: it answers what the first command with
    /// the key recorded, whenever and on whichever node that was.
    ///
    /// # Errors
    /// What the aggregate refused, a conflict, a version that is not the expected one, or a failing log. A key that
    /// came with another request before is a conflict.
    pub async fn execute<A>(
        &self,
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
        let log = self.database.log();
        if let Some(repeat) = self.repeated::<A>(metadata).await? {
            return Ok(repeat);
        }
        match log
            .execute::<A>(aggregate_id, command, metadata, expected_version)
            .await
        {
            Ok(committed) => {
                let aggregate_id = aggregate_id.to_owned();
                Ok(self
                    .settle::<A>(Recorded {
                        aggregate_id,
                        committed,
                    })
                    .await?)
            }
            // The key's row refuses the second of two that run at once, whatever else they disagree on.
            Err(lost @ (ExecuteError::Conflict { .. } | ExecuteError::VersionMismatch { .. })) => {
                self.repeated::<A>(metadata).await?.ok_or(lost)
            }
            Err(refused) => Err(refused),
        }
    }

    /// Answers what the first command with the metadata's idempotency key recorded; nothing where there is no key, or no
    /// such command. Asked before the checks that a command has to pass, because what it did may be why they would not
    /// be passed again.
    ///
    /// # Errors
    /// A conflict where the key came with another request, or a failing log.
    pub async fn repeated<A: Aggregate>(
        &self,
        metadata: &Metadata,
    ) -> Result<Option<Done<A::Event>>, ExecuteError<A::Error>> {
        match recorded::<A>(&self.database, metadata).await? {
            Some(repeat) => Ok(Some(self.settle::<A>(repeat).await?)),
            None => Ok(None),
        }
    }

    /// Finds the position of what was committed and waits until queries show it: the second half of
    /// [`Self::execute`], for whoever has to let go of something between the two.
    ///
    /// # Errors
    /// When the log fails.
    pub async fn settle<A: Aggregate>(
        &self,
        recorded: Recorded<A::Event>,
    ) -> Result<Done<A::Event>, Error> {
        let Recorded {
            aggregate_id,
            committed: Committed { version, events },
        } = recorded;
        let cursor = match version {
            0 => Position::START,
            version => {
                self.database
                    .log()
                    .position_of(A::TYPE, &aggregate_id, version)
                    .await?
            }
        };
        let lag = self
            .runtime
            .wait_for_readers_of(A::TYPE, cursor, READ_MODELS_WAIT)
            .await
            .err();
        Ok(Done {
            aggregate_id,
            version,
            events,
            cursor,
            lag: lag.map(|lag| u64::try_from(lag.behind).unwrap_or(0)),
        })
    }
}
