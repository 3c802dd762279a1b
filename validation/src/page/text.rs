//! Folding text as a browser shows it: references decoded, white space as one space, invisible characters gone.

use super::entities;

/// Collects text into one string, up to a bound.
pub(super) struct Text {
    pub(super) out: String,
    pub(super) truncated: bool,
    gap: Gap,
    limit: usize,
}

/// What separates the text so far from the next visible character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    None,
    Space,
    Line,
}

impl Text {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            out: String::new(),
            truncated: false,
            gap: Gap::None,
            limit,
        }
    }

    /// Begins a new line before the next character, if there is text before it.
    pub(super) fn line(&mut self) {
        self.gap = Gap::Line;
    }

    /// Separates words at a border that is not itself text, such as a table cell.
    pub(super) fn space(&mut self) {
        self.gap = self.gap.max(Gap::Space);
    }

    /// Adds text that may hold character references.
    pub(super) fn push_html(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
            let (before, from) = rest.split_at(at);
            self.push(before);
            match entities::decode(from) {
                Some((character, length)) => {
                    self.push_char(character);
                    rest = from.get(length..).unwrap_or_default();
                }
                None => {
                    self.push_char('&');
                    rest = from.get(1..).unwrap_or_default();
                }
            }
        }
        self.push(rest);
    }

    /// Adds text as it is.
    pub(super) fn push(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() && !self.truncated {
            let (plain, other) = rest.split_at(plain_run(rest.as_bytes()));
            if !plain.is_empty() {
                self.separate();
                self.append(plain);
            }
            let mut characters = other.chars();
            if let Some(character) = characters.next() {
                self.push_char(character);
            }
            rest = characters.as_str();
        }
    }

    fn push_char(&mut self, character: char) {
        if character.is_whitespace() || character.is_control() {
            self.space();
        } else if !invisible(character) {
            self.separate();
            self.append(character.encode_utf8(&mut [0; 4]));
        }
    }

    fn separate(&mut self) {
        if self.gap != Gap::None && !self.out.is_empty() {
            self.append(if self.gap == Gap::Line { "\n" } else { " " });
        }
        self.gap = Gap::None;
    }

    fn append(&mut self, text: &str) {
        let room = self.limit.saturating_sub(self.out.len());
        if text.len() <= room {
            self.out.push_str(text);
            return;
        }
        let cut = (0..=room).rev().find(|at| text.is_char_boundary(*at));
        self.out
            .push_str(text.get(..cut.unwrap_or(0)).unwrap_or_default());
        self.truncated = true;
        self.limit = self.out.len();
    }
}

/// Counts the bytes that stay as they are: visible ASCII characters, with single blanks between them.
fn plain_run(text: &[u8]) -> usize {
    let visible = |byte: &u8| (b'!'..=b'~').contains(byte);
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += rest
            .iter()
            .position(|byte| !visible(byte))
            .unwrap_or(rest.len());
        let blank_between =
            at > 0 && text.get(at) == Some(&b' ') && text.get(at + 1).is_some_and(visible);
        if !blank_between {
            return at;
        }
        at += 1;
    }
}

/// Tells whether a character takes no room and has no meaning: soft hyphen, zero-width space, word joiner, byte order mark.
fn invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// Folds a text as page text is folded, so that a pattern can be compared with it.
pub fn fold_whitespace(text: &str) -> String {
    let mut folded = Text::new(usize::MAX);
    folded.push(text);
    folded.out
}

/// Decodes an attribute's value, white space folded, up to `limit` bytes.
pub(super) fn attribute(value: &str, limit: usize) -> String {
    let mut text = Text::new(limit);
    text.out.reserve(value.len().min(limit));
    text.push_html(value);
    text.out
}

/// Cuts a text after so many characters.
pub(crate) fn prefix(text: &str, chars: usize) -> &str {
    // So many bytes are at most so many characters, and just so many where all are ASCII.
    match text.as_bytes().get(..chars) {
        None => text,
        Some(bytes) if bytes.is_ascii() => text.get(..chars).unwrap_or_default(),
        Some(_) => {
            let end = text.char_indices().nth(chars);
            end.and_then(|(at, _)| text.get(..at)).unwrap_or(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_of_all_kinds_is_one_space_and_soft_hyphens_are_nothing() {
        let folded = fold_whitespace("  tele\u{ad}com\u{a0}\n\t\u{3000}fibre\u{200b} ");
        assert_eq!(folded, "telecom fibre");
    }

    #[test]
    fn blanks_are_kept_where_they_are_single_and_between() {
        let folded = fold_whitespace(" a b  c\u{e9} d \te f ");
        assert_eq!(folded, "a b c\u{e9} d e f");
        let mut text = Text::new(100);
        for piece in ["a ", " b", "c d ", "\n", "e"] {
            text.push(piece);
        }
        assert_eq!(text.out, "a bc d e");
    }

    #[test]
    fn a_prefix_has_so_many_characters() {
        for (text, chars, cut) in [
            ("abc", 2, "ab"),
            ("abc", 3, "abc"),
            ("abc", 9, "abc"),
            ("a\u{e9}c", 2, "a\u{e9}"),
            ("", 0, ""),
        ] {
            assert_eq!(prefix(text, chars), cut);
        }
    }

    #[test]
    fn text_stops_at_its_bound_between_two_characters() {
        let mut text = Text::new(5);
        text.push("aä");
        text.push("öüb");
        assert_eq!(text.out, "aäö");
        assert!(text.truncated);
        text.push("c");
        assert_eq!(text.out, "aäö");
    }
}
