//! What a command with an idempotency key recorded, for its repeat.
//!
//! The key's row is written by a trigger in the transaction of the command's events, so that there is one for every
//! command that recorded something, and a second command with the key cannot commit.

use aggregates::Metadata;
use cqrs_es::Aggregate;
use event_store::{Committed, Database, Error, ExecuteError};

use crate::app::App;

const FIND_KEY: &str = "SELECT request_hash, batch FROM idempotency_keys WHERE key = $1";
const FIND_EVENTS: &str = "SELECT aggregate_id, min(sequence), max(sequence) FROM events \
    WHERE batch = $1 AND aggregate_type = $2 GROUP BY aggregate_id";

/// What was recorded, and for which aggregate.
#[derive(Clone, Debug)]
pub struct Recorded<E> {
    /// The aggregate.
    pub aggregate_id: String,
    /// Its version after that, and the events.
    pub committed: Committed<E>,
}

const FIND_STREAMS: &str = "SELECT DISTINCT e.aggregate_id FROM idempotency_keys k \
    JOIN events e ON e.batch = k.batch WHERE k.key = $1 AND e.aggregate_type = $2";

impl App {
    /// Lists the aggregates that the first command with the metadata's idempotency key changed, for a command on several.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn changed_before<A: Aggregate>(
        &self,
        metadata: &Metadata,
    ) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(FIND_STREAMS)
            .bind(&metadata.idempotency)
            .bind(A::TYPE)
            .fetch_all(self.database.pool())
            .await
            .map_err(|source| Error::Database {
                action: "look an idempotency key up",
                source,
            })
    }
}

/// Finds what a command with the metadata's key recorded before; nothing where there is no key, or no such command.
pub(super) async fn recorded<A: Aggregate>(
    database: &Database,
    metadata: &Metadata,
) -> Result<Option<Recorded<A::Event>>, ExecuteError<A::Error>> {
    let Some(key) = &metadata.idempotency else {
        return Ok(None);
    };
    let failed = |source| Error::Database {
        action: "look an idempotency key up",
        source,
    };
    let row: Option<(String, Option<i64>)> = sqlx::query_as(FIND_KEY)
        .bind(key)
        .fetch_optional(database.pool())
        .await
        .map_err(failed)?;
    let Some((request_hash, Some(batch))) = row else {
        return Ok(None);
    };
    let events: Option<(String, i64, i64)> = sqlx::query_as(FIND_EVENTS)
        .bind(batch)
        .bind(A::TYPE)
        .fetch_optional(database.pool())
        .await
        .map_err(failed)?;
    if request_hash != metadata.request_hash.as_deref().unwrap_or_default() {
        return Err(ExecuteError::Conflict {
            aggregate_type: A::TYPE,
            aggregate_id: "of another request with the same idempotency key".to_owned(),
        });
    }
    // A request may also look at aggregates that it does not change.
    let Some((aggregate_id, first, last)) = events else {
        return Ok(None);
    };
    let version = u64::try_from(last).unwrap_or(0);
    let before = u64::try_from(first).unwrap_or(0).saturating_sub(1);
    let page = database
        .log()
        .stream(A::TYPE, &aggregate_id)
        .up_to_version(version)
        .page(before, u32::try_from(version - before).unwrap_or(u32::MAX))
        .await?;
    let events = page
        .iter()
        .map(|stored| stored.event.decode())
        .collect::<Result<_, _>>()?;
    Ok(Some(Recorded {
        aggregate_id,
        committed: Committed { version, events },
    }))
}
