//! Who gets the next question.
//!
//! A rested resolver whose time has come is tried first, with a first attempt only, so that a trial never
//! costs a question its last chance. Then the strategy chooses among the healthy that were not asked yet, among
//! the healthy, and, when all rest, among all: the engine goes on with what it has. Where resolvers are equals, one that
//! has yet to prove itself gets few questions at a time.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use super::{Config, Resolver, Strategy, upstream::Upstream};

/// How a strategy chooses, with what it needs for that.
#[derive(Debug)]
enum Choice {
    RoundRobin(AtomicUsize),
    Random,
    /// Weight by index.
    Weighted(Vec<u32>),
    /// Indices, the preferred first.
    Priority(Vec<usize>),
}

/// Chooses among resolvers known by their index.
#[derive(Debug)]
pub(super) struct Picker {
    choice: Choice,
    count: usize,
}

/// A choice made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pick {
    pub(super) index: usize,
    /// This query decides whether a rested resolver works again.
    pub(super) trial: bool,
}

impl Picker {
    /// Prepares the strategy; `origins` says for each address by which entry of the configuration it came.
    pub(super) fn new(config: &Config, origins: &[Resolver]) -> Self {
        let choice = match config.strategy {
            // A random start, so that many engines do not all begin with the same resolver.
            Strategy::RoundRobin => Choice::RoundRobin(AtomicUsize::new(rand::random_range(
                0..origins.len().max(1),
            ))),
            Strategy::Random => Choice::Random,
            Strategy::Weighted => Choice::Weighted(
                origins
                    .iter()
                    .map(|origin| config.weights.get(origin).copied().unwrap_or(1))
                    .collect(),
            ),
            Strategy::Priority => {
                let rank = |index: &usize| {
                    origins.get(*index).and_then(|origin| {
                        config
                            .preferred_order
                            .iter()
                            .position(|preferred| preferred == origin)
                    })
                };
                let mut order: Vec<usize> = (0..origins.len()).collect();
                // Stable: those without a rank keep their order behind the others.
                order.sort_by_key(|index| rank(index).unwrap_or(usize::MAX));
                Choice::Priority(order)
            }
        };
        Self {
            choice,
            count: origins.len(),
        }
    }

    /// Chooses for a question that was already put to `tried`; nothing only if there are no resolvers that may be asked.
    pub(super) fn pick(
        &self,
        upstreams: &[Upstream],
        tried: &[usize],
        may_ask: &dyn Fn(&Upstream) -> bool,
        now: Instant,
    ) -> Option<Pick> {
        let is =
            |index: usize, good: &dyn Fn(&Upstream) -> bool| upstreams.get(index).is_some_and(good);
        let is_free = |index: usize| is(index, may_ask);
        let is_healthy =
            |index: usize| is_free(index) && is(index, &|each| each.health.is_healthy());
        // Under the other strategies the next one would get what is meant for the better one.
        let equals = matches!(self.choice, Choice::RoundRobin(_) | Choice::Random);
        let is_ready = |index: usize| {
            is_healthy(index)
                && (!equals || is(index, &|each| each.health.has_room(each.in_flight())))
        };
        if tried.is_empty() {
            let due =
                |index: &usize| is_free(*index) && is(*index, &|each| each.health.claim_trial(now));
            if let Some(index) = (0..self.count).find(due) {
                return Some(Pick { index, trial: true });
            }
        }
        self.choose(|index| is_ready(index) && !tried.contains(&index))
            .or_else(|| self.choose(|index| is_healthy(index) && !tried.contains(&index)))
            .or_else(|| self.choose(is_healthy))
            .or_else(|| self.choose(|index| is_free(index) && !tried.contains(&index)))
            .or_else(|| self.choose(is_free))
            .map(|index| Pick {
                index,
                trial: false,
            })
    }

    fn choose(&self, eligible: impl Fn(usize) -> bool) -> Option<usize> {
        match &self.choice {
            // Skipping moves the turn on too, or the neighbour of a resting resolver would get its share.
            Choice::RoundRobin(turn) => (0..self.count)
                .map(|_| turn.fetch_add(1, Ordering::Relaxed) % self.count)
                .find(|&index| eligible(index)),
            Choice::Random => {
                let lucky = rand::random_range(0..self.count.max(1));
                if eligible(lucky) {
                    return Some(lucky);
                }
                self.draw(|index| u64::from(eligible(index)))
            }
            Choice::Weighted(weights) => self
                .draw(|index| {
                    if eligible(index) {
                        weights.get(index).copied().map_or(0, u64::from)
                    } else {
                        0
                    }
                })
                // Those of weight zero are the reserve.
                .or_else(|| self.draw(|index| u64::from(eligible(index)))),
            Choice::Priority(order) => order.iter().copied().find(|&index| eligible(index)),
        }
    }

    /// Draws an index with chances by weight.
    fn draw(&self, weight: impl Fn(usize) -> u64) -> Option<usize> {
        let total: u64 = (0..self.count).map(&weight).sum();
        if total == 0 {
            return None;
        }
        let mut left = rand::random_range(0..total);
        (0..self.count).find(|&index| match left.checked_sub(weight(index)) {
            Some(less) => {
                left = less;
                false
            }
            None => true,
        })
    }
}
