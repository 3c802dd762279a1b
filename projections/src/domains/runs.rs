//! Runs of ordinals that a page walks through.

use super::{
    Direction,
    stretches::{ORDINALS, Stretch, Stretches},
};

/// Ordinals from the first to the last, both included; none where the last comes before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Run {
    /// Returns all ordinals that come after a cursor.
    pub(super) const fn after(cursor: Option<i64>, direction: Direction) -> Self {
        let (first, last) = match (cursor, direction) {
            (None, _) => (0, i64::MAX),
            (Some(cursor), Direction::Ascending) => (cursor.saturating_add(1), i64::MAX),
            (Some(cursor), Direction::Descending) => (0, cursor.saturating_sub(1)),
        };
        Self { first, last }
    }

    /// Returns the ordinals of a stretch.
    pub(super) const fn of_stretch(stretch: i64) -> Self {
        let first = stretch.saturating_mul(ORDINALS);
        Self {
            first,
            last: first.saturating_add(ORDINALS - 1),
        }
    }

    /// Returns what the two have in common, if that is anything.
    pub(super) fn within(self, other: Self) -> Option<Self> {
        let first = self.first.max(other.first);
        let last = self.last.min(other.last);
        (first <= last).then_some(Self { first, last })
    }

    const fn is_next_to(self, other: Self) -> bool {
        self.last.saturating_add(1) == other.first || other.last.saturating_add(1) == self.first
    }

    /// Returns both and what lies between them.
    fn and(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

/// What a page walks through, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Runs {
    /// The runs: neighbouring stretches are one.
    pub(super) runs: Vec<Run>,
    /// How many matches of the first run are to be left out; it has more than these, or there is no other run.
    pub(super) offset: i64,
}

impl Runs {
    /// Returns the one run of all ordinals after a cursor.
    pub(super) fn everywhere(cursor: Option<i64>, direction: Direction) -> Self {
        Self {
            runs: vec![Run::after(cursor, direction)],
            offset: 0,
        }
    }

    /// Returns the runs of stretches that have matches after a cursor, less those that `offset` leaves out whole.
    pub(super) fn of(
        matching: &Stretches,
        cursor: Option<i64>,
        direction: Direction,
        offset: i64,
    ) -> Self {
        let behind = Run::after(cursor, direction);
        let mut runs: Vec<Run> = Vec::new();
        let mut offset = offset;
        // Of a stretch that a cursor cuts, or that was not counted exactly, nobody knows how many matches it has.
        let mut known = matching.exact;
        let mut add = |stretch: &Stretch| {
            let whole = Run::of_stretch(stretch.stretch);
            let Some(run) = whole.within(behind) else {
                return;
            };
            if runs.is_empty() && offset > 0 {
                known &= run == whole;
                if known && stretch.matches <= offset {
                    offset -= stretch.matches;
                    return;
                }
            }
            match runs.last_mut() {
                Some(last) if last.is_next_to(run) => *last = last.and(run),
                _ => runs.push(run),
            }
        };
        match direction {
            Direction::Ascending => matching.stretches.iter().for_each(&mut add),
            Direction::Descending => matching.stretches.iter().rev().for_each(&mut add),
        }
        if offset > 0 && !known {
            runs = runs.into_iter().reduce(Run::and).into_iter().collect();
        }
        Self { runs, offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(exact: bool, stretches: &[(i64, i64)]) -> Stretches {
        let stretches = stretches
            .iter()
            .map(|&(stretch, matches)| Stretch { stretch, matches });
        Stretches {
            stretches: stretches.collect(),
            exact,
        }
    }

    fn run(first: i64, last: i64) -> Run {
        Run { first, last }
    }

    const END: i64 = ORDINALS - 1;

    #[test]
    fn neighbouring_stretches_are_one_run_in_the_order_of_the_page() {
        let matching = matching(true, &[(0, 1), (1, 1), (7, 2), (9, 1)]);
        let upwards = [
            run(0, ORDINALS + END),
            run(7 * ORDINALS, 7 * ORDINALS + END),
            run(9 * ORDINALS, 9 * ORDINALS + END),
        ];
        let runs = |direction| Runs::of(&matching, None, direction, 0).runs;
        assert_eq!(runs(Direction::Ascending), upwards);
        let mut downwards = upwards;
        downwards.reverse();
        assert_eq!(runs(Direction::Descending), downwards);
    }

    #[test]
    fn a_cursor_cuts_its_stretch_and_leaves_those_before_it_out() {
        let matching = matching(true, &[(0, 1), (2, 5), (3, 1)]);
        let at = 2 * ORDINALS + 10;
        let runs = |direction| Runs::of(&matching, Some(at), direction, 0).runs;
        assert_eq!(
            runs(Direction::Ascending),
            [run(at + 1, 3 * ORDINALS + END)]
        );
        assert_eq!(
            runs(Direction::Descending),
            [run(2 * ORDINALS, at - 1), run(0, END)]
        );
        // The first of a stretch cuts nothing off it upwards, and all of it downwards.
        let first = Runs::of(&matching, Some(2 * ORDINALS), Direction::Descending, 0);
        assert_eq!(first.runs, [run(0, END)]);
        // A cursor is what a client sends.
        for cursor in [i64::MIN, i64::MAX] {
            for direction in [Direction::Ascending, Direction::Descending] {
                let _ = Runs::of(&matching, Some(cursor), direction, i64::MAX);
            }
        }
    }

    #[test]
    fn an_offset_leaves_out_whole_stretches_by_their_counts() {
        let matching = matching(true, &[(0, 10), (3, 20), (5, 30)]);
        let runs = |direction, offset| {
            let runs = Runs::of(&matching, None, direction, offset);
            let stretches = runs.runs.iter().map(|run| run.first / ORDINALS);
            (stretches.collect::<Vec<_>>(), runs.offset)
        };
        let up = Direction::Ascending;
        assert_eq!(runs(up, 9), (vec![0, 3, 5], 9));
        assert_eq!(runs(up, 10), (vec![3, 5], 0));
        assert_eq!(runs(up, 31), (vec![5], 1));
        assert_eq!(runs(up, 61), (vec![], 1));
        assert_eq!(runs(Direction::Descending, 45), (vec![3, 0], 15));
    }

    #[test]
    fn an_offset_that_no_count_can_take_off_is_walked_in_one_run() {
        let cut = Runs::of(
            &matching(true, &[(0, 10), (3, 20)]),
            Some(4),
            Direction::Ascending,
            12,
        );
        assert_eq!(cut.runs, [run(5, 3 * ORDINALS + END)]);
        let estimated = Runs::of(
            &matching(false, &[(0, 10), (3, 20)]),
            None,
            Direction::Ascending,
            12,
        );
        assert_eq!(estimated.runs, [run(0, 3 * ORDINALS + END)]);
        assert_eq!((cut.offset, estimated.offset), (12, 12));
    }
}
