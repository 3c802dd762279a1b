//! What the markup tells of the software behind a page: the pieces that [`crate::technologies`] looks at.

use super::text;
use super::tokens::Tag;

/// Meta elements, and addresses of linked resources, that are kept of a page, each.
pub const MAX_SIGNS: usize = 100;
/// Markup that is kept of a page, in bytes.
pub const MAX_MARKUP: usize = 64 << 10;
/// Bytes that are kept of one tag or comment.
const MAX_TAG: usize = 512;
/// Bytes that are kept of one script that stands in the page. What it loads stands at its beginning.
const MAX_SCRIPT: usize = 2_048;
/// Longest name or value that is kept, in bytes.
const MAX_VALUE: usize = 512;

/// Holds the pieces of a page's markup that show how it was made. No visible text is in them, and none of the addresses of
/// its links: a page that speaks of a product does not for that use it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    /// Meta elements as (name in lower case, content); at most [`MAX_SIGNS`].
    pub metas: Vec<(String, String)>,
    /// Addresses of linked resources such as style sheets, as they are written; at most [`MAX_SIGNS`].
    pub links: Vec<String>,
    /// Opening tags but those of links and metas, comments, and the beginnings of scripts, a line each; at most [`MAX_MARKUP`].
    pub markup: String,
}

impl Signs {
    /// Takes a meta element that has a name or a property.
    pub(super) fn meta(&mut self, name: &str, content: &str) {
        if self.metas.len() < MAX_SIGNS {
            let name = text::attribute(name, MAX_VALUE).to_ascii_lowercase();
            self.metas.push((name, text::attribute(content, MAX_VALUE)));
        }
    }

    /// Takes a `link` element.
    pub(super) fn link(&mut self, tag: &Tag<'_>) {
        if self.links.len() < MAX_SIGNS
            && let Some(href) = tag.attribute("href")
        {
            self.links.push(text::attribute(href, MAX_VALUE));
        }
    }

    /// Takes an opening tag that has attributes.
    pub(super) fn tag(&mut self, tag: &Tag<'_>) {
        if tag.source.is_empty() || !self.has_room() {
            return;
        }
        self.markup.push('<');
        self.markup.push_str(start(tag.name, MAX_TAG));
        self.markup.push_str(start(tag.source, MAX_TAG));
        self.markup.push_str(">\n");
    }

    /// Takes a comment.
    pub(super) fn comment(&mut self, comment: &str) {
        self.line(start(comment, MAX_TAG));
    }

    /// Takes the content of a script, or of an element that is there for browsers without scripts.
    pub(super) fn script(&mut self, script: &str) {
        self.line(start(script, MAX_SCRIPT));
    }

    fn line(&mut self, line: &str) {
        if !line.is_empty() && self.has_room() {
            self.markup.push_str(line);
            self.markup.push('\n');
        }
    }

    /// Tells whether another piece, of whatever kind, stays within the bound.
    fn has_room(&self) -> bool {
        self.markup.len() + MAX_SCRIPT + 2 <= MAX_MARKUP
    }
}

/// Cuts a text at a bound, between two characters.
fn start(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let cut = (0..=most).rev().find(|at| text.is_char_boundary(*at));
    text.get(..cut.unwrap_or(0)).unwrap_or_default()
}
