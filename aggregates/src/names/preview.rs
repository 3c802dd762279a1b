//! What a pattern would give, without reserving anything.

use super::{DomainName, Pattern};

/// How many offsets a preview looks at for each name that it shows, so that a pattern of mostly illegal combinations
/// costs a bounded amount.
const LOOKS_PER_NAME: u64 = 64;

/// A pattern is nearly used up when at most one in so many of its offsets is left.
const NEARLY_EXHAUSTED: u128 = 10;

/// A look at a pattern from the offset that the next campaign would get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The pattern's hash.
    pub hash: String,
    /// All offsets of the pattern.
    pub total: u128,
    /// The first offset that nobody has reserved.
    pub next_offset: u64,
    /// The offsets from there to the end.
    pub remaining: u128,
    /// True when nothing is left, fewer than wanted are left, or at most a tenth is left.
    pub exhaustion_warning: bool,
    /// The first legal names from the next offset on.
    pub sample: Vec<DomainName>,
}

impl Pattern {
    /// Looks at the pattern from `next_offset`, showing up to `sample` names; `wanted` is what a campaign asks for.
    #[must_use]
    pub fn preview(&self, next_offset: u64, sample: usize, wanted: Option<u64>) -> Preview {
        let total = self.total();
        let used = u128::from(next_offset).min(total);
        let remaining = total - used;
        let looks = u64::try_from(sample)
            .unwrap_or(u64::MAX)
            .saturating_mul(LOOKS_PER_NAME);
        Preview {
            hash: self.hash(),
            total,
            next_offset,
            remaining,
            exhaustion_warning: remaining == 0
                || wanted.is_some_and(|wanted| remaining < u128::from(wanted))
                || remaining <= total / NEARLY_EXHAUSTED,
            sample: self
                .names(next_offset, looks)
                .filter_map(|(_, name)| name)
                .take(sample)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::names::{Pattern, Spec};

    fn thousand() -> Pattern {
        Pattern::parse(Spec {
            constant: "shop".to_owned(),
            prefix_length: 3,
            charset: "abcdefghij".to_owned(),
            tlds: vec!["test".to_owned()],
            ..Spec::default()
        })
        .unwrap()
    }

    #[test]
    fn a_preview_starts_at_the_next_offset() {
        let preview = thousand().preview(10, 2, None);
        let names: Vec<&str> = preview.sample.iter().map(AsRef::as_ref).collect();
        assert_eq!(names, ["abashop.test", "abbshop.test"]);
        assert_eq!((preview.total, preview.remaining), (1000, 990));
        assert!(!preview.exhaustion_warning);
    }

    #[test]
    fn exhaustion_is_announced_before_it_happens() {
        let warns = |next, wanted| thousand().preview(next, 0, wanted).exhaustion_warning;
        assert!(!warns(0, Some(1000)));
        assert!(warns(1, Some(1000)));
        assert!(!warns(899, None));
        assert!(warns(900, None));
        assert!(warns(1000, None));
        assert!(warns(5000, None));
        assert_eq!(thousand().preview(5000, 3, None).sample, []);
    }
}
