//! Sending requests at a rate.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::config::Rate;

/// Gives out turns by the generic cell rate algorithm: one number, no queue, no background task.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// How far ahead of the even rhythm a turn may be.
    slack: Duration,
    /// When the next turn is due in the even rhythm.
    due: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        let interval = Duration::from_secs_f64(1.0 / rate.per_second);
        Self {
            interval,
            slack: interval.saturating_mul(rate.burst.saturating_sub(1)),
            due: Mutex::new(None),
        }
    }

    /// Waits for a turn and tells how long that took. A turn that is given up while waiting stays taken, which is slower, never
    /// faster, than the rate.
    pub(super) async fn turn(&self) -> Duration {
        let wait = self.reserve(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        wait
    }

    /// Takes a turn if one is due now.
    pub(super) fn turn_now(&self) -> bool {
        let now = Instant::now();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let this = due.unwrap_or(now).max(now);
        let is_due = this.saturating_duration_since(now) <= self.slack;
        if is_due {
            *due = Some(this + self.interval);
        }
        is_due
    }

    fn reserve(&self, now: Instant) -> Duration {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let this = due.unwrap_or(now).max(now);
        *due = Some(this + self.interval);
        this.saturating_duration_since(now)
            .saturating_sub(self.slack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_evenly() {
        let pace = Pace::new(Rate {
            per_second: 10.0,
            burst: 3,
        });
        let now = Instant::now();
        let waits: Vec<_> = (0..5).map(|_| pace.reserve(now).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100, 200]);
        // After a rest there is one burst again, not the sum of all that was missed.
        let later = now + Duration::from_secs(60);
        let waits: Vec<_> = (0..4).map(|_| pace.reserve(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 0, 100]);
    }
}
