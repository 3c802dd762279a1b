//! A bounded memory of things that are forgotten after a while.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Keeps values by key for a time; when it is full, the oldest goes.
#[derive(Debug)]
pub(super) struct Remembered<K, V> {
    values: HashMap<K, (V, Instant)>,
    /// Keys in the order in which they were last put in; those that were put in again are there twice, and only the last
    /// one counts.
    order: VecDeque<(K, Instant)>,
    most: usize,
    ttl: Duration,
}

impl<K: Eq + Hash + Clone, V> Remembered<K, V> {
    pub(super) fn new(most: usize, ttl: Duration) -> Self {
        Self {
            values: HashMap::new(),
            order: VecDeque::new(),
            most,
            ttl,
        }
    }

    pub(super) fn put(&mut self, key: K, value: V, now: Instant) {
        self.values.insert(key.clone(), (value, now));
        self.order.push_back((key, now));
        self.trim(now);
    }

    pub(super) fn get(&self, key: &K, now: Instant) -> Option<&V> {
        let (value, since) = self.values.get(key)?;
        (now.saturating_duration_since(*since) < self.ttl).then_some(value)
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.values.remove(key);
    }

    /// Drops what is too old, and the oldest while there is too much of it.
    fn trim(&mut self, now: Instant) {
        while let Some((key, since)) = self.order.front() {
            let current = self
                .values
                .get(key)
                .is_some_and(|(_, known)| known == since);
            let old = now.saturating_duration_since(*since) >= self.ttl;
            if current && !old && self.order.len() <= self.most {
                return;
            }
            if current {
                self.values.remove(key);
            }
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(10);

    #[test]
    fn things_are_forgotten_in_time_and_the_oldest_when_there_are_too_many() {
        let now = Instant::now();
        let mut memory = Remembered::new(3, TTL);
        for (n, key) in ["a", "b", "c", "d"].into_iter().enumerate() {
            memory.put(key, n, now);
        }
        assert_eq!(memory.get(&"a", now), None);
        assert_eq!(memory.get(&"b", now), Some(&1));
        memory.put("e", 4, now + TTL / 2);
        assert_eq!(memory.get(&"e", now + TTL), Some(&4));
        assert_eq!(memory.get(&"d", now + TTL), None);
        memory.forget(&"e");
        assert_eq!(memory.get(&"e", now + TTL / 2), None);
    }

    #[test]
    fn what_is_put_in_again_and_again_takes_no_more_room() {
        let start = Instant::now();
        let mut memory = Remembered::new(3, Duration::from_secs(3_600));
        memory.put("other", 0, start);
        for n in 1..1_000_u64 {
            memory.put("same", n, start + Duration::from_millis(n));
        }
        assert!(memory.order.len() <= 3 && memory.values.len() <= 3);
        assert_eq!(memory.get(&"same", start + TTL), Some(&999));
    }
}
