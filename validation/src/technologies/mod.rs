//! Telling what software a site is made with: from the headers of its answer, the names of its cookies, and the markup.
//!
//! The rules are data: files in `rules/` are compiled into the program, and an operator may add files of the same format
//! (`docs/technologies.md`). They are compiled once into one automaton, with which the [signs](crate::page::Signs) of a page are
//! read once. A page is data too, so what is searched is bounded by what a [`Page`] keeps, and a match is verified by reading no
//! further than its pattern is long.

mod definition;
mod detector;
mod parse;
mod pattern;
#[cfg(test)]
mod tests;

use crate::page::Page;

pub use detector::Technologies;

/// Technologies of all files together.
pub const MAX_TECHNOLOGIES: usize = 5_000;
/// Longest rule file, in bytes.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// Technologies that are told of one page.
pub const MAX_FOUND: usize = 50;

/// The files that are part of the program, by name.
const BUNDLED: &[(&str, &str)] = &[
    ("cms.rules", include_str!("rules/cms.rules")),
    ("commerce.rules", include_str!("rules/commerce.rules")),
    ("frameworks.rules", include_str!("rules/frameworks.rules")),
    ("servers.rules", include_str!("rules/servers.rules")),
    ("services.rules", include_str!("rules/services.rules")),
];

/// A technology that a site shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technology {
    /// Its name.
    pub name: String,
    /// What kind of thing it is, such as `cms` or `web-server`.
    pub category: String,
    /// Its version, where that shows.
    pub version: Option<String>,
    /// What shows it: the place and the text that was found there, or the technology that implies it.
    pub evidence: String,
}

/// What technologies are told by.
#[derive(Debug, Clone, Copy)]
pub struct Site<'s> {
    /// The headers that are kept of the answer, names in lower case.
    pub headers: &'s [(String, String)],
    /// Names of the cookies that it set.
    pub cookies: &'s [String],
    /// The page.
    pub page: &'s Page,
}

/// Says what of a rule file cannot be honoured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, {field}: {why}")]
pub struct Error {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The field, as it is written.
    pub field: String,
    /// What is wrong.
    pub why: String,
}
