//! Compiling rules and scanning pages with them.
//!
//! All literals of one case flag are one Aho-Corasick automaton, so a page is read twice however many literals there are.

use std::collections::HashMap;
use std::time::Instant;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::compiler::Compiler;
use super::expressions::Expressions;
use super::fold::{self, Folded};
use super::hits::{Hits, Place, Places, RuleHits};
use super::{
    Error, Fault, Kind, MAX_CONTEXT_CHARS, MAX_CONTEXTS, MAX_PATTERN_CHARS, MAX_RULES, Rule,
};
use crate::page::{self, Page};

/// Matches of literals that are looked at in one text. Honest rules stay far below; a thousand literals that lie inside one another,
/// on a text of one letter, have a thousand matches a byte.
const MAX_LITERAL_MATCHES: usize = 4_000_000;
/// Up to this many bytes of patterns the automaton is a table with one look-up a byte; above, it is a smaller, slower form.
pub(super) const TABLE_BYTES: usize = 64 << 10;
/// Longest matched text that is kept, in characters.
const MAX_MATCHED_CHARS: usize = 200;

/// Finds all matches of a fixed list of rules.
#[derive(Debug)]
pub struct Matcher {
    rules: Vec<Compiled>,
    exact: Option<Literals>,
    folded: Option<Literals>,
    expressions: Option<Expressions>,
}

#[derive(Debug)]
struct Compiled {
    rule: Rule,
    /// Whether an earlier rule looks for the very same thing, so that the totals do not count it again.
    repeats: bool,
}

#[derive(Debug)]
struct Literals {
    search: AhoCorasick,
    /// The rule of each pattern of the automaton.
    rules: Vec<usize>,
}

impl Matcher {
    /// Compiles rules; an empty list gives a matcher that finds nothing.
    ///
    /// # Errors
    ///
    /// Names the first rule that is empty, too long, not a regular expression, one that matches everywhere, or one too many.
    pub fn compile(rules: &[Rule]) -> Result<Self, Error> {
        if rules.len() > MAX_RULES {
            return Err(Error::TooManyRules(rules.len()));
        }
        let mut seen: HashMap<(Kind, bool, String), usize> = HashMap::new();
        let mut compiled = Vec::with_capacity(rules.len());
        let mut exact = Vec::new();
        let mut folded = Vec::new();
        let mut expressions = Vec::new();
        let mut compiler = Compiler::of(rules);
        for (index, rule) in rules.iter().enumerate() {
            let refuse = |fault| Error::Rule {
                id: rule.id.clone(),
                fault,
            };
            check(rule).map_err(refuse)?;
            let key = match rule.kind {
                Kind::Literal => {
                    let mut text = page::fold_whitespace(&rule.pattern);
                    if text.is_empty() {
                        return Err(refuse(Fault::Empty));
                    }
                    if rule.case_sensitive {
                        exact.push((text.clone(), index));
                    } else {
                        text = fold::fold(&text);
                        folded.push((text.clone(), index));
                    }
                    text
                }
                Kind::Regex => {
                    expressions.push((compiler.compile(rule).map_err(refuse)?, index));
                    rule.pattern.clone()
                }
            };
            let first = *seen
                .entry((rule.kind, rule.case_sensitive, key))
                .or_insert(index);
            compiled.push(Compiled {
                rule: rule.clone(),
                repeats: first != index,
            });
        }
        Ok(Self {
            rules: compiled,
            exact: Literals::build(exact, false)?,
            folded: Literals::build(folded, true)?,
            expressions: (!expressions.is_empty()).then(|| Expressions::build(expressions, rules)),
        })
    }

    /// Counts the rules this matcher was compiled from.
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Tells whether there are regular expressions, so that a scan may take as long as these are given for a page: a second.
    pub fn has_expressions(&self) -> bool {
        self.expressions.is_some()
    }

    /// Finds every match on a page.
    pub fn scan(&self, page: &Page) -> Hits {
        let mut scan = Scan {
            rules: &self.rules,
            slots: vec![0; self.rules.len()],
            found: Vec::new(),
            field: 0,
            incomplete: false,
            stop_at: None,
        };
        let fields = [
            (page.title.as_deref(), Field::One(Place::Title)),
            (page.meta_description.as_deref(), Field::One(Place::Meta)),
            (page.meta_keywords.as_deref(), Field::One(Place::Meta)),
            (Some(page.text.as_str()), Field::Visible(page)),
        ];
        for (text, field) in fields {
            let Some(text) = text.filter(|text| !text.is_empty()) else {
                continue;
            };
            scan.field += 1;
            if let Some(literals) = &self.exact {
                let whole = literals.scan(text, |rule, start, end| {
                    scan.add(rule, text, start, end, &field);
                });
                scan.incomplete |= !whole;
            }
            let folded = Folded::new(text);
            if let Some(literals) = &self.folded {
                let whole = literals.scan(&folded.text, |rule, start, end| {
                    let (start, end) = (folded.original(start), folded.original(end));
                    scan.add(rule, text, start, end, &field);
                });
                scan.incomplete |= !whole;
            }
            if let Some(expressions) = &self.expressions {
                expressions.scan(text, &folded, &field, &mut scan);
            }
        }
        scan.finish()
    }
}

fn check(rule: &Rule) -> Result<(), Fault> {
    match rule.pattern.chars().count() {
        0 => return Err(Fault::Empty),
        chars if chars > MAX_PATTERN_CHARS => return Err(Fault::TooLong(chars)),
        _ => {}
    }
    if rule.context_chars > MAX_CONTEXT_CHARS {
        return Err(Fault::ContextTooLong(rule.context_chars));
    }
    if !rule.weight.is_finite() || rule.weight < 0.0 {
        return Err(Fault::Weight(rule.weight));
    }
    Ok(())
}

impl Literals {
    fn build(patterns: Vec<(String, usize)>, any_case: bool) -> Result<Option<Self>, Error> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let bytes: usize = patterns.iter().map(|(text, _)| text.len()).sum();
        let kind = (bytes <= TABLE_BYTES).then_some(AhoCorasickKind::DFA);
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(any_case)
            .kind(kind)
            .build(patterns.iter().map(|(text, _)| text.as_bytes()))
            .map_err(|error| Error::TooLarge(error.to_string()))?;
        Ok(Some(Self {
            search,
            rules: patterns.into_iter().map(|(_, rule)| rule).collect(),
        }))
    }

    /// Reports all matches, also those that lie inside one another, in the order of their ends. Tells whether that was all.
    fn scan(&self, text: &str, mut report: impl FnMut(usize, usize, usize)) -> bool {
        let mut left = MAX_LITERAL_MATCHES;
        for found in self.search.find_overlapping_iter(text) {
            if left == 0 {
                return false;
            }
            left -= 1;
            if let Some(rule) = self.rules.get(found.pattern().as_usize()) {
                report(*rule, found.start(), found.end());
            }
        }
        true
    }
}

/// The text being scanned, seen as places.
pub(super) enum Field<'p> {
    One(Place),
    Visible(&'p Page),
}

impl Field<'_> {
    fn place(&self, offset: usize) -> Place {
        match self {
            Self::One(place) => *place,
            Self::Visible(page) if page::inside(&page.h1_spans, offset) => Place::H1,
            Self::Visible(page) if page::inside(&page.anchor_spans, offset) => Place::Anchor,
            Self::Visible(_) => Place::Body,
        }
    }
}

/// What is known half way through a page.
pub(super) struct Scan<'m> {
    rules: &'m [Compiled],
    /// For each rule its position in `found` plus one, or 0.
    slots: Vec<u32>,
    found: Vec<Found>,
    field: u32,
    pub(super) incomplete: bool,
    /// When the expressions' time for this page is over; set by the first text that they see.
    pub(super) stop_at: Option<Instant>,
}

struct Found {
    rule: usize,
    field: u32,
    last_end: usize,
    count: u32,
    places: Places,
    matched: String,
    contexts: Vec<String>,
}

impl Scan<'_> {
    /// Counts a match of a rule, unless it overlaps the one before.
    pub(super) fn add(
        &mut self,
        rule: usize,
        text: &str,
        start: usize,
        end: usize,
        field: &Field<'_>,
    ) {
        let Some(compiled) = self.rules.get(rule) else {
            return;
        };
        let Some(slot) = self.slots.get_mut(rule) else {
            return;
        };
        if *slot == 0 {
            self.found.push(Found {
                rule,
                field: self.field,
                last_end: 0,
                count: 0,
                places: Places::default(),
                matched: clip(text.get(start..end).unwrap_or_default()),
                contexts: Vec::new(),
            });
            *slot = u32::try_from(self.found.len()).unwrap_or(u32::MAX);
        }
        let position = usize::try_from(*slot).unwrap_or(usize::MAX) - 1;
        let Some(found) = self.found.get_mut(position) else {
            return;
        };
        if found.field != self.field {
            found.field = self.field;
            found.last_end = 0;
        }
        // `aa` is once in `aaa`: a match that overlaps the one before is the same piece of text.
        if start < found.last_end {
            return;
        }
        found.last_end = end;
        found.count = found.count.saturating_add(1);
        found.places.add(field.place(start));
        if found.contexts.len() < MAX_CONTEXTS {
            let chars = compiled.rule.context_chars;
            found.contexts.push(context(text, start, end, chars));
        }
    }

    fn finish(mut self) -> Hits {
        self.found.sort_unstable_by_key(|found| found.rule);
        let mut hits = Hits {
            incomplete: self.incomplete,
            ..Hits::default()
        };
        for found in self.found {
            let Some(compiled) = self.rules.get(found.rule) else {
                continue;
            };
            if !compiled.repeats {
                hits.unique += 1;
                hits.hits_total += u64::from(found.count);
            }
            hits.rules.push(RuleHits {
                rule: found.rule,
                id: compiled.rule.id.clone(),
                pattern: compiled.rule.pattern.clone(),
                category: compiled.rule.category.clone(),
                weight: compiled.rule.weight,
                matched: found.matched,
                count: found.count,
                places: found.places,
                contexts: found.contexts,
            });
        }
        hits
    }
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_MATCHED_CHARS).collect()
}

/// Cuts out a match with up to `chars` characters on each side, never through a character.
fn context(text: &str, start: usize, end: usize, chars: usize) -> String {
    let before = text.get(..start).unwrap_or_default();
    let from = match chars {
        0 => start,
        _ => before
            .char_indices()
            .rev()
            .nth(chars - 1)
            .map_or(0, |(at, _)| at),
    };
    let after = text.get(end..).unwrap_or_default();
    let to = end
        + after
            .char_indices()
            .nth(chars)
            .map_or(after.len(), |(at, _)| at);
    // The match itself may be long when it is an expression's.
    let whole = text.get(from..to).unwrap_or_default();
    let most = MAX_MATCHED_CHARS + 2 * chars;
    let line: String = whole
        .chars()
        .take(most)
        .map(|c| if c == '\n' { ' ' } else { c })
        .collect();
    line.trim().to_owned()
}
