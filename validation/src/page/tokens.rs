//! Cutting HTML into tags and text.
//!
//! A tokenizer after the WHATWG standard's tokenization, as far as it decides what is text and what is not: quotes in tags,
//! comments in all their broken forms, elements whose content is raw text, and the escapes inside scripts. It borrows from the
//! page, allocates nothing, takes every input, and moves forward at each step, so its time is linear in the input.

use memchr::{memchr, memchr2, memchr3, memmem};

/// A piece of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'h> {
    /// Text between tags, character references still in it.
    Text(&'h str),
    /// An opening tag.
    Open(Tag<'h>),
    /// The name in a closing tag, as written.
    Close(&'h str),
    /// A comment, without its brackets where it has both.
    Comment(&'h str),
}

/// An opening tag, its attributes not yet looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'h> {
    /// The name as written.
    pub(super) name: &'h str,
    /// What stands between the name and the closing bracket.
    pub(super) source: &'h str,
}

/// Walks over a page.
pub(super) struct Tokens<'h> {
    html: &'h str,
    at: usize,
}

impl<'h> Tokens<'h> {
    pub(super) fn new(html: &'h str) -> Self {
        Self { html, at: 0 }
    }

    fn bytes(&self) -> &'h [u8] {
        self.html.as_bytes()
    }

    fn rest(&self, from: usize) -> &'h [u8] {
        self.bytes().get(from..).unwrap_or_default()
    }

    fn slice(&self, from: usize, to: usize) -> &'h str {
        self.html.get(from..to).unwrap_or_default()
    }

    /// Takes everything up to the closing tag of an element whose content is not markup, and leaves that tag to come next.
    /// Without a closing tag that is the rest of the page.
    pub(super) fn raw_text(&mut self, name: &str) -> &'h str {
        let start = self.at;
        let mut from = start;
        while let Some(open) = memchr(b'<', self.rest(from)) {
            from += open;
            if self.closes(from, name) {
                self.at = from;
                return self.slice(start, from);
            }
            from += 1;
        }
        self.at = self.html.len();
        self.slice(start, self.at)
    }

    /// Takes a script up to its closing tag. In one that opens a comment, an inner `<script>` needs a `</script>` of its own.
    pub(super) fn script(&mut self) -> &'h str {
        let start = self.at;
        let (mut escaped, mut doubled) = (false, false);
        let mut from = self.at;
        loop {
            let rest = self.rest(from);
            let found = match escaped {
                true => memchr2(b'<', b'-', rest),
                false => memchr(b'<', rest),
            };
            let Some(found) = found else { break };
            from += found;
            let rest = self.rest(from);
            if rest.starts_with(b"<!--") {
                escaped = true;
                from += 4;
            } else if escaped && rest.starts_with(b"-->") {
                (escaped, doubled) = (false, false);
                from += 3;
            } else if self.closes(from, "script") {
                if !doubled {
                    self.at = from;
                    return self.slice(start, from);
                }
                doubled = false;
                from += 8;
            } else if escaped && !doubled && named(rest.get(1..).unwrap_or_default(), "script") {
                doubled = true;
                from += 7;
            } else {
                from += 1;
            }
        }
        self.at = self.html.len();
        self.slice(start, self.at)
    }

    fn closes(&self, at: usize, name: &str) -> bool {
        let rest = self.rest(at);
        rest.starts_with(b"</") && named(rest.get(2..).unwrap_or_default(), name)
    }

    /// Finds the end of the comment-like construct whose content starts at `from`; gives the offset after it.
    fn comment_end(&self, from: usize) -> usize {
        let rest = self.rest(from);
        // `<!-->` and `<!--->` are comments that end at once.
        for short in [&b">"[..], b"->"] {
            if rest.starts_with(short) {
                return from + short.len();
            }
        }
        let mut searched = 0;
        while let Some(dashes) = memmem::find(rest.get(searched..).unwrap_or_default(), b"--") {
            let after = searched + dashes + 2;
            match (rest.get(after), rest.get(after + 1)) {
                (Some(b'>'), _) => return from + after + 1,
                (Some(b'!'), Some(b'>')) => return from + after + 2,
                _ => searched = after - 1,
            }
        }
        self.html.len()
    }

    /// Finds the bracket that ends a tag. A quote opens a value only after an equals sign; anywhere else it is a character.
    fn tag_end(&self, from: usize) -> Option<usize> {
        let bytes = self.bytes();
        let mut at = from;
        loop {
            at += memchr3(b'>', b'"', b'\'', self.rest(at))?;
            let byte = *bytes.get(at)?;
            if byte == b'>' {
                return Some(at);
            }
            let before = bytes.get(from..at).unwrap_or_default().trim_ascii_end();
            at += 1;
            if before.last() == Some(&b'=') {
                at += memchr(byte, self.rest(at))? + 1;
            }
        }
    }
}

impl<'h> Iterator for Tokens<'h> {
    type Item = Token<'h>;

    fn next(&mut self) -> Option<Token<'h>> {
        let bytes = self.bytes();
        while self.at < bytes.len() {
            let start = self.at;
            // Text runs to the next bracket that begins something; a lone `<` is text.
            let mut search = start;
            let markup = loop {
                let Some(found) = memchr(b'<', self.rest(search)) else {
                    break bytes.len();
                };
                let open = search + found;
                match bytes.get(open + 1) {
                    Some(b'!' | b'/' | b'?') => break open,
                    Some(next) if next.is_ascii_alphabetic() => break open,
                    _ => search = open + 1,
                }
            };
            if markup > start {
                self.at = markup;
                return Some(Token::Text(self.slice(start, markup)));
            }
            match bytes.get(start + 1) {
                Some(b'!') if self.rest(start).starts_with(b"<!--") => {
                    self.at = self.comment_end(start + 4);
                    let whole = self.slice(start + 4, self.at);
                    return Some(Token::Comment(whole.strip_suffix("-->").unwrap_or(whole)));
                }
                Some(b'/') if bytes.get(start + 2).is_some_and(u8::is_ascii_alphabetic) => {
                    let name = self.name(start + 2);
                    self.at = match self.tag_end(start + 2 + name.len()) {
                        Some(end) => end + 1,
                        None => bytes.len(),
                    };
                    return Some(Token::Close(name));
                }
                // Doctypes, processing instructions and `</3`: ignored up to the next bracket.
                Some(b'!' | b'?' | b'/') => {
                    self.at = match memchr(b'>', self.rest(start)) {
                        Some(end) => start + end + 1,
                        None => bytes.len(),
                    };
                }
                _ => {
                    let name = self.name(start + 1);
                    let attributes = start + 1 + name.len();
                    let Some(end) = self.tag_end(attributes) else {
                        // The page ends inside a tag, which is then no tag.
                        self.at = bytes.len();
                        return None;
                    };
                    self.at = end + 1;
                    let source = self.slice(attributes, end);
                    return Some(Token::Open(Tag { name, source }));
                }
            }
        }
        None
    }
}

impl<'h> Tokens<'h> {
    fn name(&self, from: usize) -> &'h str {
        let rest = self.rest(from);
        let length = rest
            .iter()
            .position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
            .unwrap_or(rest.len());
        self.slice(from, from + length)
    }
}

/// Tells whether `text` begins with a tag name, in any case, that ends there.
fn named(text: &[u8], name: &str) -> bool {
    text.get(..name.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && text
            .get(name.len())
            .is_none_or(|next| next.is_ascii_whitespace() || matches!(next, b'/' | b'>'))
}

impl<'h> Tag<'h> {
    /// Finds an attribute by its name in lower case; the value still has its character references.
    pub(super) fn attribute(&self, name: &str) -> Option<&'h str> {
        self.attributes()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Walks over the attributes as (name as written, raw value).
    pub(super) fn attributes(&self) -> Attributes<'h> {
        Attributes { rest: self.source }
    }
}

/// Walks over the attributes of a tag.
pub(super) struct Attributes<'h> {
    rest: &'h str,
}

impl<'h> Iterator for Attributes<'h> {
    type Item = (&'h str, &'h str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = self
            .rest
            .trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if text.is_empty() {
            return None;
        }
        // An equals sign in first place is part of the name.
        let length = text
            .bytes()
            .skip(1)
            .position(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'='))
            .map_or(text.len(), |at| at + 1);
        // The first character may be longer than a byte.
        let length = (length..=text.len()).find(|at| text.is_char_boundary(*at))?;
        let (name, after) = text.split_at(length);
        let after = after.trim_ascii_start();
        let Some(value) = after.strip_prefix('=') else {
            self.rest = after;
            return Some((name, ""));
        };
        let value = value.trim_ascii_start();
        for quote in ['"', '\''] {
            if let Some(quoted) = value.strip_prefix(quote) {
                let (value, rest) = quoted.split_once(quote).unwrap_or((quoted, ""));
                self.rest = rest;
                return Some((name, value));
            }
        }
        let length = value
            .bytes()
            .position(|b| b.is_ascii_whitespace())
            .unwrap_or(value.len());
        let (value, rest) = value.split_at(length);
        self.rest = rest;
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(html: &str) -> Vec<&str> {
        Tokens::new(html)
            .filter_map(|token| match token {
                Token::Text(text) => Some(text),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn a_bracket_inside_a_quoted_value_does_not_end_the_tag() {
        assert_eq!(texts("<a title=\"1 > 0\" b = '>'>x</a>"), ["x"]);
        assert_eq!(texts("<a title=don't>x</a>"), ["x"]);
    }

    #[test]
    fn comments_end_where_browsers_end_them() {
        assert_eq!(
            texts("a<!-- x > y -->b<!-->c<!--->d<!-- x --!>e<!-- - -- --->f"),
            ["a", "b", "c", "d", "e", "f"]
        );
        assert_eq!(
            texts("a<!doctype x>b<?php x ?>c</ x>d<![CDATA[x]]>e"),
            ["a", "b", "c", "d", "e"]
        );
        assert_eq!(texts("a<!-- never closed"), ["a"]);
    }

    #[test]
    fn a_lone_bracket_is_text() {
        assert_eq!(texts("1 < 2 <3"), ["1 < 2 <3"]);
    }

    #[test]
    fn attributes_are_read_in_every_spelling() {
        let mut tokens = Tokens::new("<a HREF = \"/x\" b='q' c=d/e f checked/>");
        let Some(Token::Open(tag)) = tokens.next() else {
            panic!("no tag");
        };
        let all: Vec<_> = tag.attributes().collect();
        assert_eq!(
            all,
            [
                ("HREF", "/x"),
                ("b", "q"),
                ("c", "d/e"),
                ("f", ""),
                ("checked", "")
            ]
        );
        assert_eq!(tag.attribute("href"), Some("/x"));
    }

    #[test]
    fn a_script_inside_a_comment_inside_a_script_is_still_script() {
        let html = "<script><!-- <script> x </script> y --> z </script>seen";
        let mut tokens = Tokens::new(html);
        assert!(matches!(tokens.next(), Some(Token::Open(_))));
        tokens.script();
        assert_eq!(tokens.next(), Some(Token::Close("script")));
        assert_eq!(tokens.next(), Some(Token::Text("seen")));
    }

    #[test]
    fn names_beyond_ascii_do_not_break_the_walk() {
        for html in ["<aé ü=ö ß>x", "<a é>x", "<a =é>x", "<a é=>x"] {
            for token in Tokens::new(html) {
                if let Token::Open(tag) = token {
                    tag.attributes().for_each(drop);
                }
            }
        }
    }
}
