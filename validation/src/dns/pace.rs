//! Pacing: packets leave evenly spaced, not in bursts (the generic cell rate algorithm, ITU-T I.371).

use std::time::Duration;

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::Rate;

/// How much of a second's packets may follow late ones at once: the hundredth by which no second may exceed its rate.
const CATCH_UP: Duration = Duration::from_millis(10);

/// When packets leave; time goes in, nothing is waited for.
#[derive(Debug)]
struct Schedule {
    interval: Duration,
    /// How far ahead of its time a packet may leave: what a burst is made of.
    early: Duration,
    /// How much delay of ours (a timer's grain, a stalled machine) is made up for. All beyond it is lost to the rate.
    late: Duration,
    /// When the next packet would be due without any burst.
    next: Instant,
}

impl Schedule {
    fn new(rate: Rate, now: Instant) -> Self {
        let interval = Duration::from_secs_f64(rate.per_second.recip());
        Self {
            interval,
            early: interval.saturating_mul(rate.burst.saturating_sub(1)),
            late: CATCH_UP.saturating_sub(interval).max(interval / 2),
            next: now,
        }
    }

    /// Gives the first moment at which the next packet may leave.
    fn due(&self) -> Instant {
        self.next.checked_sub(self.early).unwrap_or(self.next)
    }

    /// Takes note that a packet leaves.
    fn leaves(&mut self, now: Instant) {
        let earliest = now.checked_sub(self.late).unwrap_or(now);
        self.next = self.next.max(earliest) + self.interval;
    }
}

/// Lets one caller go at a time, in the order in which they came, each at its moment.
///
/// The moment is taken when the caller goes: one that gives up before leaves it to the next, and after a stall of the
/// machine the pace is what it was before.
#[derive(Debug)]
pub(super) struct Pacer(Mutex<Schedule>);

impl Pacer {
    /// Starts with a whole burst in hand.
    pub(super) fn new(rate: Rate) -> Self {
        Self(Mutex::new(Schedule::new(rate, Instant::now())))
    }

    /// Waits for the next free moment; nothing when `stop` comes first.
    pub(super) async fn wait(&self, stop: &CancellationToken) -> Option<()> {
        let turn = async {
            let mut schedule = self.0.lock().await;
            let due = schedule.due();
            if due > Instant::now() {
                sleep_until(due).await;
            }
            schedule.leaves(Instant::now());
        };
        stop.run_until_cancelled(turn).await
    }

    /// Tells whether it is as good as a new one: nobody waits, and the last packet is long gone.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.0.try_lock().is_ok_and(|schedule| schedule.next <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Lets packets leave as they may, on a clock that moves in steps as given, and returns when they left.
    fn departures(rate: Rate, steps: impl Iterator<Item = Duration>) -> Vec<Duration> {
        let start = Instant::now();
        let mut schedule = Schedule::new(rate, start);
        let mut now = start;
        let mut left = Vec::new();
        for step in steps {
            now += step;
            while schedule.due() <= now {
                schedule.leaves(now);
                left.push(now - start);
            }
        }
        left
    }

    /// The most packets of any second, its beginning counted and its end not.
    fn most_in_a_second(left: &[Duration]) -> usize {
        let mut first = 0;
        let count_up_to = |(last, at): (usize, &Duration)| {
            while left[first] + SECOND <= *at {
                first += 1;
            }
            last + 1 - first
        };
        left.iter().enumerate().map(count_up_to).max().unwrap_or(0)
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_evenly() {
        let rate = Rate {
            per_second: 10.0,
            burst: 3,
        };
        let ms = Duration::from_millis;
        let left = departures(rate, (0..1_000).map(|_| ms(1)));
        assert_eq!(left[..5], [ms(1), ms(1), ms(1), ms(100), ms(200)]);
        // A long pause earns one burst, not more.
        let left = departures(rate, [ms(0), Duration::from_secs(60)].into_iter());
        assert_eq!(left.len(), 6);
    }

    #[test]
    fn the_grain_of_a_timer_costs_no_rate_and_no_second_has_a_hundredth_more() {
        for per_second in [10.0, 50.0, 100.0, 200.0, 500.0, 3_000.0] {
            let rate = Rate {
                per_second,
                burst: 1,
            };
            // A timer of a millisecond that is up to three late.
            let grain = |nth: u64| Duration::from_millis(1 + nth * 7 % 4);
            let left = departures(rate, (0..4_000).map(grain));
            let whole = left[left.len() - 1].as_secs_f64();
            assert!(
                left.len() as f64 >= 0.97 * per_second * whole,
                "{per_second}"
            );
            let allowed = (per_second * 1.01).max(per_second + 1.0);
            assert!(most_in_a_second(&left) as f64 <= allowed, "{per_second}");
        }
    }

    #[test]
    fn what_a_stall_held_back_is_not_made_up_for() {
        let rate = Rate {
            per_second: 500.0,
            burst: 1,
        };
        let stalls = |nth: u64| Duration::from_millis(if nth % 100 == 50 { 300 } else { 1 });
        let left = departures(rate, (0..2_000).map(stalls));
        assert!(left.len() > 500);
        assert!(
            most_in_a_second(&left) <= 505,
            "{}",
            most_in_a_second(&left)
        );
    }

    #[tokio::test]
    async fn a_caller_that_gives_up_leaves_its_moment_to_the_next() {
        let stop = CancellationToken::new();
        let pacer = Pacer::new(Rate {
            per_second: 0.1,
            burst: 2,
        });
        pacer.wait(&stop).await.unwrap();
        assert!(!pacer.is_idle(Instant::now()));
        {
            let given_up = CancellationToken::new();
            given_up.cancel();
            pacer.wait(&stop).await.unwrap();
            assert!(pacer.wait(&given_up).await.is_none());
        }
        let next = pacer.0.lock().await.next;
        assert!(next <= Instant::now() + Duration::from_secs(20));
    }
}
