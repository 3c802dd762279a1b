//! Trials: what a user sets is tried at once, outside any run: a persona on a target, keywords on single pages.
//!
//! A trial works with engines like those of runs, made for one request and gone with it: the same personas, the same guard
//! of addresses, the same robots.txt and the same bounds of bodies, redirects and time, and the paces towards resolvers and
//! zones that the process keeps. Nothing of it is recorded. Every fetch goes through [`Pages`], by its one `visit`.

mod dns;
mod http;
mod keywords;
mod pages;
mod target;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout_at,
};
use tokio_util::sync::{CancellationToken, DropGuard};
use validation::{dns::Report, http::Step};

pub use self::{
    keywords::{Extracted, Item, Key, Words},
    pages::Pages,
    target::{Target, page_url},
};
pub use super::extraction::Robots;

/// Trials of one process at once.
const AT_ONCE: usize = 16;
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
    /// The engine cannot be had, in words.
    #[error("{0}")]
    Engine(String),
}

/// The trials of a process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Trials {
    turns: Arc<Semaphore>,
    whole: Duration,
}

impl Default for Trials {
    fn default() -> Self {
        Self::new(AT_ONCE, WHOLE)
    }
}

/// One request's turn. Its engines end with it.
#[derive(Debug)]
pub struct Trial {
    since: Instant,
    whole: Duration,
    cancel: CancellationToken,
    _end: DropGuard,
    _turn: OwnedSemaphorePermit,
}

impl Trials {
    /// Allows so many trials at once, each of which may take so long.
    #[must_use]
    pub fn new(at_once: usize, whole: Duration) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
            whole,
        }
    }

    /// Begins a trial; nothing while as many are under way as may be.
    #[must_use]
    pub fn begin(&self) -> Option<Trial> {
        let turn = Arc::clone(&self.turns).try_acquire_owned().ok()?;
        let cancel = CancellationToken::new();
        Some(Trial {
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

    /// Waits for something as long as there is time.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Unfinished> {
        self.within(self.whole, work).await
    }

    /// Waits for something that has to be there so long after the beginning.
    async fn within<T>(
        &self,
        share: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Unfinished> {
        let deadline = tokio::time::Instant::from_std(self.since + share);
        let done = timeout_at(deadline, work).await;
        done.map_err(|_| Unfinished::NoTime(self.whole))
    }
}
