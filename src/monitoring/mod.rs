//! What a process says of itself to those who watch it: how everything stands that it rests on, and what it has counted.
//!
//! [`Monitor`] asks the database how it stands, once for all who ask within a second, so that nobody makes work of it. What is
//! counted on the way goes to one recorder of the process ([`recorder`]), whose names are in [`names`]; what is read only when
//! somebody asks is put beside it then ([`gauges`]). Labels are operations, phases, outcomes and the like: nothing that a
//! user can make more of.

mod gauges;
pub mod names;
mod process;
mod recorder;
mod requests;
mod status;

use std::{sync::Arc, time::Duration};

use event_store::Database;
use tokio::{sync::Mutex, time::Instant};

use self::gauges::Sources;
pub use self::{
    process::Process,
    requests::{OfOperation, Requests},
    status::{Orders, Status},
};
use crate::{app::App, sse::Streams};

/// How long an answer of the database is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// How long the database may take to answer, connection included: that it serves, and how everything stands.
const PATIENCE: Duration = Duration::from_secs(2);

/// Watches a process. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Monitor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    database: Database,
    last: Mutex<Option<(Instant, Arc<Status>)>>,
    requests: Requests,
    started: std::time::Instant,
}

impl Monitor {
    /// Begins to watch; what the process counts is kept from now on.
    #[must_use]
    pub fn new(database: Database) -> Self {
        recorder::start();
        Self(Arc::new(Shared {
            database,
            last: Mutex::default(),
            requests: Requests::default(),
            started: std::time::Instant::now(),
        }))
    }

    /// Returns what became of requests.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.0.requests
    }

    /// Tells how everything stands, as of a second ago at most: within three seconds, whatever the database does.
    pub async fn status(&self) -> Arc<Status> {
        // Whoever comes while somebody asks waits for that answer.
        let mut last = self.0.last.lock().await;
        if let Some((at, status)) = &*last
            && at.elapsed() < GOOD_FOR
        {
            return Arc::clone(status);
        }
        let status = Arc::new(Status::read(&self.0.database, PATIENCE).await);
        if let Some(why) = &status.unknown {
            tracing::warn!(%why, "the database answers, and does not say how everything stands");
        }
        *last = Some((Instant::now(), Arc::clone(&status)));
        status
    }

    /// Writes everything in the text format of Prometheus, with what a node keeps. Of a node without an interface there are no
    /// streams.
    pub async fn exposition(&self, app: &App, streams: Option<&Streams>) -> String {
        let status = self.status().await;
        let (streams, messages) = streams.map_or((0, 0), Streams::counts);
        let network = &app.defaults.network;
        gauges::set(
            &status,
            &Sources {
                pool: app.database.pool(),
                politeness: &network.politeness,
                suppression: &network.suppression,
                streams,
                messages,
                started: self.0.started,
            },
        );
        recorder::render()
    }
}
