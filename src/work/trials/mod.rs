//! Trials: what a user sets is tried at once, outside any run: a persona on a target, keywords on single pages.
//!
//! A trial works with engines like those of runs, made for one request and gone with it: the same personas, the same guard
//! of addresses, the same robots.txt and the same bounds of bodies, redirects and time, and the paces towards resolvers and
//! zones that the process keeps. Nothing of it is recorded. Every fetch goes through [`Pages`], by its one `visit`.

mod dns;
mod findings;
mod http;
mod keywords;
mod pages;
mod target;
mod turns;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aggregates::ids::UserId;
use tokio::time::timeout_at;
use tokio_util::sync::{CancellationToken, DropGuard};
use validation::{dns::Report, http::Step};

use self::turns::{Turn, Turns};
pub use self::{
    dns::few_enough,
    findings::Findings,
    keywords::{Extracted, Item, Key, Words},
    pages::Pages,
    target::{Target, page_url},
    turns::Busy,
};
pub use super::extraction::Robots;

/// Trials of one process at once.
const AT_ONCE: usize = 16;
/// Those of them that one user may have.
const OF_ONE_USER: usize = 4;
/// How long a trial may take as a whole.
const WHOLE: Duration = Duration::from_secs(60);

/// Whoever is told what a trial sees; must not block.
pub type Tell = Arc<dyn Fn(Seen) + Send + Sync>;

/// What a trial saw.
#[derive(Clone, Debug)]
pub enum Seen {
    /// One resolver was asked by itself.
    Resolver {
        /// Its address or URL.
        resolver: String,
        /// How it was asked: `udp`, `tls`, `https`, or `tcp` where an answer did not fit into a packet.
        transport: &'static str,
        /// What came of it.
        found: Result<Report, Unfinished>,
    },
    /// The name was asked for as a run does.
    Lookup(Result<Report, Unfinished>),
    /// A fetch made a step.
    Http(Step),
    /// This is what robots.txt says of the page.
    Robots(Robots),
    /// A page came whole.
    Fetched {
        /// Where it was in the end.
        url: Option<String>,
        /// The status.
        status: Option<u16>,
        /// Bytes after decompression, as far as they were read.
        bytes: usize,
    },
}

/// Why a trial has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// The time of the whole request is over.
    #[error("the request's time of {} s was over", .0.as_secs())]
    NoTime(Duration),
    /// The share of it is over in which resolvers are asked by themselves.
    #[error("nothing was answered in the first {} s of the request, in which each resolver is asked by itself", .0.as_secs())]
    NoShare(Duration),
    /// That share was over before it was begun.
    #[error("it was not asked: the first {} s of the request, in which each resolver is asked by itself, were over", .0.as_secs())]
    NotBegun(Duration),
    /// The process ends.
    #[error("the server is being stopped")]
    Stopped,
    /// The engine cannot be had, in words.
    #[error("{0}")]
    Engine(String),
}

/// The trials of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trials {
    turns: Arc<Turns>,
    whole: Duration,
}

impl Default for Trials {
    fn default() -> Self {
        Self::new(AT_ONCE, OF_ONE_USER, WHOLE)
    }
}

/// One request's turn. Its engines end with it.
#[derive(Debug)]
pub struct Trial {
    since: Instant,
    whole: Duration,
    cancel: CancellationToken,
    _end: DropGuard,
    _turn: Turn,
}

impl Trials {
    /// Allows so many trials at once, so many of them to one user, each of which may take so long.
    #[must_use]
    pub fn new(at_once: usize, of_one_user: usize, whole: Duration) -> Self {
        Self {
            turns: Arc::new(Turns::new(at_once, of_one_user)),
            whole,
        }
    }

    /// Begins a user's trial, which ends with the token at the latest.
    ///
    /// # Errors
    /// Why it has to wait.
    pub fn begin(&self, user: UserId, stop: &CancellationToken) -> Result<Trial, Busy> {
        let turn = self.turns.take(user)?;
        let cancel = stop.child_token();
        Ok(Trial {
            since: Instant::now(),
            whole: self.whole,
            _end: cancel.clone().drop_guard(),
            cancel,
            _turn: turn,
        })
    }
}

impl Trial {
    /// Returns how long the trial has lasted.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.since.elapsed()
    }

    /// Waits for something as long as there is time and the process goes on.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Unfinished> {
        self.within(self.whole, work)
            .await
            .map_err(|stopped| stopped.unwrap_or(Unfinished::NoTime(self.whole)))
    }

    /// Waits for something that has to be there so long after the beginning, or says what else has ended it.
    async fn within<T>(
        &self,
        share: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Option<Unfinished>> {
        let deadline = tokio::time::Instant::from_std(self.since + share);
        let timed = timeout_at(deadline, work);
        match self.cancel.run_until_cancelled(timed).await {
            Some(done) => done.map_err(|_| None),
            None => Err(Some(Unfinished::Stopped)),
        }
    }
}
