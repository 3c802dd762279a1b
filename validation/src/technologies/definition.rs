//! A technology as a rule file describes it.

use std::fmt;

use super::pattern::Pattern;

/// Names the part of an answer that a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The value of the header of a name.
    Header,
    /// The names of the cookies that were set.
    Cookie,
    /// The content of the meta element of a name or property.
    Meta,
    /// The addresses of scripts.
    Script,
    /// The addresses of linked resources, such as style sheets.
    Link,
    /// Tags, comments and the scripts that stand in the page.
    Markup,
}

impl Place {
    /// Every place.
    pub(super) const ALL: [Self; 6] = [
        Self::Header,
        Self::Cookie,
        Self::Meta,
        Self::Script,
        Self::Link,
        Self::Markup,
    ];

    /// Returns the word that stands for it in a rule file.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Meta => "meta",
            Self::Script => "script",
            Self::Link => "link",
            Self::Markup => "markup",
        }
    }

    /// Tells whether a rule says besides which one of them it looks at.
    pub(super) const fn is_named(self) -> bool {
        matches!(self, Self::Header | Self::Meta)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One way to tell a technology.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    /// Where it looks.
    pub(super) place: Place,
    /// Name of the header or the meta element, in lower case; empty elsewhere.
    pub(super) name: String,
    /// What it looks for.
    pub(super) pattern: Pattern,
    /// Where it stands in its file.
    pub(super) line: usize,
}

/// One technology.
#[derive(Debug, Clone)]
pub(super) struct Definition {
    /// Its name.
    pub(super) name: String,
    /// What kind of thing it is.
    pub(super) category: String,
    /// The technologies that are there where it is, each with the line that says so.
    pub(super) implies: Vec<(String, usize)>,
    /// The ways to tell it; one suffices.
    pub(super) rules: Vec<Rule>,
    /// Where it begins in its file.
    pub(super) line: usize,
}
