//! Runs every projection as a task of its own and tells others how far each has come.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use event_store::{Database, Feed, Position, describe};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Error, Projection, checkpoint,
    page::{self, Bound},
};

/// Rows of work that one step of a live projection takes on, about (see [`Projection::weight`]).
pub const LIVE_PAGE: u32 = 4_000;

/// How long a projection that stands by waits before it looks again.
const IDLE: Duration = Duration::from_millis(25);

/// How long a projection that is level with the log waits for news at most, before it shows again that it lives.
const STEADY: Duration = Duration::from_secs(5);

/// How long a projection waits after a failure: long enough not to flood the log.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How long a projection waits at most that cannot apply an event; each time it waits twice as long. Somebody else may
/// apply the event, or put a rebuild in its place.
const LONGEST_STANDSTILL: Duration = Duration::from_secs(15);

/// The projections that a process serves.
#[derive(Clone)]
pub struct Runtime {
    database: Database,
    feed: Feed,
    projections: Arc<[Arc<dyn Projection>]>,
    progress: Arc<BTreeMap<&'static str, watch::Sender<Position>>>,
}

/// A wait that ended before the read models had caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lag {
    /// How many positions the slowest projection is behind.
    pub behind: i64,
}

/// What one step came to.
enum Step {
    /// The checkpoint is at this position; `true` when there is more to read.
    At(Position, bool),
    /// Another process leads.
    StandBy(Position),
}

impl Runtime {
    /// Puts the projections together; nothing runs before [`Runtime::spawn`].
    #[must_use]
    pub fn new(database: Database, projections: Vec<Arc<dyn Projection>>) -> Self {
        let feed = database.feed();
        let progress = projections
            .iter()
            .map(|projection| (projection.name(), watch::Sender::new(Position::START)))
            .collect();
        Self {
            database,
            feed,
            projections: projections.into(),
            progress: Arc::new(progress),
        }
    }

    /// Lists the projections.
    #[must_use]
    pub fn projections(&self) -> &[Arc<dyn Projection>] {
        &self.projections
    }

    /// Starts a task for each projection; they end on the token.
    pub fn spawn(&self, tracker: &TaskTracker, cancel: &CancellationToken) {
        for projection in self.projections.iter().cloned() {
            let (runtime, cancel) = (self.clone(), cancel.clone());
            tracker.spawn(async move {
                cancel.run_until_cancelled(runtime.follow(projection)).await;
            });
        }
    }

    /// Brings every projection up to the end of the log as it is now, without tasks. For tests and one-off commands.
    ///
    /// # Errors
    /// When a batch cannot be applied or the database fails.
    pub async fn catch_up(&self) -> Result<Position, Error> {
        let head = self.feed.head().await?;
        for projection in self.projections.iter() {
            loop {
                match self.step(projection.as_ref(), LIVE_PAGE).await? {
                    Step::At(at, _) | Step::StandBy(at) if at >= head => break,
                    _ => {}
                }
            }
        }
        Ok(head)
    }

    /// Waits until every projection has taken in `position`, at most for `limit`.
    ///
    /// # Errors
    /// [`Lag`] says how far the slowest is behind when the time is up.
    pub async fn wait_for(&self, position: Position, limit: Duration) -> Result<(), Lag> {
        let every = self.progress.values();
        Self::wait_for_all(every, position, limit).await
    }

    /// Waits until every projection that reads an aggregate's events has taken in `position`, at most for `limit`. Those
    /// that do not read them may be busy with what somebody else does.
    ///
    /// # Errors
    /// [`Lag`] says how far the slowest is behind when the time is up.
    pub async fn wait_for_readers_of(
        &self,
        aggregate_type: &str,
        position: Position,
        limit: Duration,
    ) -> Result<(), Lag> {
        let readers = self.projections.iter().filter(|projection| {
            let reads = projection.reads();
            reads.is_empty() || reads.contains(&aggregate_type)
        });
        let progress = readers.filter_map(|projection| self.progress.get(projection.name()));
        Self::wait_for_all(progress, position, limit).await
    }

    async fn wait_for_all(
        progress: impl Iterator<Item = &watch::Sender<Position>>,
        position: Position,
        limit: Duration,
    ) -> Result<(), Lag> {
        let deadline = Instant::now() + limit;
        let mut behind = 0;
        for sender in progress {
            let mut seen = sender.subscribe();
            let reached = timeout_at(deadline, seen.wait_for(|at| *at >= position)).await;
            if !matches!(reached, Ok(Ok(_))) {
                behind = behind.max(position.as_i64() - sender.borrow().as_i64());
            }
        }
        if behind > 0 {
            Err(Lag { behind })
        } else {
            Ok(())
        }
    }

    /// Waits until one projection has taken in `position`.
    ///
    /// # Errors
    /// [`Lag`] when the time is up first.
    pub async fn wait_for_one(
        &self,
        name: &str,
        position: Position,
        limit: Duration,
    ) -> Result<(), Lag> {
        let Some(sender) = self.progress.get(name) else {
            return Err(Lag {
                behind: position.as_i64(),
            });
        };
        let mut seen = sender.subscribe();
        let reached = tokio::time::timeout(limit, seen.wait_for(|at| *at >= position)).await;
        if matches!(reached, Ok(Ok(_))) {
            Ok(())
        } else {
            Err(Lag {
                behind: position.as_i64() - sender.borrow().as_i64(),
            })
        }
    }

    /// Returns how far a projection has come, as this process last saw it.
    #[must_use]
    pub fn position_of(&self, name: &str) -> Position {
        self.progress
            .get(name)
            .map_or(Position::START, |sender| *sender.borrow())
    }

    /// Returns the position that every projection has taken in.
    #[must_use]
    pub fn lowest_position(&self) -> Position {
        self.progress
            .values()
            .map(|sender| *sender.borrow())
            .min()
            .unwrap_or(Position::START)
    }

    async fn follow(&self, projection: Arc<dyn Projection>) {
        let mut standstill = AFTER_FAILURE;
        loop {
            let failed = match self.step(projection.as_ref(), LIVE_PAGE).await {
                Ok(Step::At(_, true)) => {
                    standstill = AFTER_FAILURE;
                    continue;
                }
                Ok(Step::At(at, false)) => match self.feed.wait_past(at, STEADY).await {
                    Ok(_) => continue,
                    Err(error) => error.into(),
                },
                Ok(Step::StandBy(_)) => {
                    tokio::time::sleep(IDLE).await;
                    continue;
                }
                Err(error) => error,
            };
            let pause = match lasting(&failed) {
                Some((reason, between)) => {
                    self.halt(projection.name(), reason, between).await;
                    // Every try writes a page and takes it back.
                    let pause = standstill;
                    standstill = (standstill * 2).min(LONGEST_STANDSTILL);
                    pause
                }
                None => {
                    let (projection, error) = (projection.name(), describe(&failed));
                    tracing::warn!(projection, %error, "projection step failed, trying again");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Notes and tells, once for each reason, that a projection cannot go on. What else is in the page, which grows with
    /// every event that arrives, is no part of the reason.
    async fn halt(&self, projection: &'static str, reason: String, between: Option<(i64, i64)>) {
        let (first, last) = between.unzip();
        match checkpoint::halt(self.database.pool(), projection, &reason).await {
            Ok(true) => tracing::error!(
                projection,
                reason,
                first,
                last,
                "projection halted, an event cannot be applied"
            ),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(projection, reason, %error, "cannot note that the projection halted");
            }
        }
    }

    /// Takes one page in, in one transaction.
    async fn step(&self, projection: &dyn Projection, rows: u32) -> Result<Step, Error> {
        let mut transaction = self.database.pool().begin().await?;
        sqlx::query(LIVE_PATH).execute(&mut *transaction).await?;
        let leads = checkpoint::try_lead(&mut transaction, projection.name()).await?;
        let (from, _) = checkpoint::read(&mut transaction, projection.name()).await?;
        if !leads {
            transaction.commit().await?;
            self.announce(projection, from);
            return Ok(Step::StandBy(from));
        }
        let bound = Bound { rows, until: None };
        let page = page::read(&self.feed, &mut transaction, projection, from, bound).await?;
        let moves = page.next > from;
        if moves {
            page::apply(&mut transaction, projection, &page).await?;
            let count = page.events.len();
            checkpoint::advance(&mut transaction, projection.name(), page.next, count).await?;
        }
        transaction.commit().await?;
        self.announce(projection, page.next);
        Ok(Step::At(page.next, moves))
    }

    fn announce(&self, projection: &dyn Projection, at: Position) {
        if let Some(sender) = self.progress.get(projection.name()) {
            sender.send_if_modified(|seen| {
                let moved = at > *seen;
                if moved {
                    *seen = at;
                }
                moved
            });
        }
    }
}

/// Says why a projection stands still, with the first and the last position of its page where one was read; nothing of a
/// failure that passes by itself.
fn lasting(failed: &Error) -> Option<(String, Option<(i64, i64)>)> {
    match failed {
        Error::Apply {
            first,
            last,
            source,
            ..
        } if !source.is_transient() => Some((describe(source), Some((*first, *last)))),
        Error::Feed(unread) if unread.is_undecodable() => Some((describe(unread), None)),
        _ => None,
    }
}

const LIVE_PATH: &str = "SET LOCAL search_path = read, public";
