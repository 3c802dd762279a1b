//! Reading a page: from the bytes a server sent to what a visitor would see.
//!
//! [`read`] is called by [`crate::http`] for every page it fetches; [`parked`] and [`crate::keywords`] work on its result.
//! A page is data: any bytes give a [`Page`] in time linear in their number, within the bounds below, and nothing panics.
//! What is not visible (markup, scripts, styles, comments, templates, `noscript`, drawings, elements that are hidden in
//! place) is not in a `Page`, so that nothing after this step can take it for text.
//!
//! The tokenizer is our own. A rewriting parser such as `lol_html` compiles its selectors anew for every page and keeps what
//! it may have to write back; here one pass over borrowed text suffices.

mod charset;
mod contacts;
mod entities;
mod language;
mod links;
mod names;
mod parked;
mod reader;
mod signs;
#[cfg(test)]
mod tests;
mod text;
mod tokens;

use std::ops::Range;

use url::Url;

pub use language::{LEAST_CONFIDENCE, Language, language_of};
pub use parked::{PARKING_NAME_SERVERS, Parked, parked};
pub(crate) use reader::language_tag;
pub use signs::{MAX_MARKUP, MAX_SIGNS, Signs};
pub use text::fold_whitespace;
pub(crate) use text::prefix;

/// Visible text that is kept of a page, in bytes.
pub const MAX_TEXT: usize = 1 << 20;
/// Bytes kept of a title, a heading or a meta text.
pub const MAX_FIELD: usize = 2_048;
/// First-level headings and link texts whose place is remembered, each.
pub const MAX_SPANS: usize = 5_000;
/// Addresses of scripts that are listed.
pub const MAX_SCRIPTS: usize = 100;
/// Headings, frames, addresses and the like that are listed, each.
pub const MAX_LISTED: usize = 20;
/// Same-host links that are listed.
pub const MAX_LINKS: usize = 100;
/// Characters of the snippet.
pub const SNIPPET_CHARS: usize = 300;

/// Holds what was read from one page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The first title that is not empty.
    pub title: Option<String>,
    /// The first [`MAX_LISTED`] first-level headings that are not empty.
    pub h1: Vec<String>,
    /// All first-level headings.
    pub h1_count: u32,
    /// The description meta.
    pub meta_description: Option<String>,
    /// The keywords meta.
    pub meta_keywords: Option<String>,
    /// The generator meta, which names the software that made the page.
    pub generator: Option<String>,
    /// The language that the page declares, as it writes it (`de`, `pt-BR`).
    pub language: Option<String>,
    /// Name of the encoding it was decoded from.
    pub encoding: &'static str,
    /// Visible text: any white space is one space, block elements are lines.
    pub text: String,
    /// Whether the page has more than [`MAX_TEXT`].
    pub text_truncated: bool,
    /// The parts of `text` that are first-level headings, in order.
    pub h1_spans: Vec<Range<usize>>,
    /// The parts of `text` that are texts of links, in order.
    pub anchor_spans: Vec<Range<usize>>,
    /// The beginning of the visible text on one line.
    pub snippet: String,
    /// Links to the page's own host.
    pub links_internal: u32,
    /// Links to other hosts.
    pub links_external: u32,
    /// Distinct addresses on the same host in the order of the page, without fragments; empty where no base is known.
    pub links: Vec<Url>,
    /// Mail addresses, phone numbers and links to contact pages.
    pub contacts: Contacts,
    /// Sources of frames.
    pub frames: Vec<String>,
    /// Sources of scripts; at most [`MAX_SCRIPTS`].
    pub scripts: Vec<String>,
    /// What the markup tells of the software behind the page.
    pub signs: Signs,
    /// Where a refresh meta leads.
    pub refresh: Option<String>,
    /// Length of the body in bytes, before decoding.
    pub bytes: usize,
}

impl Page {
    /// Walks over the texts of the links.
    pub fn anchors(&self) -> impl Iterator<Item = &str> {
        self.anchor_spans
            .iter()
            .filter_map(|span| self.text.get(span.clone()))
            .map(str::trim)
    }
}

/// Holds the ways a page offers to reach its owner; each list has at most [`MAX_LISTED`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Mail addresses in lower case, from links and from the text.
    pub mails: Vec<String>,
    /// Phone numbers, digits with a leading plus where there is one.
    pub phones: Vec<String>,
    /// Links whose address or text speaks of contact or of an imprint.
    pub links: Vec<String>,
}

impl Contacts {
    /// Tells whether there is any.
    pub fn any(&self) -> bool {
        !(self.mails.is_empty() && self.phones.is_empty() && self.links.is_empty())
    }
}

/// Reads a page.
///
/// `content_type` is the header's value; `text/plain` is taken as text, everything else as HTML. `base` is the address that
/// the page came from: with it links are told apart and resolved, without it absolute links are external.
///
/// The time is some ten microseconds for 8 kB and grows with the bytes, so several megabytes belong on a blocking thread.
pub fn read(body: &[u8], content_type: Option<&str>, base: Option<&Url>) -> Page {
    let (text, encoding) = charset::decode(body, content_type);
    let mut page = match content_type {
        Some(kind) if essence(kind).eq_ignore_ascii_case("text/plain") => reader::plain(&text),
        _ => reader::html(&text, base),
    };
    page.encoding = encoding;
    page.bytes = body.len();
    page
}

/// Tells whether a content type is one that [`read`] understands; a page that names none is taken for HTML.
pub fn readable(content_type: Option<&str>) -> bool {
    let Some(kind) = content_type.map(essence).filter(|kind| !kind.is_empty()) else {
        return true;
    };
    [
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "application/xml",
        "text/xml",
    ]
    .iter()
    .any(|known| kind.eq_ignore_ascii_case(known))
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Tells whether one of the spans, which are in order, covers an offset.
pub(crate) fn inside(spans: &[Range<usize>], offset: usize) -> bool {
    let after = spans.partition_point(|span| span.start <= offset);
    after
        .checked_sub(1)
        .and_then(|last| spans.get(last))
        .is_some_and(|span| span.contains(&offset))
}
