//! What somebody waited by our own doing: for a turn of a pace, for a permit, for a pause that was asked for.
//!
//! Such a wait is not the time of the server that is asked next, so no deadline may count it. A deadline has to know of it
//! while it lasts, not only when it is over, which is why it is shared instead of answered.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Adds up waits, those at the same time once.
#[derive(Debug, Default)]
pub struct Waits {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Waits that last, and since when there is one.
    open: Option<(u32, Instant)>,
    ended: Duration,
}

impl Waits {
    /// Waits for something that is our own doing.
    pub async fn on<T>(&self, wait: impl Future<Output = T>) -> T {
        let _open = Open::of(self);
        wait.await
    }

    /// Gives the time of the waits so far; nothing while one lasts.
    pub fn ended(&self) -> Option<Duration> {
        self.with(|state| state.open.is_none().then_some(state.ended))
    }

    /// Gives the time waited so far, that of a wait which lasts included.
    pub fn so_far(&self) -> Duration {
        self.with(|state| {
            let open = state.open.map(|(_, since)| since.elapsed());
            state.ended + open.unwrap_or_default()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A wait that lasts; also one that is given up ends.
struct Open<'w>(&'w Waits);

impl<'w> Open<'w> {
    fn of(waits: &'w Waits) -> Self {
        waits.with(|state| {
            let (count, since) = state.open.unwrap_or_else(|| (0, Instant::now()));
            state.open = Some((count + 1, since));
        });
        Self(waits)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.with(|state| {
            state.open = match state.open {
                Some((count, since)) if count > 1 => Some((count - 1, since)),
                Some((_, since)) => {
                    state.ended += since.elapsed();
                    None
                }
                None => None,
            };
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn waits_at_the_same_time_end_with_the_last_of_them_also_when_given_up() {
        let waits = Waits::default();
        let mut first = Box::pin(waits.on(std::future::pending::<()>()));
        let mut second = Box::pin(waits.on(std::future::pending::<()>()));
        assert_eq!(waits.ended(), Some(Duration::ZERO));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert_eq!(waits.ended(), None);
        drop(second);
        let ended = waits.ended();
        assert!(ended.is_some_and(|ended| ended > Duration::ZERO));
        assert_eq!(ended, Some(waits.so_far()));
    }
}
