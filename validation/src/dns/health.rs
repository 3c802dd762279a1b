//! The health of one resolver: a circuit breaker that counts outcomes.
//!
//! An NXDOMAIN is a success. A failure counts as the resolver's own when another one answered the same
//! question; while nobody could answer it, the zone may be to blame, and it takes four times as many in a row.
//! A resolver that fails is rested; after that one query tries it, and its result decides.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

/// Failures of its own, one after the other, that send a resolver to rest.
const OWN_IN_A_ROW: u32 = 5;
/// Failures of anybody's, one after the other, that do.
const ANY_IN_A_ROW: u32 = 4 * OWN_IN_A_ROW;
/// Share of failures of its own, of late, that does.
const TOO_MANY: f64 = 0.5;
/// Weight of one more outcome in that share.
const NEWEST: f64 = 1.0 / 16.0;
/// Questions that a resolver of which nothing is known yet has in flight at most; each answer makes room for two more. So
/// one that is dead costs a handful of questions, and not as many as are asked within a time-out.
const UNPROVEN: u64 = 4;
/// Longest rest.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// `gate` of a resolver that works.
const OPEN: u64 = 0;
/// `gate` of a resolver that is being tried with one query.
const TRYING: u64 = u64::MAX;

/// Whose failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The resolver's: another answered.
    Own,
    /// Unknown: nobody answered.
    Unknown,
}

/// Says what a resolver may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Works.
    Healthy,
    /// Failed and is left alone for a while.
    Resting,
    /// Is being tried with one query.
    Trying,
}

/// Counts of outcomes since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Conclusive answers, NXDOMAIN and empty ones included.
    pub answered: u64,
    /// Failures of the resolver's own.
    pub failed: u64,
    /// Failures to questions that nobody answered.
    pub unresolved: u64,
    /// Times it was sent to rest.
    pub rested: u64,
}

#[derive(Debug, Default)]
struct Record {
    tally: Tally,
    own_in_a_row: u32,
    any_in_a_row: u32,
    share: f64,
    /// Zero until it first fails.
    rest: Duration,
}

/// The breaker of one resolver.
#[derive(Debug)]
pub(super) struct Health {
    start: Instant,
    first_rest: Duration,
    /// `OPEN`, `TRYING`, or the millisecond at which the rest ends, readable without a lock.
    gate: AtomicU64,
    /// Answers since the start or the last rest.
    proven: AtomicU64,
    record: Mutex<Record>,
}

impl Health {
    pub(super) fn new(start: Instant, first_rest: Duration) -> Self {
        Self {
            start,
            first_rest,
            gate: AtomicU64::new(OPEN),
            proven: AtomicU64::new(0),
            record: Mutex::default(),
        }
    }

    /// Tells whether it may be sent anything.
    pub(super) fn is_healthy(&self) -> bool {
        self.gate.load(Ordering::Relaxed) == OPEN
    }

    /// Tells whether it has answered often enough for one more question beside those in flight.
    pub(super) fn has_room(&self, in_flight: usize) -> bool {
        let proven = self.proven.load(Ordering::Relaxed);
        let room = proven.saturating_mul(2).saturating_add(UNPROVEN);
        u64::try_from(in_flight).is_ok_and(|in_flight| in_flight < room)
    }

    /// Claims the one query that tries a rested resolver; whoever gets `true` must report how it went.
    pub(super) fn claim_trial(&self, now: Instant) -> bool {
        let gate = self.gate.load(Ordering::Relaxed);
        gate != OPEN
            && gate != TRYING
            && gate <= self.millis(now)
            && self
                .gate
                .compare_exchange(gate, TRYING, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Gives a trial back that never came to a result.
    pub(super) fn abandon_trial(&self, now: Instant) {
        let due = self.millis(now).max(1);
        // Whoever claims next tries at once.
        let _ = self
            .gate
            .compare_exchange(TRYING, due, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Counts a conclusive answer.
    pub(super) fn success(&self, trial: bool) {
        self.proven.fetch_add(1, Ordering::Relaxed);
        let mut record = self.lock();
        record.tally.answered += 1;
        record.own_in_a_row = 0;
        record.any_in_a_row = 0;
        record.share -= record.share * NEWEST;
        if trial {
            record.share = 0.0;
            record.rest = Duration::ZERO;
            self.gate.store(OPEN, Ordering::Relaxed);
        }
    }

    /// Counts a failure; says whether it sent the resolver to rest.
    pub(super) fn failure(&self, blame: Blame, now: Instant) -> bool {
        let mut record = self.lock();
        record.any_in_a_row = record.any_in_a_row.saturating_add(1);
        match blame {
            Blame::Own => {
                record.tally.failed += 1;
                record.own_in_a_row = record.own_in_a_row.saturating_add(1);
                record.share += (1.0 - record.share) * NEWEST;
            }
            Blame::Unknown => record.tally.unresolved += 1,
        }
        let fails = record.own_in_a_row >= OWN_IN_A_ROW
            || record.any_in_a_row >= ANY_IN_A_ROW
            || record.share > TOO_MANY;
        let rests = fails && self.is_healthy();
        if rests {
            self.send_to_rest(&mut record, now);
        }
        rests
    }

    /// Counts a trial that failed: back to rest, for longer.
    pub(super) fn trial_failed(&self, now: Instant) {
        let mut record = self.lock();
        record.tally.failed += 1;
        self.send_to_rest(&mut record, now);
    }

    fn send_to_rest(&self, record: &mut Record, now: Instant) {
        record.rest = (record.rest * 2).clamp(self.first_rest, LONGEST_REST.max(self.first_rest));
        record.tally.rested += 1;
        record.own_in_a_row = 0;
        record.any_in_a_row = 0;
        record.share = 0.0;
        self.proven.store(0, Ordering::Relaxed);
        self.gate
            .store(self.millis(now + record.rest).max(1), Ordering::Relaxed);
    }

    pub(super) fn condition(&self) -> Condition {
        match self.gate.load(Ordering::Relaxed) {
            OPEN => Condition::Healthy,
            TRYING => Condition::Trying,
            _ => Condition::Resting,
        }
    }

    pub(super) fn tally(&self) -> Tally {
        self.lock().tally
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.start).as_millis()).unwrap_or(TRYING - 1)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Duration = Duration::from_secs(1);

    #[test]
    fn failures_of_its_own_send_a_resolver_to_rest_and_a_trial_decides() {
        let start = Instant::now();
        let health = Health::new(start, REST);
        for _ in 0..OWN_IN_A_ROW - 1 {
            assert!(!health.failure(Blame::Own, start));
        }
        assert!(health.is_healthy());
        assert!(health.failure(Blame::Own, start));
        assert_eq!(health.condition(), Condition::Resting);
        assert!(!health.claim_trial(start + REST / 2), "rests its time");
        assert!(health.claim_trial(start + REST));
        assert!(!health.claim_trial(start + REST), "one trial at a time");
        health.trial_failed(start + REST);
        assert!(
            !health.claim_trial(start + REST * 2),
            "rests longer the second time"
        );
        assert!(health.claim_trial(start + REST * 3));
        health.abandon_trial(start + REST * 3);
        assert!(
            health.claim_trial(start + REST * 3),
            "an abandoned trial is given on"
        );
        health.success(true);
        assert!(health.is_healthy());
        assert_eq!(health.tally().rested, 2);
    }

    #[test]
    fn a_resolver_gets_more_at_once_as_it_answers_and_begins_anew_after_a_rest() {
        let start = Instant::now();
        let health = Health::new(start, REST);
        assert!(health.has_room(3) && !health.has_room(4));
        health.success(false);
        assert!(health.has_room(5) && !health.has_room(6));
        for _ in 0..OWN_IN_A_ROW {
            health.failure(Blame::Own, start);
        }
        assert!(!health.has_room(4));
    }

    #[test]
    fn a_success_between_failures_keeps_a_resolver_at_work() {
        let start = Instant::now();
        let health = Health::new(start, REST);
        for _ in 0..200 {
            health.failure(Blame::Own, start);
            health.success(false);
            health.success(false);
        }
        assert!(health.is_healthy());
    }

    #[test]
    fn questions_that_nobody_answers_weigh_a_quarter() {
        let start = Instant::now();
        let health = Health::new(start, REST);
        for _ in 0..ANY_IN_A_ROW - 1 {
            assert!(!health.failure(Blame::Unknown, start));
        }
        assert!(health.failure(Blame::Unknown, start));
    }

    #[test]
    fn a_resolver_that_fails_two_times_of_three_is_rested() {
        let start = Instant::now();
        let health = Health::new(start, REST);
        let rested = (0..60).any(|round| {
            if round % 3 == 2 {
                health.success(false);
                false
            } else {
                health.failure(Blame::Own, start)
            }
        });
        assert!(rested);
    }
}
