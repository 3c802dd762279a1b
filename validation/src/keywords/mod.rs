//! Keyword rules and the matcher that counts them on a page.
//!
//! A run compiles its rules once with [`Matcher::compile`] and scans every page with [`Matcher::scan`]; whoever saves a
//! keyword set or pins rules for a run calls `compile` too, so that rules which cannot work are refused there. Scanning is
//! synchronous, shares nothing and never fails. Matches are looked for in what a visitor reads (title, visible text with its
//! h1 and anchors) and in the description and keywords metas; a [`crate::page::Page`] holds nothing of markup, scripts,
//! styles or comments, so they cannot match.
//!
//! What a rule of kind [`Kind::Literal`] means: a plain substring, `tele` is found inside `telecom`. Whoever wants whole
//! words writes the regular expression `\btelecom\b`. White space in a literal is folded as it is in page text: any run is
//! one space, and it does not reach across the border of two paragraphs.

mod compiler;
mod expressions;
mod fold;
mod hits;
mod literals;
mod matcher;
mod required;
#[cfg(test)]
mod tests;

pub use hits::{Hits, Place, Places, RuleHits};
pub use matcher::Matcher;

/// Most rules one matcher takes.
pub const MAX_RULES: usize = 10_000;
/// Longest pattern, in characters.
pub const MAX_PATTERN_CHARS: usize = 1_000;
/// Most characters of context kept on each side of a match.
pub const MAX_CONTEXT_CHARS: usize = 500;
/// Contexts kept for a rule on one page.
pub const MAX_CONTEXTS: usize = 5;
/// Most memory that the regular expressions of one matcher take when compiled, in bytes.
pub const MAX_REGEX_BYTES: usize = 64 << 20;

/// Says how the pattern of a rule is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A substring, taken as it is written.
    Literal,
    /// A regular expression in the syntax of the `regex` crate, which runs in linear time and has no look-around.
    Regex,
}

/// Describes one thing to look for.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The caller's name for the rule; comes back in [`RuleHits::id`] and in errors.
    pub id: String,
    /// What to look for, see [`Kind`].
    pub pattern: String,
    /// How the pattern is read.
    pub kind: Kind,
    /// Whether `A` and `a` differ. If not, letters of every script are compared without case (see `fold.rs`).
    pub case_sensitive: bool,
    /// A label that comes back with the hits.
    pub category: Option<String>,
    /// Weight of the rule, finite and not negative; comes back with the hits.
    pub weight: f64,
    /// Characters kept before and after a match, at most [`MAX_CONTEXT_CHARS`].
    pub context_chars: usize,
}

impl Rule {
    /// Makes a case-insensitive literal rule whose id is its pattern, as the ad-hoc keywords of a phase are.
    pub fn literal(pattern: impl Into<String>) -> Self {
        let pattern = pattern.into();
        Self {
            id: pattern.clone(),
            pattern,
            kind: Kind::Literal,
            case_sensitive: false,
            category: None,
            weight: 1.0,
            context_chars: 50,
        }
    }

    /// Makes a case-insensitive rule from a regular expression, its id being the pattern.
    pub fn regex(pattern: impl Into<String>) -> Self {
        Self {
            kind: Kind::Regex,
            ..Self::literal(pattern)
        }
    }
}

/// Says why rules cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There are more than [`MAX_RULES`].
    #[error("{0} keyword rules are more than the {MAX_RULES} that one run can match")]
    TooManyRules(usize),
    /// A rule cannot be searched with.
    #[error("keyword rule {id:?} {fault}")]
    Rule {
        /// The rule.
        id: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Every rule is fine alone, but together they exceed the memory bound.
    #[error("the keyword rules are too large together: {0}")]
    TooLarge(String),
}

/// Says what is wrong with a rule.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The pattern holds nothing to look for.
    #[error("has an empty pattern")]
    Empty,
    /// The pattern has so many characters, more than [`MAX_PATTERN_CHARS`].
    #[error("has a pattern of {0} characters, at most {MAX_PATTERN_CHARS} are allowed")]
    TooLong(usize),
    /// The context has so many characters, more than [`MAX_CONTEXT_CHARS`].
    #[error("asks for {0} characters of context, at most {MAX_CONTEXT_CHARS} are allowed")]
    ContextTooLong(usize),
    /// The weight is negative or not a number.
    #[error("has the weight {0}, it must be zero or more")]
    Weight(f64),
    /// The regular expression does not compile, or grows too large when compiled.
    #[error("is not a usable regular expression: {0}")]
    Regex(String),
    /// The regular expressions up to this one take more than [`MAX_REGEX_BYTES`] together.
    #[error(
        "is one regular expression too many: with those before it, it takes more than {} MiB of memory",
        MAX_REGEX_BYTES >> 20
    )]
    RegexesTooLarge,
    /// The regular expression matches nothing at all, and so matches everywhere.
    #[error("matches the empty text and so would match everywhere")]
    MatchesEmpty,
}
