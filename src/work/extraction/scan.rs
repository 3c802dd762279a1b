//! The search of pages for a run's keywords, and whose turn it is where searches take long.
//!
//! All runs of a process share its cores, so there is one queue for them. A run has as many places in it as there are cores,
//! whatever it has fetched: a page of a small campaign waits for few pages of each other one, not for the hundreds that
//! the orders of a large one have under way.

use std::{
    num::NonZero,
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, spawn_blocking},
};
use validation::{
    keywords::{Hits, Matcher},
    page::Page,
};

/// From this size on, bytes, a page is searched for literals on a thread that may block: smaller ones cost less than the
/// way there. Regular expressions may take long on any page.
const LARGE_PAGE: usize = 256 * 1024;

/// Pages of all runs that are searched at once on threads that may block. Expressions have their time by the clock, which
/// more searches than there are cores would spend waiting for one another.
static SCANS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(cores())));

fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// Searches the pages of one run.
pub(in crate::work) struct Scanner {
    matcher: Arc<Matcher>,
    turns: Turns,
}

impl Scanner {
    /// Makes a scanner that shares the process's cores with all others.
    pub(in crate::work) fn new(matcher: Matcher) -> Self {
        Self {
            matcher: Arc::new(matcher),
            turns: Turns::new(Arc::clone(&SCANS), cores()),
        }
    }

    /// Looks for the keywords on a page, where that may take long on a thread that may block.
    ///
    /// # Errors
    /// When the search panicked.
    pub(in crate::work) async fn scan(&self, page: Page) -> Result<(Page, Hits), JoinError> {
        self.scan_within(page, usize::MAX).await
    }

    /// Looks for the keywords as [`scan`](Self::scan) does, and keeps so many bytes of contexts at most.
    ///
    /// # Errors
    /// When the search panicked.
    pub(in crate::work) async fn scan_within(
        &self,
        page: Page,
        context_bytes: usize,
    ) -> Result<(Page, Hits), JoinError> {
        if page.bytes < LARGE_PAGE && !self.matcher.has_expressions() {
            let hits = self.matcher.scan_within(&page, context_bytes);
            return Ok((page, hits));
        }
        let (turn, matcher) = (self.turns.take().await, Arc::clone(&self.matcher));
        spawn_blocking(move || {
            let hits = matcher.scan_within(&page, context_bytes);
            drop(turn);
            (page, hits)
        })
        .await
    }
}

/// The turns of one run at something that all of them share.
struct Turns {
    /// Has a place for each turn at once.
    common: Arc<Semaphore>,
    /// Has a place for each turn that the run has or waits for in the common queue.
    own: Arc<Semaphore>,
}

/// A turn; the next one's begins when it is dropped.
struct Turn {
    _common: Option<OwnedSemaphorePermit>,
    _own: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Shares a queue with other runs, having this many places in it.
    fn new(common: Arc<Semaphore>, places: usize) -> Self {
        Self {
            common,
            own: Arc::new(Semaphore::new(places)),
        }
    }

    /// Waits for a place in the queue and then for the turn, each in the order of asking.
    async fn take(&self) -> Turn {
        // Neither is ever closed.
        let own = Arc::clone(&self.own).acquire_owned().await.ok();
        let common = Arc::clone(&self.common).acquire_owned().await.ok();
        Turn {
            _common: common,
            _own: own,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::mpsc, task::Poll};

    use futures::poll;
    use validation::{keywords, page};

    use super::*;
    use crate::work::testing::{all_done, on_one_thread_each};

    fn matcher(pattern: &str, kind: keywords::Kind) -> Matcher {
        let rule = keywords::Rule {
            id: "rule".to_owned(),
            pattern: pattern.to_owned(),
            kind,
            case_sensitive: false,
            category: None,
            weight: 1.0,
            context_chars: 0,
        };
        Matcher::compile(&[rule]).unwrap()
    }

    fn page(bytes: usize) -> Page {
        page::read("a".repeat(bytes).as_bytes(), Some("text/html"), None)
    }

    #[tokio::test]
    async fn regular_expressions_are_matched_off_the_async_threads_on_a_page_of_any_size() {
        assert!(page(100_000).bytes < LARGE_PAGE);
        // It finds quadratically, so that it is stopped after a second.
        let slow = Scanner::new(matcher("(?:.*[^a]|a)", keywords::Kind::Regex));
        let mut slow = pin!(slow.scan(page(100_000)));
        assert!(poll!(slow.as_mut()).is_pending());
        assert_eq!(slow.await.unwrap().1.unique, 1);
        let cheap = Scanner::new(matcher("aaaa", keywords::Kind::Literal));
        assert!(poll!(pin!(cheap.scan(page(100_000)))).is_ready());
    }

    #[tokio::test]
    async fn a_run_with_many_pages_is_ahead_of_another_by_its_places_and_not_by_its_pages() {
        let common = Arc::new(Semaphore::new(2));
        let others = Arc::clone(&common).acquire_many_owned(2).await.unwrap();
        let [large, small] = [(); 2].map(|()| Turns::new(Arc::clone(&common), 2));
        let mut of_large: Vec<_> = (0..20).map(|_| Box::pin(large.take())).collect();
        for take in &mut of_large {
            assert!(poll!(take).is_pending());
        }
        let mut of_small = pin!(small.take());
        assert!(poll!(of_small.as_mut()).is_pending());
        drop(others);
        let mut had = Vec::new();
        for take in &mut of_large {
            if let Poll::Ready(turn) = poll!(take) {
                had.push(turn);
            }
        }
        assert_eq!(had.len(), 2);
        drop(had);
        assert!(poll!(of_small).is_ready());
    }

    #[test]
    fn a_page_is_not_searched_before_its_turn_which_ends_with_the_search() {
        on_one_thread_each(async {
            let common = Arc::new(Semaphore::new(1));
            let scanner = Scanner {
                turns: Turns::new(Arc::clone(&common), 1),
                ..Scanner::new(matcher("aa", keywords::Kind::Literal))
            };
            let other = Arc::clone(&common).acquire_owned().await.unwrap();
            let mut scan = Box::pin(scanner.scan(page(LARGE_PAGE)));
            assert!(poll!(scan.as_mut()).is_pending());
            all_done().await;
            assert!(poll!(scan.as_mut()).is_pending(), "it waits for its turn");

            // Behind something that takes long, and given up by whoever asked for it: a search cannot be stopped.
            let (go, held) = mpsc::channel::<()>();
            let busy = spawn_blocking(move || held.recv());
            drop(other);
            assert!(poll!(scan.as_mut()).is_pending());
            drop(scan);
            assert_eq!(
                common.available_permits(),
                0,
                "it has its turn until it ends"
            );
            assert_eq!(scanner.turns.own.available_permits(), 0);
            go.send(()).unwrap();
            busy.await.unwrap().unwrap();
            all_done().await;
            assert_eq!(common.available_permits(), 1);
        });
    }

    #[test]
    fn the_runs_of_a_process_share_its_cores() {
        let [one, other] = ["a", "b"].map(|literal| {
            let scanner = Scanner::new(matcher(literal, keywords::Kind::Literal));
            (scanner.turns.common, scanner.turns.own)
        });
        assert!(Arc::ptr_eq(&one.0, &other.0) && !Arc::ptr_eq(&one.1, &other.1));
        assert_eq!(one.1.available_permits(), cores());
    }
}
