//! The suppression list of a process, level with the log.
//!
//! Everything of a process that sends anything looks into one list in memory ([`Suppression`]). It begins with the read model
//! and goes on with the feed from where that stands, so that neither a read model that is behind nor one that stands still
//! keeps an entry from being in force. Where the feed cannot be read, the list stays what it was: nothing can be recorded
//! meanwhile either. Before it was read for the first time, and where it says something that this program does not
//! understand, nothing is sent: nobody knows then who wants to be left alone.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use aggregates::{
    ids::SuppressionId,
    suppression::{self, Event, Kind, Target},
};
use cqrs_es::Aggregate as _;
use event_store::{Database, Position, describe};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use validation::suppression::{BadEntry, Entry, Kind as EntryKind, List, Suppression};

/// Events that are read at a time, about.
const PAGE: u32 = 5_000;
/// How long the feed is waited for, before it is asked again.
const STEADY: Duration = Duration::from_secs(2);
/// How long it waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long it waits before it reads again what it did not understand: that becomes no plainer by being read.
const WHILE_HALTED: Duration = Duration::from_secs(30);
/// The one type of events that the list is made of.
const TYPES: [&str; 1] = [suppression::Entry::TYPE];

/// Keeps the list of a process level with the log. Clones share it.
#[derive(Clone, Debug)]
pub struct Follower {
    database: Database,
    list: Suppression,
    at: Arc<watch::Sender<Position>>,
    standing: Arc<watch::Sender<Standing>>,
}

/// How the list of a process stands to the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// It was not read yet; nothing is sent.
    #[default]
    Unread,
    /// It has everything that was recorded, a moment's events apart.
    Level,
    /// The log cannot be read at the moment; the list stays what it was.
    Behind,
    /// The log has an entry that this program does not understand; nothing is sent.
    Halted,
}

/// Why the list cannot be kept level.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read the suppression list")]
    Database(#[from] sqlx::Error),
    #[error("cannot follow the suppression list")]
    Log(#[from] event_store::Error),
    #[error("the suppression list has an event that cannot be read")]
    Event(#[source] event_store::Error),
    #[error("the suppression list cannot be honoured")]
    Entry(#[from] BadEntry),
}

impl Error {
    /// Tells how the list stands after it.
    fn standing(&self, before: Standing) -> Standing {
        match self {
            Self::Event(_) | Self::Entry(_) => Standing::Halted,
            Self::Database(_) | Self::Log(_) if before == Standing::Level => Standing::Behind,
            Self::Database(_) | Self::Log(_) => before,
        }
    }
}

impl Follower {
    /// Starts without a list, until [`run`](Self::run) reads it.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            list: Suppression::unread(),
            at: Arc::default(),
            standing: Arc::default(),
        }
    }

    /// Tells how the list stands to the log.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.standing.borrow()
    }

    /// Tells up to where in the log the list was read.
    #[must_use]
    pub fn position(&self) -> Position {
        *self.at.borrow()
    }

    /// Returns the list in force.
    #[must_use]
    pub const fn list(&self) -> &Suppression {
        &self.list
    }

    /// Waits, at most for `limit`, until the list has everything up to a position, and says whether it does.
    pub async fn reaches(&self, position: Position, limit: Duration) -> bool {
        let mut at = self.at.subscribe();
        timeout(limit, at.wait_for(|at| *at >= position))
            .await
            .is_ok()
    }

    /// Follows the log until the token is cancelled.
    pub async fn run(self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.keep_level()).await;
    }

    async fn keep_level(&self) {
        loop {
            let Err(error) = self.follow().await;
            let standing = error.standing(self.standing());
            if standing == Standing::Halted {
                self.list.withdraw();
            }
            self.standing.send_replace(standing);
            tracing::error!(error = %describe(&error), ?standing, "the suppression list is not kept level, trying again");
            let pause = match standing {
                Standing::Halted => WHILE_HALTED,
                _ => AFTER_FAILURE,
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn follow(&self) -> Result<Infallible, Error> {
        let feed = self.database.feed();
        let whole = projections::suppression::whole(self.database.pool()).await?;
        let mut targets: HashMap<SuppressionId, Target> = whole.targets.into_iter().collect();
        let mut at = whole.at;
        let mut stale = true;
        loop {
            let page = feed.after(at, PAGE, Some(&TYPES)).await?;
            for recorded in &page.events {
                apply(&mut targets, recorded.event.decode().map_err(Error::Event)?);
                stale = true;
            }
            at = page.next;
            if at < page.head {
                continue;
            }
            if stale {
                let list = made_of(&targets)?;
                self.standing.send_replace(Standing::Level);
                self.list.set(list);
                stale = false;
            }
            self.at.send_replace(at);
            feed.wait_past(at, STEADY).await?;
        }
    }
}

fn apply(targets: &mut HashMap<SuppressionId, Target>, event: Event) {
    match event {
        Event::AddedToSuppressionList { target, .. } => {
            targets.insert(target.id(), target);
        }
        Event::RemovedFromSuppressionList { target, .. } => {
            targets.remove(&target.id());
        }
    }
}

fn made_of(targets: &HashMap<SuppressionId, Target>) -> Result<List, BadEntry> {
    List::new(targets.iter().map(|(id, target)| Entry {
        id: id.0,
        kind: match target.kind() {
            Kind::Domain => EntryKind::Domain,
            Kind::Suffix => EntryKind::Suffix,
            Kind::Cidr => EntryKind::Cidr,
            Kind::Nameserver => EntryKind::NameServer,
        },
        value: target.value().to_owned(),
    }))
}
