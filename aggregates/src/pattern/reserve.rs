//! Sets offsets apart for one run.

use super::{Error, Event, Pattern, Range};
use crate::ids::{CampaignId, RunId};

/// Asks for the next `count` offsets of a pattern that has `total` names.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// The campaign that will enumerate the offsets.
    pub campaign_id: CampaignId,
    /// The discovery run that asks; asking again for the same run answers the same ranges.
    pub run_id: RunId,
    /// How many offsets are wanted.
    pub count: u64,
    /// How many names the pattern has.
    pub total: u128,
    /// The first offset that no run of the campaign has come to; absent where none has recorded any.
    pub enumerated_to: Option<u64>,
}

impl Reserve {
    /// Gives what earlier runs of the campaign left of their ranges when they were stopped, and then the next free
    /// offsets, fewer than asked where the pattern ends.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when no offset is left.
    pub(super) fn decide(self, pattern: &Pattern) -> Result<Vec<Event>, Error> {
        if self.count == 0 || pattern.has_served(self.run_id) {
            return Ok(Vec::new());
        }
        let (campaign_id, run_id) = (self.campaign_id, self.run_id);
        let mut wanted = self.count;
        let mut events = Vec::new();
        for rest in pattern.unfinished(campaign_id, self.enumerated_to.unwrap_or(0)) {
            let count = rest.count.min(wanted);
            if count > 0 {
                events.push(Event::RangeContinued {
                    campaign_id,
                    run_id,
                    start: rest.start,
                    count,
                });
            }
            wanted -= count;
        }
        // Offsets are kept in 64 bits; the part of a larger pattern that lies beyond is out of reach for good.
        let total = u64::try_from(self.total).unwrap_or(u64::MAX);
        let next = Range {
            start: pattern.next,
            count: total.saturating_sub(pattern.next).min(wanted),
        };
        if next.count > 0 {
            events.push(Event::RangeReserved {
                campaign_id,
                run_id,
                start: next.start,
                count: next.count,
            });
        }
        if events.is_empty() {
            return Err(Error::Exhausted { total: self.total });
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::Aggregate as _;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn ask(run: u128, count: u64) -> Reserve {
        Reserve {
            campaign_id: CampaignId(Uuid::from_u128(run)),
            run_id: RunId(Uuid::from_u128(run)),
            count,
            total: 1_000,
            enumerated_to: None,
        }
    }

    /// Another run of a campaign whose runs have come so far.
    fn again(campaign: u128, run: u128, count: u64, enumerated_to: u64) -> Reserve {
        Reserve {
            campaign_id: CampaignId(Uuid::from_u128(campaign)),
            enumerated_to: Some(enumerated_to),
            ..ask(run, count)
        }
    }

    fn given(pattern: &mut Pattern, reserve: Reserve) -> Vec<(u64, u64)> {
        let run_id = reserve.run_id;
        for event in reserve.decide(pattern).unwrap() {
            pattern.apply(event);
        }
        let ranges = pattern.ranges_of(run_id).into_iter();
        ranges.map(|range| (range.start, range.end())).collect()
    }

    #[test]
    fn the_same_run_is_answered_with_the_range_that_it_has() {
        let mut pattern = Pattern::default();
        assert_eq!(given(&mut pattern, ask(1, 10)), [(0, 10)]);
        assert_eq!(ask(1, 500).decide(&pattern), Ok(Vec::new()));
        assert_eq!(given(&mut pattern, ask(1, 500)), [(0, 10)]);
    }

    #[test]
    fn an_exhausted_pattern_never_starts_again_from_zero() {
        let mut pattern = Pattern::default();
        assert_eq!(given(&mut pattern, ask(1, 990)), [(0, 990)]);
        assert_eq!(given(&mut pattern, ask(2, 500)), [(990, 1_000)]);
        assert_eq!(
            ask(3, 1).decide(&pattern),
            Err(Error::Exhausted { total: 1_000 })
        );
    }

    #[test]
    fn a_run_has_what_a_stopped_one_of_its_campaign_left_before_it_has_anything_new() {
        let mut pattern = Pattern::default();
        given(&mut pattern, ask(1, 100));
        given(&mut pattern, ask(2, 100));
        assert_eq!(
            given(&mut pattern, again(1, 11, 80, 40)),
            [(40, 100), (200, 220)]
        );
        // The next one finds two rests, and needs only a part of the second.
        assert_eq!(
            given(&mut pattern, again(1, 12, 25, 90)),
            [(90, 100), (200, 215)]
        );
        assert_eq!(
            given(&mut pattern, again(1, 13, 10, 215)),
            [(215, 220), (220, 225)]
        );
        assert_eq!(given(&mut pattern, again(2, 14, 1, 200)), [(225, 226)]);
    }

    #[test]
    fn a_run_that_is_over_takes_nothing_back_from_the_one_that_goes_on() {
        let mut pattern = Pattern::default();
        given(&mut pattern, ask(1, 100));
        let all = given(&mut pattern, again(1, 11, 100, 0));
        assert_eq!(all, [(0, 100)]);
        assert_eq!(given(&mut pattern, ask(1, 100)), []);
        assert_eq!(given(&mut pattern, again(1, 11, 100, 0)), all);
    }

    #[test]
    fn a_campaign_that_had_all_and_was_stopped_is_given_the_rest_of_it() {
        let mut pattern = Pattern::default();
        given(&mut pattern, ask(1, u64::MAX));
        assert_eq!(
            given(&mut pattern, again(1, 11, u64::MAX, 300)),
            [(300, 1_000)]
        );
        assert_eq!(
            again(1, 12, 1, 1_000).decide(&pattern),
            Err(Error::Exhausted { total: 1_000 })
        );
    }

    proptest! {
        /// Campaigns ask, come some way and ask again, in any order.
        #[test]
        fn two_campaigns_are_never_given_the_same_offsets(
            asked in prop::collection::vec((0_u128..5, 1_u64..300, 0.0..=1.0_f64), 1..40),
        ) {
            let mut pattern = Pattern::default();
            let mut enumerated: std::collections::BTreeMap<u128, Vec<u64>> = Default::default();
            for (run, (campaign, count, part)) in (100..).zip(asked) {
                let own = enumerated.entry(campaign).or_default();
                let reserve = Reserve {
                    enumerated_to: own.last().map(|last| last + 1),
                    ..again(campaign, run, count, 0)
                };
                if let Ok(events) = reserve.decide(&pattern) {
                    for event in events {
                        pattern.apply(event);
                    }
                }
                let offsets = pattern.ranges_of(RunId(Uuid::from_u128(run)));
                let offsets: Vec<u64> = offsets.iter().flat_map(|range| range.start..range.end()).collect();
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of some hundred")]
                let come = (offsets.len() as f64 * part) as usize;
                prop_assert!(offsets.len() as u64 <= count);
                // What was left comes before anything new, so that nothing is skipped for good.
                own.extend(&offsets[..come]);
                prop_assert!(own.is_sorted_by(|a, b| a < b));
            }
            let mut all: Vec<u64> = enumerated.into_values().flatten().collect();
            let number = all.len();
            all.sort_unstable();
            all.dedup();
            prop_assert_eq!(all.len(), number);
            let mut next = 0;
            for given in pattern.ranges() {
                prop_assert_eq!(given.range.start, next);
                next = given.range.end();
            }
            prop_assert!(next <= 1_000);
        }
    }
}
