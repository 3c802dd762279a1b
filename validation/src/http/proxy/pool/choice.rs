//! Which of the proxies that may be chosen is.

use super::{Member, Strategy};

/// A strategy, with what it needs.
#[derive(Debug)]
pub(super) enum Choice {
    /// Who is next.
    RoundRobin(usize),
    Random,
    /// Weight by index.
    Weighted(Vec<u32>),
    Failover,
}

impl Choice {
    pub(super) fn new(strategy: Strategy, members: &[Member]) -> Self {
        match strategy {
            // A random start, so that many pools do not all begin with the same proxy.
            Strategy::RoundRobin => Self::RoundRobin(rand::random_range(0..members.len().max(1))),
            Strategy::Random => Self::Random,
            Strategy::Weighted => {
                Self::Weighted(members.iter().map(|member| member.weight).collect())
            }
            Strategy::Failover => Self::Failover,
        }
    }

    /// Chooses among so many, of which some may be chosen.
    pub(super) fn choose(
        &mut self,
        count: usize,
        eligible: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        match self {
            Self::RoundRobin(next) => {
                let found = (0..count)
                    .map(|step| (*next + step) % count)
                    .find(|&index| eligible(index))?;
                *next = found + 1;
                Some(found)
            }
            Self::Random => draw(count, |index| u64::from(eligible(index))),
            Self::Weighted(weights) => {
                let weight = |index: usize| weights.get(index).copied().map_or(0, u64::from);
                let share = |index| if eligible(index) { weight(index) } else { 0 };
                draw(count, share).or_else(|| draw(count, |index| u64::from(eligible(index))))
            }
            Self::Failover => (0..count).find(|&index| eligible(index)),
        }
    }
}

/// Draws an index with chances by weight.
fn draw(count: usize, weight: impl Fn(usize) -> u64) -> Option<usize> {
    let total: u64 = (0..count).map(&weight).sum();
    if total == 0 {
        return None;
    }
    let mut left = rand::random_range(0..total);
    (0..count).find(|&index| match left.checked_sub(weight(index)) {
        Some(less) => {
            left = less;
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(mut choice: Choice, eligible: impl Fn(usize) -> bool) -> [usize; 4] {
        let mut tally = [0; 4];
        for _ in 0..12_000 {
            tally[choice.choose(4, &eligible).unwrap()] += 1;
        }
        tally
    }

    #[test]
    fn each_strategy_gives_its_shares_among_those_that_may_be_chosen() {
        let all = |_| true;
        let not_the_first = |index| index != 0;
        assert_eq!(tally(Choice::RoundRobin(2), all), [3_000; 4]);
        assert_eq!(
            tally(Choice::RoundRobin(0), not_the_first),
            [0, 4_000, 4_000, 4_000]
        );
        assert_eq!(tally(Choice::Failover, not_the_first), [0, 12_000, 0, 0]);
        let near = |found: usize, wanted: usize| found.abs_diff(wanted) < 500;
        assert!(
            tally(Choice::Random, all)
                .iter()
                .all(|&found| near(found, 3_000))
        );
        let [first, second, third, reserve] = tally(Choice::Weighted(vec![1, 2, 3, 0]), all);
        assert!(near(first, 2_000) && near(second, 4_000) && near(third, 6_000) && reserve == 0);
    }

    #[test]
    fn the_reserve_is_taken_when_nobody_else_is_there_and_nobody_when_all_are_out() {
        let mut weighted = Choice::Weighted(vec![1, 0]);
        assert_eq!(weighted.choose(2, |index| index == 1), Some(1));
        for mut choice in [
            weighted,
            Choice::RoundRobin(0),
            Choice::Random,
            Choice::Failover,
        ] {
            assert_eq!(choice.choose(2, |_| false), None);
        }
    }
}
