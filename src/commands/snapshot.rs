//! An aggregate as a command left it, so that an answer shows that and not what somebody did a moment later.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use event_store::Error;

use super::Done;
use crate::app::App;

/// Events that are read at once.
const PAGE: u32 = 1_000;

/// An aggregate at a version.
#[derive(Clone, Debug)]
pub struct Snapshot<A> {
    /// Its state.
    pub aggregate: A,
    /// The version.
    pub version: u64,
    /// When its first event was recorded.
    pub created_at: DateTime<Utc>,
    /// When the event of the version was recorded.
    pub updated_at: DateTime<Utc>,
}

impl App {
    /// Reads an aggregate from the log as a command left it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn after<A: Aggregate>(&self, done: &Done<A::Event>) -> Result<Snapshot<A>, Error> {
        let stream = self
            .database
            .log()
            .stream(A::TYPE, &done.aggregate_id)
            .up_to_version(done.version);
        let mut snapshot = Snapshot {
            aggregate: A::default(),
            version: 0,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        };
        loop {
            let page = stream.page(snapshot.version, PAGE).await?;
            if page.is_empty() {
                return Ok(snapshot);
            }
            for stored in page {
                if snapshot.version == 0 {
                    snapshot.created_at = stored.event.recorded_at;
                }
                snapshot.updated_at = stored.event.recorded_at;
                snapshot.version = stored.event.sequence;
                snapshot.aggregate.apply(stored.event.decode()?);
            }
        }
    }
}
