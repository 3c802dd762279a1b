//! What of a page's matches an answer holds.
//!
//! Ten thousand rules that match on a hundred pages, each with contexts, are gigabytes. So the texts of one answer have a
//! bound, and what does not fit is counted in place of being told.

use validation::keywords::{Hits, RuleHits};

/// Bytes of the texts of all matches of one answer: patterns, matched texts, categories and contexts.
pub(super) const MOST_BYTES: usize = 8 << 20;
/// What a match weighs besides its texts, bytes, about: its names on the wire and its place in memory.
const OVERHEAD: usize = 256;

/// What was found on a page, as far as it fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Rules that matched, in the order of their set.
    pub rules: Vec<RuleHits>,
    /// Rules that matched and are not told.
    pub rules_left_out: usize,
    /// Contexts of the rules that are told for which there was no room.
    pub contexts_left_out: usize,
    /// Whether the search was stopped at its bound of time, so that there may be more matches.
    pub incomplete: bool,
}

impl Findings {
    /// Keeps what fits into so many bytes: as many rules as possible, and contexts where there is room beside all of them.
    pub(super) fn of(hits: Hits, most_bytes: usize) -> Self {
        let Hits {
            mut rules,
            incomplete,
            contexts_left_out,
            ..
        } = hits;
        let mut left = most_bytes;
        let told = rules.iter().take_while(|rule| take(&mut left, own(rule)));
        let told = told.count();
        let rules_left_out = rules.len() - told;
        rules.truncate(told);
        // The matcher counts those of all rules; the scan had no more room than this.
        let mut contexts = usize::try_from(contexts_left_out).unwrap_or(usize::MAX);
        for rule in &mut rules {
            let kept = rule.contexts.iter();
            let kept = kept.take_while(|context| take(&mut left, context.len()));
            let kept = kept.count();
            contexts = contexts.saturating_add(rule.contexts.len() - kept);
            rule.contexts.truncate(kept);
        }
        rules.shrink_to_fit();
        Self {
            rules,
            rules_left_out,
            contexts_left_out: contexts,
            incomplete,
        }
    }
}

fn own(rule: &RuleHits) -> usize {
    let category = rule.category.as_ref().map_or(0, String::len);
    OVERHEAD + rule.pattern.len() + rule.matched.len() + category
}

/// Takes room, where there is as much.
fn take(left: &mut usize, bytes: usize) -> bool {
    left.checked_sub(bytes).map(|rest| *left = rest).is_some()
}

#[cfg(test)]
mod tests {
    use validation::keywords::Places;

    use super::*;

    fn rule(rule: usize) -> RuleHits {
        RuleHits {
            rule,
            id: String::new(),
            pattern: "p".repeat(100),
            category: None,
            weight: 1.0,
            matched: "m".repeat(44),
            count: 5,
            places: Places::default(),
            contexts: vec!["c".repeat(100); 5],
        }
    }

    fn found(most_bytes: usize) -> Findings {
        let hits = Hits {
            rules: (0..10).map(rule).collect(),
            incomplete: true,
            contexts_left_out: 7,
            ..Hits::default()
        };
        Findings::of(hits, most_bytes)
    }

    #[test]
    fn every_rule_is_told_before_any_context_and_what_has_no_room_is_counted() {
        let counts = |found: &Findings| {
            let contexts: usize = found.rules.iter().map(|rule| rule.contexts.len()).sum();
            let left = (found.rules_left_out, found.contexts_left_out);
            (found.rules.len(), contexts, left.0, left.1)
        };
        // 400 bytes a rule without its contexts, which have 500.
        assert_eq!(counts(&found(100_000)), (10, 50, 0, 7));
        assert_eq!(counts(&found(4_000 + 1_250)), (10, 12, 0, 38 + 7));
        assert_eq!(counts(&found(1_650)), (4, 0, 6, 20 + 7));
        assert_eq!(counts(&found(0)), (0, 0, 10, 7));
        assert!(found(0).incomplete);
    }
}
