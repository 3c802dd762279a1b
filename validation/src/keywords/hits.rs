//! What a scan found.

/// Names the part of a page where a match lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The title.
    Title,
    /// A heading of the first level.
    H1,
    /// The description or keywords meta.
    Meta,
    /// The text of a link.
    Anchor,
    /// Any other visible text.
    Body,
}

/// Counts matches by place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Places {
    /// In the title.
    pub title: u32,
    /// In first-level headings.
    pub h1: u32,
    /// In the description and keywords metas.
    pub meta: u32,
    /// In the text of links that are not also headings.
    pub anchor: u32,
    /// In the rest of the visible text.
    pub body: u32,
}

impl Places {
    pub(super) fn add(&mut self, place: Place) {
        let counter = match place {
            Place::Title => &mut self.title,
            Place::H1 => &mut self.h1,
            Place::Meta => &mut self.meta,
            Place::Anchor => &mut self.anchor,
            Place::Body => &mut self.body,
        };
        *counter = counter.saturating_add(1);
    }

    /// Counts the kinds of places that have a match, 0 to 5.
    pub fn distinct(&self) -> u32 {
        [self.title, self.h1, self.meta, self.anchor, self.body]
            .iter()
            .map(|count| u32::from(*count > 0))
            .sum()
    }
}

/// Tells what one rule found on one page.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleHits {
    /// Position of the rule in the slice that was compiled.
    pub rule: usize,
    /// The rule's id.
    pub id: String,
    /// The rule's pattern as it was written.
    pub pattern: String,
    /// The rule's category.
    pub category: Option<String>,
    /// The rule's weight.
    pub weight: f64,
    /// The first match as it stands on the page, at most 200 characters.
    pub matched: String,
    /// Matches that do not overlap one another. Every match counts once, in one place.
    pub count: u32,
    /// The same matches by place; their sum is `count`.
    pub places: Places,
    /// The first matches with the characters around them, line ends as spaces; at most [`super::MAX_CONTEXTS`].
    pub contexts: Vec<String>,
}

/// Tells what all rules found on one page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hits {
    /// Matches of all rules. Two rules that say the same thing (a keyword that is in two sets) count here once.
    pub hits_total: u64,
    /// Distinct keywords that matched, counted the same way.
    pub unique: u32,
    /// Rules that matched, in the order they were compiled.
    pub rules: Vec<RuleHits>,
    /// Whether a regular expression was stopped at its bound on this page, so that its count is a lower bound.
    pub incomplete: bool,
    /// Contexts that are not kept because they would have exceeded the bytes that were asked for.
    pub contexts_left_out: u32,
}

impl Hits {
    /// Adds up the weights of the rules that matched.
    pub fn weight_sum(&self) -> f64 {
        self.rules.iter().map(|found| found.weight).sum()
    }
}
