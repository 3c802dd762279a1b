//! One command: append, get the position, wait until the read models show it.

use std::time::Duration;

use aggregates::Metadata;
use cqrs_es::Aggregate;
use event_store::{ExecuteError, Position};

use crate::app::App;

/// How long a command waits for the read models before it answers with the lag.
pub const READ_MODELS_WAIT: Duration = Duration::from_secs(2);

/// What a command came to.
#[derive(Clone, Debug)]
pub struct Done<E> {
    /// The aggregate's version now.
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
    /// # Errors
    /// What the aggregate refused, a conflict, a version that is not the expected one, or a failing log.
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
        let committed = log
            .execute::<A>(aggregate_id, command, metadata, expected_version)
            .await?;
        let cursor = match committed.version {
            0 => Position::START,
            version => log.position_of(A::TYPE, aggregate_id, version).await?,
        };
        let lag = self.runtime.wait_for(cursor, READ_MODELS_WAIT).await.err();
        Ok(Done {
            version: committed.version,
            events: committed.events,
            cursor,
            lag: lag.map(|lag| u64::try_from(lag.behind).unwrap_or(0)),
        })
    }
}
