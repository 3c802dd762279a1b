//! The paces that engines share, so that two campaigns together are no more of a burden than one.
//!
//! A pace belongs to whom it protects: a resolver, the servers of a zone, everybody. Engines whose configurations hold
//! clones of one [`Limits`] and that keep the same rate towards the same one keep it together.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{Rate, pace::Pacer};

/// Paces kept without a look at which of them are idle.
const MANY: usize = 16_384;

/// Whom a pace protects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Whom {
    /// A resolver, by its name in reports.
    Resolver(Box<str>),
    /// The servers of a zone.
    Zone(Box<str>),
    /// Everybody: all packets.
    All,
}

/// The rate is part of the key: its bits, for a number with a fraction has no hash.
type Key = (Whom, u64, u32);

#[derive(Debug)]
struct Kept {
    pacers: HashMap<Key, Arc<Pacer>>,
    /// How many there may be before idle ones are looked for.
    many: usize,
}

/// The paces of all engines whose configurations hold clones of it.
#[derive(Clone, Debug)]
pub struct Limits(Arc<Mutex<Kept>>);

impl PartialEq for Limits {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Kept {
            pacers: HashMap::new(),
            many: MANY,
        })))
    }
}

impl Limits {
    /// Gives the pace at a rate that protects somebody.
    ///
    /// An idle pace is forgotten when there are many; it would be no different from a new one. What is left is bounded by
    /// the checks under way.
    pub(super) fn pacer(&self, whom: Whom, rate: Rate) -> Arc<Pacer> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.pacers.len() >= kept.many {
            let now = Instant::now();
            kept.pacers
                .retain(|_, pacer| Arc::strong_count(pacer) > 1 || !pacer.is_idle(now));
            kept.many = MANY.max(2 * kept.pacers.len());
        }
        let key = (whom, rate.per_second.to_bits(), rate.burst);
        let pacer = kept
            .pacers
            .entry(key)
            .or_insert_with(|| Arc::new(Pacer::new(rate)));
        Arc::clone(pacer)
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    const RATE: Rate = Rate {
        per_second: 0.001,
        burst: 1,
    };

    fn zone(name: &str) -> Whom {
        Whom::Zone(name.into())
    }

    #[test]
    fn the_same_rate_towards_the_same_one_is_one_pace() {
        let limits = Limits::default();
        let pacer = |whom, rate| limits.clone().pacer(whom, rate);
        let first = pacer(zone("com"), RATE);
        assert!(Arc::ptr_eq(&first, &pacer(zone("com"), RATE)));
        for other in [
            pacer(zone("net"), RATE),
            pacer(Whom::Resolver("com".into()), RATE),
            pacer(zone("com"), Rate { burst: 2, ..RATE }),
        ] {
            assert!(!Arc::ptr_eq(&first, &other));
        }
    }

    #[tokio::test]
    async fn of_many_paces_those_that_are_idle_and_unused_are_forgotten() {
        let limits = Limits::default();
        let held = limits.pacer(zone("held"), RATE);
        limits
            .pacer(zone("busy"), RATE)
            .wait(&CancellationToken::new())
            .await;
        for nth in 0..2 * MANY {
            limits.pacer(zone(&nth.to_string()), RATE);
        }
        let kept = limits.0.lock().unwrap();
        assert!(kept.pacers.len() <= MANY, "{}", kept.pacers.len());
        drop(kept);
        assert!(Arc::ptr_eq(&held, &limits.pacer(zone("held"), RATE)));
        let busy = limits.pacer(zone("busy"), RATE);
        assert!(!busy.is_idle(Instant::now()), "its pace goes on");
    }
}
