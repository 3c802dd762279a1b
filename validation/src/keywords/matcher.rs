//! Compiling rules and scanning pages with them.
//!
//! All literals of one case flag are one [automaton](super::literals), so a page is read twice however many literals there are.

use std::collections::HashMap;
use std::time::Instant;

use super::compiler::Compiler;
use super::expressions::{self, Expressions};
use super::fold::{self, Folded};
use super::hits::{Hits, Place, Places, RuleHits};
use super::literals::{Finds, Literals, Sought};
use super::{
    Error, Fault, Kind, MAX_CONTEXT_CHARS, MAX_CONTEXTS, MAX_PATTERN_CHARS, MAX_RULES, Rule,
};
use crate::page::{self, Page};

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
                        exact.push((text.clone(), Sought::Rule(index)));
                    } else {
                        text = fold::fold(&text);
                        folded.push((text.clone(), Sought::Rule(index)));
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
        let mut required = Vec::new();
        let expressions = (!expressions.is_empty())
            .then(|| Expressions::build(expressions, rules, &mut required));
        folded.extend(required);
        Ok(Self {
            rules: compiled,
            exact: Literals::build(exact, false)?,
            folded: Literals::build(folded, true)?,
            expressions,
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
        self.scan_within(page, usize::MAX)
    }

    /// Finds every match on a page, and keeps so many bytes of contexts at most, in the order of their places on the page:
    /// many rules with wide contexts repeat a page many times over.
    pub fn scan_within(&self, page: &Page, context_bytes: usize) -> Hits {
        let mut scan = Scan {
            rules: &self.rules,
            slots: vec![0; self.rules.len()],
            found: Vec::new(),
            field: 0,
            incomplete: false,
            context_bytes_left: context_bytes,
            contexts_left_out: 0,
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
            self.scan_field(text, &field, &mut scan);
        }
        scan.finish()
    }

    fn scan_field(&self, text: &str, field: &Field<'_>, scan: &mut Scan<'_>) {
        if let Some(literals) = &self.exact {
            let mut finds = literals.finds(text);
            for find in &mut finds {
                if let Sought::Rule(rule) = find.sought {
                    scan.add(rule, text, find.start, find.end, field);
                }
            }
            scan.incomplete |= finds.are_cut_short();
        }
        let folded = Folded::new(text);
        let mut finds = self.folded.as_ref().map(|all| all.finds(&folded.text));
        let mut expressions = self.expressions.as_ref().map(Expressions::begin);
        // Literals are counted and expressions chosen on the same way through the text, piece by piece.
        let most = match expressions {
            Some(_) => expressions::WINDOW,
            None => text.len(),
        };
        for (start, piece) in expressions::pieces(text, most) {
            let end = start + piece.len();
            while let Some(find) = finds
                .as_mut()
                .and_then(|all| all.next_before(|at| folded.original(at) <= end))
            {
                let (from, to) = (folded.original(find.start), folded.original(find.end));
                match (find.sought, &mut expressions) {
                    (Sought::Rule(rule), _) => scan.add(rule, text, from, to, field),
                    // One that begins before the piece is in no match inside it.
                    (Sought::Required(expression), Some(some)) if from >= start => {
                        some.may_match(expression);
                    }
                    (Sought::Required(_), _) => {}
                }
            }
            let cut_short = finds.as_ref().is_some_and(Finds::are_cut_short);
            scan.incomplete |= cut_short;
            if let Some(some) = &mut expressions {
                if cut_short {
                    some.all_may_match();
                }
                some.scan(text, start, piece, field, scan);
            }
        }
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
    context_bytes_left: usize,
    contexts_left_out: u32,
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
    /// Contexts that there was no room for.
    left_out: usize,
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
                left_out: 0,
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
        if found.contexts.len() + found.left_out < MAX_CONTEXTS {
            let context = context(text, start, end, compiled.rule.context_chars);
            match self.context_bytes_left.checked_sub(context.len()) {
                Some(left) => {
                    self.context_bytes_left = left;
                    found.contexts.push(context);
                }
                None => {
                    found.left_out += 1;
                    self.contexts_left_out = self.contexts_left_out.saturating_add(1);
                }
            }
        }
    }

    fn finish(mut self) -> Hits {
        self.found.sort_unstable_by_key(|found| found.rule);
        let mut hits = Hits {
            incomplete: self.incomplete,
            contexts_left_out: self.contexts_left_out,
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

/// Cuts off everything but so many characters at the end of a text.
fn suffix(text: &str, chars: usize) -> &str {
    let Some(from) = text.len().checked_sub(chars) else {
        return text;
    };
    if text.as_bytes().get(from..).is_some_and(<[u8]>::is_ascii) {
        return text.get(from..).unwrap_or_default();
    }
    match chars.checked_sub(1) {
        None => "",
        Some(before) => {
            let start = text.char_indices().rev().nth(before);
            start.and_then(|(at, _)| text.get(at..)).unwrap_or(text)
        }
    }
}

fn clip(text: &str) -> String {
    page::prefix(text, MAX_MATCHED_CHARS).to_owned()
}

/// Cuts out a match with up to `chars` characters on each side, never through a character.
fn context(text: &str, start: usize, end: usize, chars: usize) -> String {
    let from = start - suffix(text.get(..start).unwrap_or_default(), chars).len();
    let to = end + page::prefix(text.get(end..).unwrap_or_default(), chars).len();
    // The match itself may be long when it is an expression's.
    let whole = text.get(from..to).unwrap_or_default();
    let line = page::prefix(whole, MAX_MATCHED_CHARS + 2 * chars).trim();
    match memchr::memchr(b'\n', line.as_bytes()) {
        None => line.to_owned(),
        Some(_) => line.replace('\n', " "),
    }
}
