//! What politeness has come to, for whoever asks.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::lane::Key;
use super::{Limits, Politeness};

/// The most of those who are left alone that are told.
const MOST_TOLD: usize = 1_000;

/// Why somebody is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It answered 429.
    TooManyRequests,
    /// It answered 503.
    Unavailable,
    /// It said nothing in time.
    Silence,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyRequests => "it answered 429",
            Self::Unavailable => "it answered 503",
            Self::Silence => "it said nothing in time",
        })
    }
}

/// Somebody who is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedOff {
    /// The registrable domain, or the address where there is none.
    pub whom: String,
    /// For how long yet.
    pub left: Duration,
    /// Why.
    pub why: Why,
}

/// The limits in force and what they have come to since the start.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The limits.
    pub limits: Limits,
    /// Who is asked without them.
    pub exempt: Vec<String>,
    /// Requests that were let go.
    pub requests: u64,
    /// Those of them that had to wait.
    pub delayed: u64,
    /// How long they waited, all together.
    pub delay: Duration,
    /// Times that somebody was left alone for a while.
    pub back_offs: u64,
    /// Requests that were not sent because their site wanted to be left alone for longer than is waited.
    pub given_up: u64,
    /// How many are left alone now.
    pub left_alone: usize,
    /// Those, at most a thousand, the longest first.
    pub backed_off: Vec<BackedOff>,
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: AtomicU64,
    pub(super) delayed: AtomicU64,
    /// Microseconds.
    pub(super) delay: AtomicU64,
    pub(super) back_offs: AtomicU64,
    pub(super) given_up: AtomicU64,
}

impl Counts {
    pub(super) fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that leaves after a wait.
    pub(super) fn left(&self, waited: Duration) {
        Self::one(&self.requests);
        if waited >= Duration::from_millis(1) {
            Self::one(&self.delayed);
            let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
            self.delay.fetch_add(micros, Ordering::Relaxed);
        }
    }
}

impl Politeness {
    /// Tells how it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let (counts, of) = (&self.0.counts, |count: &AtomicU64| {
            count.load(Ordering::Relaxed)
        });
        let mut backed_off = self.backed_off(Instant::now());
        let left_alone = backed_off.len();
        backed_off.truncate(MOST_TOLD);
        Standing {
            left_alone,
            backed_off,
            limits: self.limits(),
            exempt: self.0.exempt.list().map(str::to_owned).collect(),
            requests: of(&counts.requests),
            delayed: of(&counts.delayed),
            delay: Duration::from_micros(of(&counts.delay)),
            back_offs: of(&counts.back_offs),
            given_up: of(&counts.given_up),
        }
    }

    fn backed_off(&self, now: Instant) -> Vec<BackedOff> {
        let lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<BackedOff> = lanes
            .known
            .iter()
            .filter_map(|(key, lane)| {
                let (until, why) = lane.state().rests?;
                let left = until
                    .checked_duration_since(now)
                    .filter(|left| !left.is_zero())?;
                let whom = match key {
                    Key::Domain(name) => name.to_string(),
                    Key::Address(address) => address.to_string(),
                };
                Some(BackedOff { whom, left, why })
            })
            .collect();
        drop(lanes);
        found.sort_unstable_by(|one, other| (other.left, &one.whom).cmp(&(one.left, &other.whom)));
        found
    }
}
