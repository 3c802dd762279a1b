//! Pacing: packets leave evenly spaced, not in bursts (the generic cell rate algorithm, ITU-T I.371).

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::Rate;

/// How much of a second's packets may follow late ones at once: the hundredth by which no second may exceed its rate.
const CATCH_UP: Duration = Duration::from_millis(10);

/// The pace of nobody's failure, in thousandths of the interval.
const FULL: u32 = 1_000;
/// The slowest pace, an eighth of the rate.
const SLOWEST: u32 = 8 * FULL;

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

    /// Takes note that a packet leaves, the next to follow after so many thousandths of the interval.
    fn leaves(&mut self, now: Instant, stretch: u32) {
        let earliest = now.checked_sub(self.late).unwrap_or(now);
        self.next = self.next.max(earliest) + self.interval.saturating_mul(stretch) / FULL;
    }
}

/// Lets one caller go at a time, in the order in which they came, each at its moment.
///
/// The moment is taken when the caller goes: one that gives up before leaves it to the next, and after a stall of the
/// machine the pace is what it was before.
///
/// Towards one who fails it slows down, by a quarter a failure, and recovers by a twenty-fifth an answer: where more than
/// some 15 % fail, down to an eighth of the rate. It is never faster than the rate to make up for that.
#[derive(Debug)]
pub(super) struct Pacer {
    schedule: Mutex<Schedule>,
    /// Thousandths of the interval that packets keep, from [`FULL`] to [`SLOWEST`].
    stretch: AtomicU32,
}

impl Pacer {
    /// Starts with a whole burst in hand.
    pub(super) fn new(rate: Rate) -> Self {
        Self {
            schedule: Mutex::new(Schedule::new(rate, Instant::now())),
            stretch: AtomicU32::new(FULL),
        }
    }

    /// Waits for the next free moment; nothing when `stop` comes first.
    pub(super) async fn wait(&self, stop: &CancellationToken) -> Option<()> {
        let turn = async {
            let mut schedule = self.schedule.lock().await;
            let due = schedule.due();
            if due > Instant::now() {
                sleep_until(due).await;
            }
            schedule.leaves(Instant::now(), self.stretch.load(Ordering::Relaxed));
        };
        stop.run_until_cancelled(turn).await
    }

    /// Tells whether it is as good as a new one: nobody waits, and the last packet is long gone.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        self.percent() == 100
            && self
                .schedule
                .try_lock()
                .is_ok_and(|schedule| schedule.next <= now)
    }

    /// Takes note of a failure.
    pub(super) fn slow_down(&self) {
        self.stretch_by(|stretch| stretch + stretch / 4);
    }

    /// Takes note of an answer.
    pub(super) fn recover(&self) {
        if self.stretch.load(Ordering::Relaxed) > FULL {
            self.stretch_by(|stretch| stretch - stretch / 25);
        }
    }

    /// Gives how many percent of the rate are made use of.
    pub(super) fn percent(&self) -> u32 {
        100 * FULL / self.stretch.load(Ordering::Relaxed).max(FULL)
    }

    fn stretch_by(&self, change: impl Fn(u32) -> u32) {
        // Of two at once one may be lost: the pace is an estimate.
        let stretch = self.stretch.load(Ordering::Relaxed);
        let changed = change(stretch).clamp(FULL, SLOWEST);
        self.stretch.store(changed, Ordering::Relaxed);
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
                schedule.leaves(now, FULL);
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

    #[test]
    fn failures_slow_it_down_to_an_eighth_and_answers_bring_it_back_and_no_further() {
        let pacer = Pacer::new(Rate {
            per_second: 1.0,
            burst: 1,
        });
        pacer.slow_down();
        assert_eq!(pacer.percent(), 80);
        (0..100).for_each(|_| pacer.slow_down());
        assert_eq!(pacer.percent(), 12);
        (0..100).for_each(|_| pacer.recover());
        assert_eq!(pacer.percent(), 100);
        // One failure among twenty, as on any network.
        for nth in 0..1_000 {
            if nth % 20 == 0 {
                pacer.slow_down();
            } else {
                pacer.recover();
            }
        }
        assert!(pacer.percent() >= 90, "{}", pacer.percent());
        let mut schedule = Schedule::new(
            Rate {
                per_second: 10.0,
                burst: 1,
            },
            Instant::now(),
        );
        let now = schedule.next;
        schedule.leaves(now, SLOWEST);
        assert_eq!(schedule.due() - now, Duration::from_millis(800));
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
        let next = pacer.schedule.lock().await.next;
        assert!(next <= Instant::now() + Duration::from_secs(20));
    }
}
