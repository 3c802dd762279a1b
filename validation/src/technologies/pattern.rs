//! The patterns of rules: literals with anchors and a place for a version.
//!
//! There are no regular expressions. A literal, whether it stands at the beginning or the end, and where the version is, say what
//! there is to say of a header, a name or an address; and matching takes a step a byte, whoever wrote the file.

/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 200;
/// Longest version, in bytes.
const MAX_VERSION: usize = 20;
/// What may stand between a name and its version where the version is optional, two characters at most.
const SEPARATORS: &[u8] = b" /-_:=vV@";

/// Says where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    No,
    /// The pattern matches only with one.
    Required,
    /// One may follow at the end, after up to two separators.
    Optional,
}

/// What a rule looks for, ASCII letters in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    from_start: bool,
    before: String,
    version: Version,
    after: String,
    to_end: bool,
}

/// Where a pattern matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match<'t> {
    /// The text that matched.
    pub(super) text: &'t str,
    /// The version in it.
    pub(super) version: Option<&'t str>,
}

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(super) fn parse(source: &str) -> Result<Self, String> {
        if source.len() > MAX_PATTERN {
            return Err(format!("is longer than {MAX_PATTERN} bytes"));
        }
        let (from_start, source) = match source.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, source),
        };
        let (to_end, source) = match source.strip_suffix('$') {
            Some(rest) => (true, rest),
            None => (false, source),
        };
        let (before, version, after) = if let Some((before, after)) = source.split_once("{version}")
        {
            (before, Version::Required, after)
        } else if let Some((before, after)) = source.split_once("{version?}") {
            if to_end || !after.is_empty() {
                return Err("{version?} can only stand at the end".to_owned());
            }
            (before, Version::Optional, "")
        } else {
            (source, Version::No, "")
        };
        if after.contains("{version") {
            return Err("has more than one version".to_owned());
        }
        if before.is_empty() && version != Version::No && !from_start {
            return Err("a version needs a text before it, or ^".to_owned());
        }
        if before.is_empty() && version == Version::No && (from_start || to_end) {
            return Err("has nothing to look for".to_owned());
        }
        Ok(Self {
            from_start,
            before: before.to_owned(),
            version,
            after: after.to_owned(),
            to_end,
        })
    }

    /// Tells whether it matches everything.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.version == Version::No
    }

    /// Tells whether it asks for a version.
    pub(super) fn has_version(&self) -> bool {
        self.version != Version::No
    }

    /// Gives the text that stands wherever it matches, at the beginning of the match.
    pub(super) fn literal(&self) -> &str {
        &self.before
    }

    /// Finds the first match in a short text.
    pub(super) fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        let last = match self.from_start {
            true => 0,
            false => text.len(),
        };
        (0..=last).find_map(|at| self.match_at(text, at))
    }

    /// Matches at an offset. It reads no further than the pattern and a version are long.
    pub(super) fn match_at<'t>(&self, text: &'t str, at: usize) -> Option<Match<'t>> {
        if self.from_start && at != 0 {
            return None;
        }
        let mut end = at + prefix(text, at, &self.before)?;
        let mut version = None;
        match self.version {
            Version::No => {}
            Version::Required => {
                let length = version_length(text, end)?;
                version = text.get(end..end + length);
                end += length + prefix(text, end + length, &self.after)?;
            }
            Version::Optional => {
                let skipped = separators(text, end);
                if let Some(length) = version_length(text, end + skipped) {
                    version = text.get(end + skipped..end + skipped + length);
                    end += skipped + length;
                }
            }
        }
        if self.to_end && end != text.len() {
            return None;
        }
        let text = text.get(at..end)?;
        Some(Match { text, version })
    }
}

/// Gives the length of `literal` where the text has it at an offset, in any case.
fn prefix(text: &str, at: usize, literal: &str) -> Option<usize> {
    let found = text.as_bytes().get(at..at + literal.len())?;
    found
        .eq_ignore_ascii_case(literal.as_bytes())
        .then_some(literal.len())
}

/// Counts the separators before a version.
fn separators(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter()
        .take(2)
        .take_while(|byte| SEPARATORS.contains(byte))
        .count()
}

/// Measures the version at an offset: groups of digits with dots between them.
fn version_length(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    let run = rest
        .iter()
        .take(MAX_VERSION)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    let version = rest.get(..run)?;
    let trailing = version.iter().rev().take_while(|b| **b == b'.').count();
    (version.first()?.is_ascii_digit()).then_some(run - trailing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Option<(String, Option<String>)> {
        let found = Pattern::parse(pattern).unwrap().find(text)?;
        Some((found.text.to_owned(), found.version.map(str::to_owned)))
    }

    fn version(pattern: &str, text: &str) -> Option<String> {
        found(pattern, text).and_then(|(_, version)| version)
    }

    #[test]
    fn a_literal_is_found_in_any_case_and_anchors_hold() {
        assert!(found("wp-content", "/WP-Content/x").is_some());
        assert!(found("^nginx", "x nginx").is_none());
        assert!(found("^Apache$", "Apache/2.4").is_none());
        assert!(found("^Apache$", "apache").is_some());
        assert!(found("", "anything").is_some());
    }

    #[test]
    fn a_version_is_digits_and_dots_between_them() {
        for (pattern, text, expected) in [
            (
                "jquery-{version}.min.js",
                "/jquery-3.7.1.min.js",
                Some("3.7.1"),
            ),
            ("OpenSSL/{version}", "OpenSSL/1.1.1k-fips", Some("1.1.1")),
            ("nginx{version?}", "nginx/1.25.3", Some("1.25.3")),
            ("nginx{version?}", "nginx", None),
            ("Drupal{version?}", "Drupal 10 (https://x)", Some("10")),
            ("^{version}", "4.0.30319", Some("4.0.30319")),
        ] {
            assert_eq!(version(pattern, text).as_deref(), expected, "{pattern}");
        }
        assert!(found("jquery-{version}", "jquery-ui.js").is_none());
        let long = format!("nginx/{}", "1".repeat(100));
        assert_eq!(
            version("nginx/{version}", &long).map(|v| v.len()),
            Some(MAX_VERSION)
        );
    }

    #[test]
    fn a_match_never_cuts_a_character() {
        assert_eq!(found("x", "é🎉x"), Some(("x".to_owned(), None)));
        assert!(found("é", "É é").is_some());
        assert!(found("a{version?}", "aé").is_some());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (pattern, says) in [
            ("^", "nothing to look for"),
            ("{version}", "before it"),
            ("a{version?}b", "at the end"),
            ("a{version}b{version}", "more than one"),
        ] {
            let why = Pattern::parse(pattern).unwrap_err();
            assert!(why.contains(says), "{pattern}: {why}");
        }
        assert!(Pattern::parse(&"x".repeat(201)).is_err());
    }
}
