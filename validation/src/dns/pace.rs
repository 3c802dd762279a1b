//! Pacing: packets leave evenly spaced, not in bursts (the generic cell rate algorithm, ITU-T I.371).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Rate;

/// Hands out moments at which a packet may leave.
///
/// A caller that gives up leaves its moment unused: the pace is never made up for.
#[derive(Debug)]
pub(super) struct Pacer {
    interval: Duration,
    /// How far the schedule may run ahead of the clock: what a burst is made of.
    tolerance: Duration,
    /// When the packet after the last one reserved would be due without any burst.
    next: Mutex<Instant>,
}

impl Pacer {
    /// Starts with a whole burst in hand.
    pub(super) fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs_f64(rate.per_second.recip());
        Self {
            interval,
            tolerance: interval.saturating_mul(rate.burst.saturating_sub(1)),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Takes the next free moment.
    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let due = (*next).max(now);
        *next = due + self.interval;
        due.checked_sub(self.tolerance)
            .map_or(now, |early| early.max(now))
    }

    /// Waits for the next free moment; nothing when `stop` comes first.
    pub(super) async fn wait(&self, stop: &CancellationToken) -> Option<()> {
        let now = Instant::now();
        let moment = self.reserve(now);
        if moment > now {
            stop.run_until_cancelled(sleep_until(moment)).await?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_burst_goes_at_once_and_the_rest_evenly() {
        let pacer = Pacer::new(Rate {
            per_second: 10.0,
            burst: 3,
        });
        let now = Instant::now();
        let offsets: Vec<u128> = (0..6)
            .map(|_| pacer.reserve(now).duration_since(now).as_millis())
            .collect();
        // The pacer was made a moment before `now`, so the waits are at most a millisecond short.
        for (offset, expected) in offsets.into_iter().zip([0, 0, 0, 100, 200, 300]) {
            assert!(
                expected - offset <= 1 || offset == expected,
                "{offset} for {expected}"
            );
        }
        // A long pause earns one burst, not more.
        let later = now + Duration::from_secs(60);
        let at_once = (0..6).filter(|_| pacer.reserve(later) == later).count();
        assert_eq!(at_once, 3);
    }
}
