//! Domain lists from files: one name a line, with comments, blank lines and whole addresses.

use std::collections::HashSet;

use super::{DomainName, Illegal};

/// The most bytes of an imported file.
pub const MAX_IMPORT_BYTES: u64 = 64 * 1024 * 1024;
/// The most lines of an imported file.
pub const MAX_IMPORT_LINES: u64 = 1_000_000;

/// How much of a rejected line is kept for the report, in characters.
const KEPT_OF_A_LINE: usize = 120;

/// What became of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A name that was not there before.
    Accepted(DomainName),
    /// A name that an earlier line had.
    Duplicate(DomainName),
    /// A blank line or a comment.
    Nothing,
    /// A line that holds no domain name.
    Rejected {
        /// Counted from 1.
        number: u64,
        /// The start of the line, at most 120 characters.
        text: String,
        /// The rule that it breaks.
        reason: Illegal,
    },
}

/// A file of more lines than an import takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_IMPORT_LINES} lines")]
pub struct TooManyLines;

/// Reads a list line by line, counting lines and remembering names, so that the caller can stream the file.
#[derive(Debug, Default)]
pub struct Importer {
    lines: u64,
    seen: HashSet<DomainName>,
}

impl Importer {
    /// Starts at line 1 with no names seen.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Judges the next line, given without or with its line break.
    ///
    /// # Errors
    /// Refuses the line after [`MAX_IMPORT_LINES`]; nothing is taken from it.
    pub fn line(&mut self, bytes: &[u8]) -> Result<Line, TooManyLines> {
        if self.lines >= MAX_IMPORT_LINES {
            return Err(TooManyLines);
        }
        self.lines += 1;
        let judged = std::str::from_utf8(bytes)
            .map_err(|_| Illegal::NotUtf8)
            .and_then(host_of_line);
        Ok(match judged {
            Ok(None) => Line::Nothing,
            Ok(Some(name)) if self.seen.insert(name.clone()) => Line::Accepted(name),
            Ok(Some(name)) => Line::Duplicate(name),
            Err(reason) => Line::Rejected {
                number: self.lines,
                text: String::from_utf8_lossy(bytes)
                    .trim()
                    .chars()
                    .take(KEPT_OF_A_LINE)
                    .collect(),
                reason,
            },
        })
    }

    /// Counts the lines read so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }
}

/// Reduces one line to the host it names; a blank line or a comment names none.
///
/// Takes `example.com`, `Example.COM.`, `https://user@example.com:8080/path?q#f` and a comment after white space.
///
/// # Errors
/// Says why what is left is no domain name.
pub fn host_of_line(line: &str) -> Result<Option<DomainName>, Illegal> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let entry = line
        .split_once([' ', '\t'])
        .filter(|(_, rest)| rest.trim_start().starts_with('#'))
        .map_or(line, |(entry, _)| entry);
    let (after_scheme, had_scheme) = match entry.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (rest, true),
        _ => (entry, false),
    };
    let authority = after_scheme
        .split(['/', '?', '#', '\\'])
        .next()
        .unwrap_or(after_scheme);
    // Only an address has a user in front of its host; `someone@example.com` on a line of its own is a mistake.
    let host_and_port = match authority.rsplit_once('@') {
        Some((_, host)) if had_scheme => host,
        _ => authority,
    };
    let host = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => {
            host
        }
        _ => host_and_port,
    };
    DomainName::parse(host).map(Some)
}

/// Tells a URL scheme (RFC 3986 §3.1) from other text before `://`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reduced_to_their_host() {
        for line in [
            "example.com",
            "  Example.COM.\r\n",
            "\u{feff}example.com",
            "https://example.com/path",
            "http://user:pass@example.com:8080/a?b#c",
            "example.com:443",
            "example.com/path",
            "example.com. # a good one",
            "https://example.com?q=1",
        ] {
            let name = host_of_line(line).unwrap().unwrap();
            assert_eq!(name.as_str(), "example.com", "{line}");
        }
    }

    #[test]
    fn comments_and_blank_lines_are_nothing() {
        for line in ["", "   ", "# example.com", "\t#"] {
            assert_eq!(host_of_line(line), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn a_bad_line_is_reported_with_its_number_and_reason() {
        let mut importer = Importer::new();
        let lines: [&[u8]; 7] = [
            b"# list",
            b"a.com",
            b"A.com.",
            b"someone@example.com",
            b"two words.com",
            b"\xff\xfe.com",
            b"https://[::1]:80/",
        ];
        let judged: Vec<Line> = lines.iter().map(|l| importer.line(l).unwrap()).collect();
        let name = DomainName::parse("a.com").unwrap();
        assert_eq!(judged[0], Line::Nothing);
        assert_eq!(judged[1], Line::Accepted(name.clone()));
        assert_eq!(judged[2], Line::Duplicate(name));
        let reasons: Vec<(u64, Illegal)> = judged[3..]
            .iter()
            .map(|line| match line {
                Line::Rejected { number, reason, .. } => (*number, reason.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            reasons,
            [
                (4, Illegal::Character('@')),
                (5, Illegal::Character(' ')),
                (6, Illegal::NotUtf8),
                (7, Illegal::Address),
            ]
        );
    }

    #[test]
    fn the_line_after_the_millionth_is_refused() {
        let mut importer = Importer::new();
        for _ in 0..MAX_IMPORT_LINES {
            importer.line(b"#").unwrap();
        }
        assert_eq!(importer.line(b"a.com"), Err(TooManyLines));
        assert_eq!(importer.lines(), MAX_IMPORT_LINES);
    }
}
