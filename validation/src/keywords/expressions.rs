//! Searching a text with many regular expressions.
//!
//! Most match nothing on most pages. The texts that their matches [require](super::required) are looked for together with the
//! list's literals, and an expression runs only where one of its own was found; those without such texts are asked as one
//! set which of them match at all. They see texts of more than 4 kB in pieces cut between lines, so `^` and `$` may match at
//! a cut.

use std::time::{Duration, Instant};

use regex::{RegexSet, RegexSetBuilder};
use regex_automata::meta::Regex;

use super::Rule;
use super::literals::Sought;
use super::matcher::{Field, Scan};
use super::required::required;

/// Memory bound of the set of regular expressions that require no text. Larger lists go without the set, each expression by itself.
const SET_BYTES: usize = 2 << 20;
/// Text that a regular expression sees at once, in bytes. A search cannot be stopped, so this bounds how late one that is
/// slow is noticed. Longer texts are cut between lines.
pub(super) const WINDOW: usize = 4 << 10;
/// Matches of one regular expression that are counted in one text.
const MAX_REGEX_MATCHES: u32 = 100_000;
/// Time that all regular expressions have for one page. One search is linear, but counting all matches of a hostile
/// expression is quadratic, and its author is not always the one who pays for the worker.
const REGEX_TIME: Duration = Duration::from_secs(1);

/// The regular expressions of one list.
#[derive(Debug)]
pub(super) struct Expressions {
    each: Vec<Expression>,
    /// Those that require no text, by position.
    free: Vec<usize>,
    any_of_free: Option<RegexSet>,
}

#[derive(Debug)]
struct Expression {
    search: Regex,
    rule: usize,
}

impl Expressions {
    /// Takes compiled expressions with the positions of their rules, and adds what they require to `sought`.
    pub(super) fn build(
        each: Vec<(Regex, usize)>,
        rules: &[Rule],
        sought: &mut Vec<(String, Sought)>,
    ) -> Self {
        let mut free = Vec::new();
        for (position, (_, rule)) in each.iter().enumerate() {
            let pattern = rules.get(*rule).map(|rule| rule.pattern.as_str());
            match pattern.and_then(required) {
                None => free.push(position),
                Some(texts) => {
                    let of_this = |text| (text, Sought::Required(position));
                    sought.extend(texts.into_iter().map(of_this));
                }
            }
        }
        let of_free = free.iter().filter_map(|position| each.get(*position));
        let any_of_free = set(of_free.filter_map(|(_, rule)| rules.get(*rule)));
        let each = each.into_iter();
        Self {
            each: each
                .map(|(search, rule)| Expression { search, rule })
                .collect(),
            free,
            any_of_free,
        }
    }

    /// Begins with a text.
    pub(super) fn begin(&self) -> OnText<'_> {
        OnText {
            all: self,
            counted: vec![0; self.each.len()],
            candidates: Vec::new(),
        }
    }

    /// Adds those that require no text and may match.
    fn add_free(&self, piece: &str, candidates: &mut Vec<usize>) {
        match &self.any_of_free {
            _ if self.free.is_empty() => {}
            None => candidates.extend(&self.free),
            Some(any) => {
                let matched = any.matches(piece);
                candidates.extend(matched.iter().filter_map(|at| self.free.get(at)));
            }
        }
    }
}

/// The expressions on the way through a text, piece by piece.
#[derive(Debug)]
pub(super) struct OnText<'e> {
    all: &'e Expressions,
    /// Matches of each.
    counted: Vec<u32>,
    /// Those that may match in the next piece, by position.
    candidates: Vec<usize>,
}

impl OnText<'_> {
    /// Says that what an expression requires stands in the next piece.
    pub(super) fn may_match(&mut self, expression: usize) {
        if self.candidates.last() != Some(&expression) {
            self.candidates.push(expression);
        }
    }

    /// Says that nobody knows what stands in the next piece.
    pub(super) fn all_may_match(&mut self) {
        self.candidates.clear();
        self.candidates.extend(0..self.all.each.len());
    }

    /// Finds all matches of the expressions that may match in a piece, which begins at `start` in the text.
    pub(super) fn scan(
        &mut self,
        text: &str,
        start: usize,
        piece: &str,
        field: &Field<'_>,
        scan: &mut Scan<'_>,
    ) {
        let stop_at = *scan
            .stop_at
            .get_or_insert_with(|| Instant::now() + REGEX_TIME);
        if Instant::now() >= stop_at {
            scan.incomplete = true;
            self.candidates.clear();
            return;
        }
        self.all.add_free(piece, &mut self.candidates);
        self.candidates.sort_unstable();
        self.candidates.dedup();
        for position in self.candidates.drain(..) {
            if Instant::now() >= stop_at {
                scan.incomplete = true;
                continue;
            }
            let (Some(expression), Some(counted)) =
                (self.all.each.get(position), self.counted.get_mut(position))
            else {
                continue;
            };
            for found in expression.search.find_iter(piece) {
                if found.is_empty() {
                    continue;
                }
                if *counted >= MAX_REGEX_MATCHES || Instant::now() >= stop_at {
                    scan.incomplete = true;
                    break;
                }
                *counted += 1;
                let (from, to) = (start + found.start(), start + found.end());
                scan.add(expression.rule, text, from, to, field);
            }
        }
    }
}

/// Builds the set of expressions; nothing where it would be too large.
fn set<'r>(rules: impl Iterator<Item = &'r Rule>) -> Option<RegexSet> {
    // A set has one case flag for all, so each pattern carries its own as an inline group.
    let patterns = rules.map(|rule| match rule.case_sensitive {
        true => format!("(?:{})", rule.pattern),
        false => format!("(?i:{})", rule.pattern),
    });
    RegexSetBuilder::new(patterns)
        .size_limit(SET_BYTES)
        .dfa_size_limit(2 * SET_BYTES)
        .build()
        .ok()
}

/// Cuts a text into pieces of at most `most` bytes, [`WINDOW`] for expressions: after a line, else after a word, else between
/// two characters. Gives each with where it begins.
pub(super) fn pieces(text: &str, most: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = text.get(from..).filter(|rest| !rest.is_empty())?;
        let cut = if rest.len() <= most {
            rest.len()
        } else {
            let end = (0..=most).rev().find(|at| rest.is_char_boundary(*at))?;
            let head = rest.get(..end)?;
            let border = head.rfind('\n').or_else(|| head.rfind(' '));
            border.map_or(end, |at| at + 1)
        };
        let start = from;
        from += cut;
        Some((start, rest.get(..cut)?))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::RegexBuilder;

    use crate::keywords::{Matcher, Rule};
    use crate::page::Page;

    /// Expressions of all kinds: with texts that they require at either end, in several forms, and without.
    const PATTERNS: &[&str] = &[
        r"\bkiosk\w*",
        r"(?:roaster|roasting)s?",
        r"\d+ euro",
        r"[a-z]+shop\b",
        r"\b\w{3}\b",
        "straße",
        r"silk\s+road",
        "(?i)KELVIN",
        r"x{2,4}yz",
    ];

    proptest! {
        #[test]
        fn as_much_is_found_as_by_each_expression_alone(
            pieces in proptest::collection::vec(proptest::sample::select(vec![
                "kiosk", "KIOSK", "\u{212a}iosk", "kio\u{17f}k", "roasters ", "ROASTING", "12 euro", " EURO", "bookshop ", "Shop",
                "abc ", "straße", "STRASSE", "silk  road", "\u{17f}il\u{212a} ROAD", "kelvin", "\u{212a}ELVIN", "xxxxyz", "XXYZ",
                " ", "\n", "é", "İ", "1", "word ", "ẞ",
            ]), 0..400),
            sensitive in any::<bool>(),
        ) {
            let text = pieces.concat();
            let rule = |pattern: &&str| Rule { case_sensitive: sensitive, ..Rule::regex(*pattern) };
            let rules: Vec<_> = PATTERNS.iter().map(rule).collect();
            let page = Page { text: text.clone(), ..Page::default() };
            let hits = Matcher::compile(&rules).unwrap().scan(&page);
            for (position, pattern) in PATTERNS.iter().enumerate() {
                let alone = RegexBuilder::new(pattern).case_insensitive(!sensitive).build().unwrap();
                let expected: usize = super::pieces(&text, super::WINDOW).map(|(_, piece)| alone.find_iter(piece).count()).sum();
                let found = hits.rules.iter().find(|hits| hits.rule == position).map_or(0, |hits| hits.count as usize);
                prop_assert_eq!(found, expected, "{} in {:?}", pattern, text);
            }
        }
    }
}
