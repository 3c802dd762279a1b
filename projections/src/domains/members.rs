//! The ordinals of a page, from the counters: of each stretch they know which rows they count.

use std::collections::VecDeque;

use sqlx::types::BitVec;

use super::{Direction, runs::Run, stretches::Stretches};

/// What a page may take of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The stretch's number.
    pub(super) stretch: i64,
    /// Its ordinals that come after the cursor.
    run: Run,
    /// How many matches it has; unknown where the cursor cuts it.
    matches: Option<i64>,
}

/// Finds the ordinals of a page, asking for the members of no more stretches than it needs.
#[derive(Clone, Debug)]
pub(super) struct Places {
    ahead: VecDeque<Part>,
    direction: Direction,
    offset: i64,
    limit: i64,
    /// The ordinals found since they were taken, in the order of the page.
    found: Vec<i64>,
    /// Those that come after them.
    behind: VecDeque<i64>,
}

impl Places {
    /// Begins to look for `limit` matches after a cursor, less the first `offset` of them. The stretches are exact.
    pub(super) fn new(
        matching: &Stretches,
        cursor: Option<i64>,
        direction: Direction,
        offset: i64,
        limit: i64,
    ) -> Self {
        let behind = Run::after(cursor, direction);
        let parts = matching.stretches.iter().filter_map(|stretch| {
            let whole = Run::of_stretch(stretch.stretch);
            let run = whole.within(behind)?;
            Some(Part {
                stretch: stretch.stretch,
                run,
                matches: (run == whole).then_some(stretch.matches),
            })
        });
        Self {
            ahead: match direction {
                Direction::Ascending => parts.collect(),
                Direction::Descending => parts.rev().collect(),
            },
            direction,
            offset,
            limit,
            found: Vec::new(),
            behind: VecDeque::new(),
        }
    }

    /// Takes what was found, in the order of the page.
    pub(super) fn take(&mut self) -> Vec<i64> {
        self.limit = self.missing();
        std::mem::take(&mut self.found)
    }

    /// Goes on to look for so many more.
    pub(super) fn want(&mut self, more: usize) {
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        self.limit = self.limit.saturating_add(more);
    }

    fn missing(&self) -> i64 {
        let found = i64::try_from(self.found.len()).unwrap_or(i64::MAX);
        self.limit.saturating_sub(found)
    }

    /// Returns whose members to ask for next, in the order of the page: as many as must have what is missing, or all that
    /// is left. None when the page is full or nothing is left.
    pub(super) fn next(&mut self) -> Vec<Part> {
        let room = usize::try_from(self.missing()).unwrap_or(usize::MAX);
        let more = self.behind.drain(..room.min(self.behind.len()));
        self.found.extend(more);
        let (mut parts, mut expected) = (Vec::new(), 0_i64);
        while self.missing() > 0 && expected < self.missing().saturating_add(self.offset) {
            let Some(part) = self.ahead.pop_front() else {
                break;
            };
            match part.matches {
                Some(matches) if parts.is_empty() && matches <= self.offset => {
                    self.offset -= matches;
                }
                _ => {
                    expected = expected.saturating_add(part.matches.unwrap_or(0));
                    parts.push(part);
                }
            }
        }
        parts
    }

    /// Adds the members of a part; parts come in the order in which they were asked for.
    pub(super) fn add(&mut self, part: &Part, members: &BitVec) {
        let members = (Run::of_stretch(part.stretch).first..).zip(members);
        let ordinals = members
            .filter_map(|(ordinal, is_member)| is_member.then_some(ordinal))
            .filter(|ordinal| (part.run.first..=part.run.last).contains(ordinal));
        let mut ordinals: Vec<i64> = ordinals.collect();
        if self.direction == Direction::Descending {
            ordinals.reverse();
        }
        for ordinal in ordinals {
            match (self.offset, self.missing()) {
                (0, 0) => self.behind.push_back(ordinal),
                (0, _) => self.found.push(ordinal),
                _ => self.offset -= 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::stretches::{ORDINALS, Stretch},
        *,
    };

    /// The matches of a page, found in the members of these ordinals, and how many stretches were asked for in how many
    /// turns.
    fn page(
        all: &[i64],
        cursor: Option<i64>,
        direction: Direction,
        offset: i64,
        limit: i64,
    ) -> (Vec<i64>, Vec<usize>) {
        let in_stretch = |stretch: i64| all.iter().filter(move |n| **n / ORDINALS == stretch);
        let stretches = (0..10).map(|stretch| Stretch {
            stretch,
            matches: i64::try_from(in_stretch(stretch).count()).unwrap(),
        });
        let matching = Stretches {
            stretches: stretches.filter(|stretch| stretch.matches > 0).collect(),
            exact: true,
        };
        let mut places = Places::new(&matching, cursor, direction, offset, limit);
        let mut turns = Vec::new();
        loop {
            let parts = places.next();
            if parts.is_empty() {
                return (places.take(), turns);
            }
            turns.push(parts.len());
            for part in parts {
                let mut members = BitVec::from_elem(usize::try_from(ORDINALS).unwrap(), false);
                for ordinal in in_stretch(part.stretch) {
                    members.set(usize::try_from(ordinal % ORDINALS).unwrap(), true);
                }
                places.add(&part, &members);
            }
        }
    }

    #[test]
    fn a_page_has_the_ordinals_of_a_plain_walk_and_asks_for_few_stretches() {
        let all: Vec<i64> = [0, 1, 5, ORDINALS - 1, ORDINALS, 3 * ORDINALS + 7]
            .into_iter()
            .chain((5 * ORDINALS..7 * ORDINALS).step_by(3))
            .collect();
        let cursors = [
            None,
            Some(-1),
            Some(1),
            Some(4096),
            Some(5 * ORDINALS + 30),
            Some(i64::MAX),
            Some(i64::MIN),
        ];
        for direction in [Direction::Ascending, Direction::Descending] {
            for cursor in cursors {
                for (offset, limit) in [
                    (0, 3),
                    (0, 10),
                    (2, 4),
                    (5, 1),
                    (700, 900),
                    (9_000, 5),
                    (0, 0),
                ] {
                    let (found, turns) = page(&all, cursor, direction, offset, limit);
                    let up = direction == Direction::Ascending;
                    let behind =
                        |n: &i64| cursor.is_none_or(|at| if up { *n > at } else { *n < at });
                    let mut walked: Vec<i64> = all.iter().copied().filter(behind).collect();
                    if !up {
                        walked.reverse();
                    }
                    let skipped = walked.into_iter().skip(usize::try_from(offset).unwrap());
                    let walked: Vec<i64> = skipped.take(usize::try_from(limit).unwrap()).collect();
                    assert_eq!(found, walked, "{cursor:?} {direction:?} {offset} {limit}");
                    assert!(turns.len() <= 2, "{turns:?}");
                }
            }
        }
    }

    #[test]
    fn no_more_stretches_are_asked_for_than_have_what_is_missing() {
        let all: Vec<i64> = (0..10).map(|stretch| stretch * ORDINALS + 5).collect();
        let up = Direction::Ascending;
        assert_eq!(page(&all, None, up, 0, 3).1, [3]);
        // The part of a stretch that a cursor leaves may have nothing.
        assert_eq!(page(&all, Some(2), up, 0, 3).1, [4]);
        assert_eq!(
            page(&all, None, up, 4, 3).1,
            [3],
            "an offset leaves stretches out by their counts"
        );
    }

    #[test]
    fn what_is_wanted_besides_goes_on_where_the_page_ended() {
        let mut members = BitVec::from_elem(usize::try_from(ORDINALS).unwrap(), false);
        for place in [3, 5, 8, 9] {
            members.set(place, true);
        }
        let stretches = [0, 2].map(|stretch| Stretch {
            stretch,
            matches: 4,
        });
        let matching = Stretches {
            stretches: stretches.to_vec(),
            exact: true,
        };
        let mut places = Places::new(&matching, None, Direction::Ascending, 0, 2);
        let mut taken = Vec::new();
        for more in [1, 2, 9] {
            loop {
                let parts = places.next();
                if parts.is_empty() {
                    break;
                }
                for part in parts {
                    places.add(&part, &members);
                }
            }
            taken.push(places.take());
            places.want(more);
        }
        let second = 2 * ORDINALS;
        assert_eq!(taken, [vec![3, 5], vec![8], vec![9, second + 3]]);
    }
}
