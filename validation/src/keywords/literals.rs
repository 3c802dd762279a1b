//! Searching a text for many literals at once: all of one case flag are one Aho-Corasick automaton.

use aho_corasick::{AhoCorasick, AhoCorasickKind, FindOverlappingIter, MatchKind};

use super::Error;

/// Matches of literals that are looked at in one text. Honest rules stay far below; a thousand literals that lie inside one another,
/// on a text of one letter, have a thousand matches a byte.
const MAX_FINDS: usize = 4_000_000;
/// Up to this many bytes of literals the automaton is a table with one look-up a byte; above, it is a smaller, slower form.
const TABLE_BYTES: usize = 64 << 10;

/// Why a literal is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sought {
    /// It is a rule of the list, by position.
    Rule(usize),
    /// It stands in every match of an expression, by position.
    Required(usize),
}

/// Literals of one case flag.
#[derive(Debug)]
pub(super) struct Literals {
    search: AhoCorasick,
    /// What each literal of the automaton is looked for.
    sought: Vec<Sought>,
}

/// Where a literal stands in the text that was searched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Find {
    pub(super) sought: Sought,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Literals {
    /// Builds the automaton; nothing where there are no literals.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub(super) fn build(
        literals: Vec<(String, Sought)>,
        any_case: bool,
    ) -> Result<Option<Self>, Error> {
        if literals.is_empty() {
            return Ok(None);
        }
        let bytes: usize = literals.iter().map(|(text, _)| text.len()).sum();
        let kind = (bytes <= TABLE_BYTES).then_some(AhoCorasickKind::DFA);
        let search = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(any_case)
            .kind(kind)
            .build(literals.iter().map(|(text, _)| text.as_bytes()))
            .map_err(|error| Error::TooLarge(error.to_string()))?;
        Ok(Some(Self {
            search,
            sought: literals.into_iter().map(|(_, sought)| sought).collect(),
        }))
    }

    /// Finds all literals in a text, also those that lie inside one another, in the order of their ends.
    pub(super) fn finds<'a>(&'a self, text: &'a str) -> Finds<'a> {
        Finds {
            literals: self,
            found: self.search.find_overlapping_iter(text),
            next: None,
            left: MAX_FINDS,
            is_cut_short: false,
        }
    }
}

/// What is found of the literals, at most [`MAX_FINDS`].
#[derive(Debug)]
pub(super) struct Finds<'a> {
    literals: &'a Literals,
    found: FindOverlappingIter<'a, 'a>,
    /// Read, and not yet given.
    next: Option<Find>,
    left: usize,
    is_cut_short: bool,
}

impl Finds<'_> {
    /// Gives the next find if its end lies where `is_before` says.
    pub(super) fn next_before(&mut self, is_before: impl Fn(usize) -> bool) -> Option<Find> {
        self.next = self.next();
        self.next.take_if(|find| is_before(find.end))
    }

    /// Tells whether there was more to find than is looked at.
    pub(super) const fn are_cut_short(&self) -> bool {
        self.is_cut_short
    }
}

impl Iterator for Finds<'_> {
    type Item = Find;

    fn next(&mut self) -> Option<Find> {
        if let Some(next) = self.next.take() {
            return Some(next);
        }
        if self.is_cut_short {
            return None;
        }
        let found = self.found.next()?;
        if self.left == 0 {
            self.is_cut_short = true;
            return None;
        }
        self.left -= 1;
        Some(Find {
            sought: *self.literals.sought.get(found.pattern().as_usize())?,
            start: found.start(),
            end: found.end(),
        })
    }
}
