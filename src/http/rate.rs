//! So many requests a second from each, and no more.
//!
//! Each has a bucket, kept as the one moment when it will be full again (the generic cell rate algorithm, ITU-T I.371): a
//! request moves it on by what one request costs, and is refused where that would be further ahead than a full bucket is
//! worth. What is full is forgotten. Buckets are a process's own: of several nodes each lets so many in.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Buckets that are not full at most. Those who come beyond them share one.
const MOST: usize = 100_000;

/// How many requests there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// In how long one more may come.
    pub each: Duration,
    /// How many may come at once after a rest.
    pub burst: u32,
}

impl Rate {
    /// So many a second, and twice as many at once; none at all says that there is no limit.
    #[must_use]
    pub fn a_second(number: u32) -> Option<Self> {
        Self::within(Duration::from_secs(1), number, number.saturating_mul(2))
    }

    /// So many a minute, and as many at once; none at all says that there is no limit.
    #[must_use]
    pub fn a_minute(number: u32) -> Option<Self> {
        Self::within(Duration::from_secs(60), number, number)
    }

    /// Returns how many there may be in a time; without a rate, 0 as it is set.
    pub(super) fn number_in(rate: Option<Self>, time: Duration) -> u32 {
        rate.map_or(0, |rate| {
            let number = time.as_nanos() / rate.each.as_nanos().max(1);
            u32::try_from(number).unwrap_or(u32::MAX)
        })
    }

    fn within(time: Duration, number: u32, burst: u32) -> Option<Self> {
        (number > 0).then(|| Self {
            each: (time / number).max(Duration::from_nanos(1)),
            burst,
        })
    }
}

/// The buckets of those who are limited alike.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    full_at: Mutex<Levels<K>>,
    most: usize,
}

#[derive(Debug)]
struct Levels<K> {
    of: HashMap<K, Instant>,
    /// Of those who came when there was no room for more.
    crowd: Option<Instant>,
}

impl<K: Hash + Eq> Buckets<K> {
    pub(super) fn new() -> Self {
        Self {
            full_at: Mutex::new(Levels {
                of: HashMap::new(),
                crowd: None,
            }),
            most: MOST,
        }
    }

    /// Tells whether there is a request left in somebody's bucket, and takes none.
    ///
    /// # Errors
    /// After how long there is one in it, where there is none.
    pub(super) fn look(&self, who: &K, rate: Option<Rate>, now: Instant) -> Result<(), Duration> {
        let Some(rate) = rate else {
            return Ok(());
        };
        let levels = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let crowded = levels.of.len() >= self.most;
        let full_at = levels.of.get(who).copied();
        let full_at = full_at.or_else(|| levels.crowd.filter(|_| crowded));
        let ahead = full_at.map_or(now, |at| at.max(now)) + rate.each - now;
        let worth = rate.each.saturating_mul(rate.burst);
        match ahead > worth {
            true => Err(ahead - worth),
            false => Ok(()),
        }
    }

    /// Takes one request out of somebody's bucket, which is filled at a rate: that of the moment, so that it may be changed at
    /// any time.
    ///
    /// # Errors
    /// After how long there is one in it, where there is none.
    pub(super) fn take(&self, who: K, rate: Option<Rate>, now: Instant) -> Result<(), Duration> {
        let Some(rate) = rate else {
            return Ok(());
        };
        let mut levels = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.of.len() >= self.most && !levels.of.contains_key(&who) {
            levels.of.retain(|_, full_at| *full_at > now);
        }
        let known = levels.of.get(&who).copied();
        let crowded = known.is_none() && levels.of.len() >= self.most;
        let full_at = if crowded { levels.crowd } else { known };
        let next = full_at.map_or(now, |at| at.max(now)) + rate.each;
        let worth = rate.each.saturating_mul(rate.burst);
        let ahead = next.saturating_duration_since(now);
        if ahead > worth {
            return Err(ahead - worth);
        }
        match crowded {
            true => levels.crowd = Some(next),
            false => {
                levels.of.insert(who, next);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATED: Option<Rate> = Some(RATE);
    const RATE: Rate = Rate {
        each: Duration::from_millis(100),
        burst: 3,
    };

    #[test]
    fn a_burst_is_let_through_then_one_in_each_span_and_each_has_his_own() {
        let (buckets, begun) = (Buckets::new(), Instant::now());
        for _ in 0..3 {
            assert_eq!(buckets.take("ann", RATED, begun), Ok(()));
        }
        assert_eq!(
            buckets.take("ann", RATED, begun),
            Err(Duration::from_millis(100))
        );
        assert_eq!(buckets.take("bob", RATED, begun), Ok(()));
        let later = begun + Duration::from_millis(60);
        assert_eq!(
            buckets.take("ann", RATED, later),
            Err(Duration::from_millis(40))
        );
        let later = begun + Duration::from_millis(100);
        assert_eq!(buckets.take("ann", RATED, later), Ok(()));
        assert!(buckets.take("ann", RATED, later).is_err());
        let rested = later + Duration::from_secs(60);
        for _ in 0..3 {
            assert_eq!(buckets.take("ann", RATED, rested), Ok(()));
        }
        assert!(buckets.take("ann", RATED, rested).is_err());
    }

    #[test]
    fn whoever_comes_when_there_is_no_room_shares_a_bucket_and_full_ones_make_room() {
        let (mut buckets, begun) = (Buckets::new(), Instant::now());
        buckets.most = 2;
        for who in 0..2 {
            assert_eq!(buckets.take(who, RATED, begun), Ok(()));
        }
        for who in 2..5 {
            assert_eq!(buckets.take(who, RATED, begun), Ok(()));
        }
        assert!(
            buckets.take(5, RATED, begun).is_err(),
            "the crowd has had its three"
        );
        assert_eq!(buckets.take(0, RATED, begun), Ok(()));
        let later = begun + Duration::from_secs(1);
        assert_eq!(buckets.take(5, RATED, later), Ok(()));
        let levels = buckets.full_at.lock().unwrap();
        assert_eq!(levels.of.len(), 1);
    }

    #[test]
    fn no_rate_is_no_limit() {
        let buckets = Buckets::new();
        let now = Instant::now();
        assert!((0..10_000).all(|_| buckets.take((), Rate::a_second(0), now).is_ok()));
        assert_eq!(
            Rate::a_second(100),
            Some(Rate {
                each: Duration::from_millis(10),
                burst: 200
            })
        );
    }

    #[test]
    fn a_rate_that_was_changed_holds_for_buckets_that_were_there_before() {
        let (buckets, now) = (Buckets::new(), Instant::now());
        for _ in 0..3 {
            assert_eq!(buckets.take("ann", RATED, now), Ok(()));
        }
        assert!(buckets.take("ann", RATED, now).is_err());
        assert_eq!(buckets.take("ann", Rate::a_second(1_000), now), Ok(()));
        assert!(buckets.take("ann", RATED, now).is_err());
    }
}
