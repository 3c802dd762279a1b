//! Sets a range of offsets apart for one run.

use super::{Error, Event, Pattern};
use crate::ids::{CampaignId, RunId};

/// Asks for the next `count` offsets of a pattern that has `total` names.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// The campaign that will enumerate the range.
    pub campaign_id: CampaignId,
    /// The discovery run that asks; asking again for the same run answers the same range.
    pub run_id: RunId,
    /// How many offsets are wanted.
    pub count: u64,
    /// How many names the pattern has.
    pub total: u128,
}

impl Reserve {
    /// Gives the next free offsets, fewer than asked where the pattern ends.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when no offset is left.
    pub(super) fn decide(self, pattern: &Pattern) -> Result<Option<Event>, Error> {
        if pattern.range_of(self.run_id).is_some() {
            return Ok(None);
        }
        // Offsets are kept in 64 bits; the part of a larger pattern that lies beyond is out of reach for good.
        let total = u64::try_from(self.total).unwrap_or(u64::MAX);
        let left = total.saturating_sub(pattern.next);
        if left == 0 {
            return Err(Error::Exhausted { total: self.total });
        }
        Ok(Some(Event::RangeReserved {
            campaign_id: self.campaign_id,
            run_id: self.run_id,
            start: pattern.next,
            count: self.count.min(left),
        }))
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
        }
    }

    #[test]
    fn the_same_run_is_answered_with_the_range_that_it_has() {
        let mut pattern = Pattern::default();
        let event = ask(1, 10).decide(&pattern).unwrap().unwrap();
        pattern.apply(event);
        assert_eq!(ask(1, 500).decide(&pattern), Ok(None));
        assert_eq!(
            pattern.range_of(RunId(Uuid::from_u128(1))).unwrap().count,
            10
        );
    }

    #[test]
    fn an_exhausted_pattern_never_starts_again_from_zero() {
        let mut pattern = Pattern::default();
        pattern.apply(ask(1, 990).decide(&pattern).unwrap().unwrap());
        let last = ask(2, 500).decide(&pattern).unwrap().unwrap();
        assert!(matches!(
            last,
            Event::RangeReserved {
                start: 990,
                count: 10,
                ..
            }
        ));
        pattern.apply(last);
        assert_eq!(
            ask(3, 1).decide(&pattern),
            Err(Error::Exhausted { total: 1_000 })
        );
    }

    proptest! {
        #[test]
        fn two_campaigns_are_never_given_the_same_offsets(wanted in prop::collection::vec((0_u128..12, 1_u64..300), 1..40)) {
            let mut pattern = Pattern::default();
            for (run, count) in wanted {
                if let Ok(Some(event)) = ask(run, count).decide(&pattern) {
                    pattern.apply(event);
                }
            }
            let ranges = pattern.ranges();
            let mut next = 0;
            for (_, _, range) in ranges {
                prop_assert_eq!(range.start, next);
                next = range.end();
            }
            prop_assert!(next <= 1_000);
        }
    }
}
