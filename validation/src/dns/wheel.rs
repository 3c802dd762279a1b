//! A timing wheel: many deadlines, one clock, constant cost for each.
//!
//! A query that is answered leaves its entry behind; it is recognised as stale when its slot comes. So the
//! wheel holds at most the packets that one socket sends within one time-out.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Translates time into ticks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    tick: Duration,
}

impl Clock {
    /// Starts to count, in ticks fine enough for the time-out: a fiftieth of it, from 1 to 20 ms.
    pub(super) fn for_timeout(timeout: Duration) -> Self {
        Self {
            start: Instant::now(),
            tick: (timeout / 50).clamp(Duration::from_millis(1), Duration::from_millis(20)),
        }
    }

    /// Gives the length of a tick.
    pub(super) const fn tick(&self) -> Duration {
        self.tick
    }

    /// Gives the tick in which we are.
    pub(super) fn now(&self) -> u64 {
        self.ticks(self.start.elapsed())
    }

    /// Gives the first tick at whose beginning `timeout` has passed for sure.
    pub(super) fn deadline(&self, timeout: Duration) -> u64 {
        self.ticks(self.start.elapsed() + timeout) + 1
    }

    fn ticks(&self, elapsed: Duration) -> u64 {
        u64::try_from(elapsed.as_micros() / self.tick.as_micros().max(1)).unwrap_or(u64::MAX)
    }
}

/// Holds what falls due, by tick.
#[derive(Debug)]
pub(super) struct Wheel<T> {
    /// The front belongs to tick `next`, the one behind it to `next + 1`, and so on.
    slots: VecDeque<Vec<T>>,
    next: u64,
    len: usize,
}

impl<T> Wheel<T> {
    /// Starts empty at a tick.
    pub(super) const fn new(now: u64) -> Self {
        Self {
            slots: VecDeque::new(),
            next: now,
            len: 0,
        }
    }

    /// Tells whether nothing can fall due.
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds what falls due at `deadline`; a deadline that has passed falls due at the next turn.
    pub(super) fn insert(&mut self, deadline: u64, item: T) {
        let ahead = usize::try_from(deadline.saturating_sub(self.next)).unwrap_or(usize::MAX);
        if ahead >= self.slots.len() {
            self.slots.resize_with(ahead + 1, Vec::new);
        }
        if let Some(slot) = self.slots.get_mut(ahead) {
            slot.push(item);
            self.len += 1;
        }
    }

    /// Turns up to the tick `now` and hands out all that has fallen due.
    pub(super) fn advance(&mut self, now: u64, mut due: impl FnMut(T)) {
        while self.next <= now {
            if self.is_empty() {
                self.next = now + 1;
                return;
            }
            if let Some(mut slot) = self.slots.pop_front() {
                self.len -= slot.len();
                slot.drain(..).for_each(&mut due);
                // The emptied slot goes to the back, so that its memory is used again.
                self.slots.push_back(slot);
            }
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_fall_due_at_their_tick_and_not_before() {
        let mut wheel = Wheel::new(10);
        for deadline in [13, 11, 200, 13, 5] {
            wheel.insert(deadline, deadline);
        }
        let mut seen = Vec::new();
        for now in [10, 11, 12, 13, 199, 200] {
            wheel.advance(now, |item| seen.push((now, item)));
        }
        assert_eq!(seen, [(10, 5), (11, 11), (13, 13), (13, 13), (200, 200)]);
        assert!(wheel.is_empty());
        wheel.insert(205, 205);
        wheel.advance(204, |_| panic!("too early"));
        wheel.advance(1_000_000, |item| seen.push((0, item)));
        assert_eq!(seen.last(), Some(&(0, 205)));
    }
}
