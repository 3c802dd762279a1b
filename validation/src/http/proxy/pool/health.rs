//! One proxy's health: well, resting, or on trial after a rest.

use std::time::{Duration, Instant};

use crate::http::fault::Fault;

/// How much longer than the first a rest may become.
const LONGEST: u32 = 20;

/// What is known of one proxy.
#[derive(Debug, Default)]
pub(super) struct Standing {
    state: State,
    /// What was last told of it; nothing while it is only taken for healthy.
    told: Option<bool>,
    pub(super) successes: u64,
    pub(super) failures: u64,
}

#[derive(Debug)]
enum State {
    /// It works, with so many failures in a row.
    Well(u32),
    /// It gets no pages until then; so many rests there were.
    Resting { until: Instant, rests: u32 },
    /// One page decides.
    Trial { rests: u32 },
}

impl Default for State {
    fn default() -> Self {
        Self::Well(0)
    }
}

/// What is known of its health is news.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) healthy: bool,
    /// The failure that ended its health.
    pub(super) fault: Option<Fault>,
}

impl Standing {
    pub(super) fn is_healthy(&self) -> bool {
        matches!(self.state, State::Well(_))
    }

    /// Tells whether it has worked before, and has since.
    pub(super) fn is_proven(&self) -> bool {
        self.successes > 0 && matches!(self.state, State::Well(0))
    }

    /// Tells when its rest is over, if it rests.
    pub(super) fn rests_until(&self) -> Option<Instant> {
        match self.state {
            State::Resting { until, .. } => Some(until),
            State::Well(_) | State::Trial { .. } => None,
        }
    }

    /// Begins a trial if its rest is over.
    pub(super) fn claim_trial(&mut self, now: Instant) -> bool {
        match self.state {
            State::Resting { until, rests } if until <= now => {
                self.state = State::Trial { rests };
                true
            }
            _ => false,
        }
    }

    /// Ends a trial that decided nothing; the next page may be one.
    pub(super) fn abandon_trial(&mut self, now: Instant) {
        if let State::Trial { rests } = self.state {
            self.state = State::Resting { until: now, rests };
        }
    }

    /// Counts a page that came through it; the first one is news, too.
    pub(super) fn succeeded(&mut self) -> Option<Change> {
        self.successes += 1;
        self.state = State::Well(0);
        self.tell(true, None)
    }

    fn tell(&mut self, healthy: bool, fault: Option<&Fault>) -> Option<Change> {
        let is_news = self.told.replace(healthy) != Some(healthy);
        is_news.then(|| Change {
            healthy,
            fault: fault.cloned(),
        })
    }

    /// Counts a failure; the last one that is allowed in a row sends it to rest. Failures of pages that were under way when
    /// it went to rest do not make the rest longer.
    pub(super) fn failed(
        &mut self,
        allowed: u32,
        rest: Duration,
        now: Instant,
        fault: &Fault,
    ) -> Option<Change> {
        self.failures += 1;
        match &mut self.state {
            State::Well(failures) => {
                *failures += 1;
                if *failures < allowed {
                    return None;
                }
                self.state = resting(rest, 1, now);
                self.tell(false, Some(fault))
            }
            State::Trial { rests } => {
                self.state = resting(rest, rests.saturating_add(1), now);
                None
            }
            State::Resting { .. } => None,
        }
    }
}

fn resting(rest: Duration, rests: u32, now: Instant) -> State {
    let times = 1_u32
        .checked_shl(rests - 1)
        .map_or(LONGEST, |times| times.min(LONGEST));
    State::Resting {
        until: now + rest.saturating_mul(times),
        rests,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(30);

    fn fail(standing: &mut Standing, now: Instant) -> Option<Change> {
        standing.failed(
            3,
            REST,
            now,
            &Fault::proxy("proxy_refused", "nobody listens"),
        )
    }

    #[test]
    fn only_failures_in_a_row_send_a_proxy_to_rest_and_each_change_is_told_once() {
        let now = Instant::now();
        let mut standing = Standing::default();
        assert_eq!(fail(&mut standing, now), None);
        assert_eq!(fail(&mut standing, now), None);
        let first = standing.succeeded().unwrap();
        assert_eq!((first.healthy, first.fault), (true, None));
        assert_eq!(standing.succeeded(), None);
        assert_eq!(fail(&mut standing, now), None);
        assert_eq!(fail(&mut standing, now), None);
        let change = fail(&mut standing, now).unwrap();
        assert!(!change.healthy);
        assert_eq!(change.fault.unwrap().code, "proxy_refused");
        assert_eq!(fail(&mut standing, now), None);
        assert!(!standing.is_healthy());
        assert_eq!((standing.successes, standing.failures), (2, 6));
    }

    #[test]
    fn after_a_rest_there_is_one_trial_at_a_time_and_each_failed_one_makes_the_rest_longer() {
        let mut now = Instant::now();
        let mut standing = Standing::default();
        (0..3).for_each(|_| drop(fail(&mut standing, now)));
        for times in [1, 2, 4, 8, 16, 20, 20] {
            assert!(!standing.claim_trial(now + REST * times - Duration::from_millis(1)));
            now += REST * times;
            assert!(standing.claim_trial(now));
            assert!(!standing.claim_trial(now), "one at a time");
            assert_eq!(fail(&mut standing, now), None, "it was not healthy before");
        }
        now += REST * 20;
        assert!(standing.claim_trial(now));
        standing.abandon_trial(now);
        assert!(standing.claim_trial(now));
        assert!(standing.succeeded().unwrap().healthy);
        assert!(standing.is_healthy());
    }
}
