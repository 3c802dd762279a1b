//! Choosing a proxy for an attempt: by habit, as a trial, or by the strategy.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use super::health::Standing;
use super::{Pool, State};

/// A choice under way: for which site, and who was tried already.
struct Wish<'w> {
    site: &'w Arc<str>,
    tried: &'w HashSet<usize>,
    now: Instant,
}

impl Pool {
    /// Chooses, and tells whether the choice is a trial. The first attempt at a page always gets somebody; a further one goes to
    /// somebody who was not tried, is well and is not banned, or to nobody.
    pub(super) fn choose(
        &self,
        state: &mut State,
        site: &Arc<str>,
        tried: &HashSet<usize>,
    ) -> Option<(usize, bool)> {
        let now = Instant::now();
        let wish = Wish { site, tried, now };
        if self.config.sticky
            && let Some(index) = state.habit(&wish)
        {
            return Some((index, false));
        }
        let first = tried.is_empty();
        // A trial never costs a page its last chance.
        if first && let Some(index) = state.trial(&wish) {
            return Some((index, true));
        }
        let free = |index: usize| {
            let seat = self.seats.get(index);
            seat.is_some_and(|seat| seat.permits.available_permits() > 0)
        };
        let found = state.by_strategy(&wish, free);
        let found = match first {
            true => found.or_else(|| state.last_resort()),
            false => found,
        };
        found.map(|index| (index, false))
    }
}

impl State {
    fn is_well(&self, index: usize) -> bool {
        self.standings.get(index).is_some_and(Standing::is_healthy)
    }

    fn is_banned(&self, index: usize, wish: &Wish<'_>) -> bool {
        let pair = (index, Arc::clone(wish.site));
        self.bans.get(&pair, wish.now).is_some()
    }

    fn fits(&self, index: usize, wish: &Wish<'_>) -> bool {
        !wish.tried.contains(&index) && self.is_well(index) && !self.is_banned(index, wish)
    }

    /// The proxy that the site was fetched through before.
    fn habit(&self, wish: &Wish<'_>) -> Option<usize> {
        let index = self.habits.get(wish.site, wish.now).copied()?;
        self.fits(index, wish).then_some(index)
    }

    /// A proxy whose rest is over.
    fn trial(&mut self, wish: &Wish<'_>) -> Option<usize> {
        let is_due = |index: &usize| {
            let standing = self.standings.get(*index);
            let until = standing.and_then(Standing::rests_until);
            until.is_some_and(|until| until <= wish.now) && !self.is_banned(*index, wish)
        };
        let index = (0..self.standings.len()).find(is_due)?;
        let standing = self.standings.get_mut(index)?;
        standing.claim_trial(wish.now).then_some(index)
    }

    /// Whom the strategy chooses of those that fit: with room rather than without. The first attempt finds out about proxies; a
    /// further one is no time for that and goes to one that has worked, if there is one.
    fn by_strategy(&mut self, wish: &Wish<'_>, free: impl Fn(usize) -> bool) -> Option<usize> {
        let count = self.standings.len();
        let fits: Vec<bool> = (0..count).map(|index| self.fits(index, wish)).collect();
        let fits = |index: usize| fits.get(index).copied().unwrap_or_default();
        let Self {
            standings, choice, ..
        } = self;
        let proven = |index: usize| standings.get(index).is_some_and(Standing::is_proven);
        let found = match wish.tried.is_empty() {
            true => None,
            false => choice.choose(count, |index| fits(index) && free(index) && proven(index)),
        };
        found
            .or_else(|| choice.choose(count, |index| fits(index) && free(index)))
            .or_else(|| choice.choose(count, fits))
    }

    /// Where nobody fits: one that is well though banned, or else the one whose rest ends first.
    fn last_resort(&mut self) -> Option<usize> {
        let count = self.standings.len();
        let Self {
            standings, choice, ..
        } = self;
        let well = |index: usize| standings.get(index).is_some_and(Standing::is_healthy);
        let rests = |(index, standing): (usize, &Standing)| Some((standing.rests_until()?, index));
        choice.choose(count, well).or_else(|| {
            let resting = standings.iter().enumerate().filter_map(rests);
            // Where all are on trial there is nobody better than the first.
            resting.min().map_or(Some(0), |(_, index)| Some(index))
        })
    }
}
