//! The one reader of the feed, and what connections share with it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use event_store::{Error, Feed, Page, Position};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    archive::Archive,
    block::Block,
    fact_of::TYPES,
    listeners::Listeners,
    owners::Owners,
    progress::Standings,
    ring::{Place, Ring},
};
use crate::app::App;

/// Events that the reader takes at a time, about.
const LIVE_PAGE: u32 = 2_000;
/// How long the reader waits for news at most, before it looks whether anybody still listens.
const STEADY: Duration = Duration::from_secs(2);
/// How long it waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The streams of a process. Cheap to clone.
#[derive(Clone)]
pub struct Streams {
    shared: Arc<Shared>,
}

/// What connections share.
pub(super) struct Shared {
    pub(super) feed: Feed,
    pub(super) archive: Archive,
    pub(super) standings: Standings,
    pub(super) listeners: Arc<Listeners>,
    pub(super) cancel: CancellationToken,
    ring: Mutex<Ring>,
    head: watch::Sender<Position>,
}

impl Streams {
    /// Counts the streams that are open, and the messages that were sent.
    #[must_use]
    pub fn counts(&self) -> (usize, u64) {
        let listeners = &self.shared.listeners;
        (listeners.count(), listeners.sent())
    }

    /// Starts the reader; it and every stream end on the token.
    #[must_use]
    pub fn start(app: &App, tracker: &TaskTracker, cancel: &CancellationToken) -> Self {
        let database = &app.database;
        let shared = Arc::new(Shared {
            feed: database.feed(),
            archive: Archive::new(database.feed(), Owners::new(database.log())),
            standings: Standings::new(database.clone()),
            listeners: Arc::new(Listeners::new()),
            cancel: cancel.clone(),
            ring: Mutex::default(),
            head: watch::Sender::new(Position::START),
        });
        let (reader, cancel) = (Arc::clone(&shared), cancel.clone());
        tracker.spawn(async move {
            cancel.run_until_cancelled(reader.read()).await;
        });
        Self { shared }
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Returns the token that the streams end on, as everything does that a request leaves open for long.
    #[must_use]
    pub fn end(&self) -> &CancellationToken {
        &self.shared.cancel
    }
}

impl Shared {
    /// Returns the stretch of the log that has what comes after a cursor; nothing where there is nothing yet.
    pub(super) async fn block_after(&self, cursor: Position) -> Result<Option<Arc<Block>>, Error> {
        match self.ring().place(cursor) {
            Place::Inside(block) => return Ok(Some(block)),
            Place::Level => return Ok(None),
            Place::Behind => {}
        }
        self.archive.block_after(cursor).await
    }

    /// Returns how far the reader has come.
    pub(super) fn head(&self) -> Position {
        *self.head.borrow()
    }

    /// Waits until the reader has come past a position.
    pub(super) async fn past(&self, cursor: Position) {
        // The sender lives as long as this does.
        let _ = self.head.subscribe().wait_for(|head| *head > cursor).await;
    }

    /// Follows the feed for ever. While nobody listens nothing is read.
    async fn read(&self) {
        loop {
            self.listeners.somebody().await;
            if let Err(error) = self.read_while_listened_to().await {
                tracing::warn!(error = %error, source = ?std::error::Error::source(&error), "streams stand still, trying again");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }

    async fn read_while_listened_to(&self) -> Result<(), Error> {
        let mut at = self.feed.head().await?;
        // Connections between the old end and here read the log.
        self.ring().restart(at);
        self.head.send_replace(at);
        while self.listeners.count() > 0 {
            let page = self.feed.after(at, LIVE_PAGE, Some(&TYPES)).await?;
            if page.next > at {
                let next = page.next;
                let changed = users_of(&page);
                let block = self.archive.decode(at, page).await?;
                self.ring().push(block);
                at = next;
                self.head.send_replace(at);
                for (user, shut_out) in changed {
                    self.listeners.ring(user, shut_out);
                }
            } else {
                self.feed.wait_past(at, STEADY).await?;
            }
        }
        Ok(())
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lists the users that something happened to, and whether they were shut out.
fn users_of(page: &Page) -> Vec<(aggregates::ids::UserId, bool)> {
    page.events
        .iter()
        .filter(|event| event.aggregate_type == "user")
        .filter_map(|event| {
            Some((
                event.aggregate_id.parse().ok()?,
                matches!(event.event_type.as_str(), "Deactivated" | "Erased"),
            ))
        })
        .collect()
}
