//! The one pass over a page.

use std::ops::Range;

use memchr::memmem;
use url::Url;

use super::contacts;
use super::links::Links;
use super::names::{self, Name};
use super::text::{self, Text};
use super::tokens::{Tag, Token, Tokens};
use super::{MAX_FIELD, MAX_LISTED, MAX_SCRIPTS, MAX_SPANS, MAX_TEXT, Page, SNIPPET_CHARS};

/// Longest address of a link, a frame or a script that is looked at.
const MAX_ADDRESS: usize = 2_048;

/// Reads a text that is not HTML.
pub(super) fn plain(source: &str) -> Page {
    let mut visible = Text::new(MAX_TEXT);
    for line in source.lines() {
        visible.line();
        visible.push(line);
    }
    let mut page = Page::default();
    finish(&mut page, visible);
    page
}

/// Reads HTML.
pub(super) fn html(source: &str, base: Option<&Url>) -> Page {
    let mut reader = Reader {
        page: Page::default(),
        visible: Text::new(MAX_TEXT),
        links: Links::new(base),
        heading: None,
        anchor: None,
        skipped: None,
    };
    // Most pages are mostly markup.
    reader.visible.out.reserve(source.len().min(MAX_TEXT) / 3);
    let mut tokens = Tokens::new(source);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => {
                if reader.skipped.is_none() {
                    reader.visible.push_html(text);
                }
            }
            Token::Open(tag) => reader.open(tag, &mut tokens),
            Token::Close(name) => reader.close(name),
            Token::Comment(comment) => reader.page.signs.comment(comment),
        }
    }
    reader.end_heading();
    reader.end_anchor();
    reader.links.finish(&mut reader.page);
    let mut page = reader.page;
    finish(&mut page, reader.visible);
    page
}

fn finish(page: &mut Page, visible: Text) {
    page.text = visible.out;
    page.text_truncated = visible.truncated;
    page.snippet = text::prefix(&page.text, SNIPPET_CHARS).replace('\n', " ");
    contacts::from_text(&page.text, &mut page.contacts);
}

struct Reader<'b> {
    page: Page,
    visible: Text,
    links: Links<'b>,
    /// Where the first-level heading that is open began.
    heading: Option<usize>,
    /// Where the link that is open began.
    anchor: Option<usize>,
    skipped: Option<Skipped>,
}

/// An element whose whole content is not visible.
struct Skipped {
    name: Name,
    depth: usize,
}

impl Reader<'_> {
    fn open(&mut self, tag: Tag<'_>, tokens: &mut Tokens<'_>) {
        let name = Name::of(tag.name);
        if let Some(skipped) = &mut self.skipped {
            // Inside a drawing `<svg/>` closes itself; inside the others nothing that can be skipped does.
            if skipped.name == name && !tag.source.ends_with('/') {
                skipped.depth += 1;
            }
            match name {
                names::SCRIPT => drop(tokens.script()),
                names::STYLE => drop(tokens.raw_text("style")),
                _ => {}
            }
            return;
        }
        if !matches!(name, names::A | names::AREA | names::META) {
            self.page.signs.tag(&tag);
        }
        match name {
            names::SCRIPT => {
                self.listed(&tag, "src", MAX_SCRIPTS, |page| &mut page.scripts);
                self.page.signs.script(tokens.script());
            }
            names::NOSCRIPT => self.page.signs.script(tokens.raw_text(tag.name)),
            names::STYLE | names::NOFRAMES | names::NOEMBED => drop(tokens.raw_text(tag.name)),
            names::LINK => self.page.signs.link(&tag),
            names::IFRAME | names::FRAME => {
                self.listed(&tag, "src", MAX_LISTED, |page| &mut page.frames);
                if name == names::IFRAME {
                    tokens.raw_text(tag.name);
                }
            }
            names::TITLE => {
                let raw = tokens.raw_text(tag.name);
                keep(&mut self.page.title, raw);
            }
            names::TEXTAREA => {
                self.visible.space();
                let raw = tokens.raw_text(tag.name);
                self.visible.push_html(raw);
            }
            names::XMP => {
                self.visible.line();
                let raw = tokens.raw_text(tag.name);
                self.visible.push(raw);
            }
            names::SVG
            | names::MATH
            | names::TEMPLATE
            | names::OBJECT
            | names::CANVAS
            | names::AUDIO
            | names::VIDEO
                if !tag.source.ends_with('/') =>
            {
                self.skipped = Some(Skipped { name, depth: 1 });
            }
            names::HTML => {
                let language = tag.attribute("lang").or_else(|| tag.attribute("xml:lang"));
                self.language(language);
            }
            names::META => self.meta(&tag),
            names::BASE => {
                if let Some(href) = tag.attribute("href") {
                    self.links.rebase(&text::attribute(href, MAX_ADDRESS));
                }
            }
            names::A => {
                self.end_anchor();
                if let Some(href) = tag.attribute("href") {
                    self.anchor = Some(self.visible.out.len());
                    self.links
                        .open(text::attribute(href, MAX_ADDRESS), &mut self.page);
                }
            }
            names::AREA => {
                if let Some(href) = tag.attribute("href") {
                    self.links
                        .open(text::attribute(href, MAX_ADDRESS), &mut self.page);
                }
            }
            names::H1 => {
                self.end_heading();
                self.visible.line();
                self.heading = Some(self.visible.out.len());
                self.page.h1_count += 1;
            }
            names::H2 | names::H3 | names::H4 | names::H5 | names::H6 => {
                self.end_heading();
                self.visible.line();
            }
            names::TD
            | names::TH
            | names::OPTION
            | names::BUTTON
            | names::INPUT
            | names::SELECT
            | names::IMG => self.visible.space(),
            names::DIV | names::SECTION | names::SPAN if hidden(&tag) => {
                self.skipped = Some(Skipped { name, depth: 1 });
            }
            other if other.is_block() => self.visible.line(),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        let name = Name::of(name);
        if let Some(skipped) = &mut self.skipped {
            if skipped.name == name {
                skipped.depth -= 1;
                if skipped.depth == 0 {
                    self.skipped = None;
                }
            }
            return;
        }
        match name {
            names::A => self.end_anchor(),
            names::H1 | names::H2 | names::H3 | names::H4 | names::H5 | names::H6 => {
                self.end_heading();
                self.visible.line();
            }
            names::TD
            | names::TH
            | names::OPTION
            | names::BUTTON
            | names::SELECT
            | names::TEXTAREA => self.visible.space(),
            other if other.is_block() => self.visible.line(),
            _ => {}
        }
    }

    fn end_heading(&mut self) {
        let start = self.heading.take();
        let Some(span) = self.span_from(start) else {
            return;
        };
        let heading = self
            .visible
            .out
            .get(span.clone())
            .unwrap_or_default()
            .trim();
        if !heading.is_empty() && self.page.h1.len() < MAX_LISTED {
            self.page.h1.push(heading.replace('\n', " "));
        }
        if self.page.h1_spans.len() < MAX_SPANS {
            self.page.h1_spans.push(span);
        }
    }

    fn end_anchor(&mut self) {
        let start = self.anchor.take();
        if start.is_none() {
            return;
        }
        let span = self.span_from(start);
        let words = span.clone().and_then(|span| self.visible.out.get(span));
        self.links
            .close(words.unwrap_or_default().trim(), &mut self.page);
        if let Some(span) = span.filter(|_| self.page.anchor_spans.len() < MAX_SPANS) {
            self.page.anchor_spans.push(span);
        }
    }

    /// Gives the text since `start`. An element that was never closed would take the rest of the page, so it has a bound.
    fn span_from(&self, start: Option<usize>) -> Option<Range<usize>> {
        let start = start?;
        let most = self.visible.out.len().min(start + MAX_FIELD);
        let end = (start..=most)
            .rev()
            .find(|at| self.visible.out.is_char_boundary(*at))?;
        (start < end).then_some(start..end)
    }

    fn meta(&mut self, tag: &Tag<'_>) {
        let Some(content) = tag.attribute("content") else {
            return;
        };
        let page = &mut self.page;
        if let Some(name) = tag.attribute("name") {
            page.signs.meta(name.trim(), content);
            match Name::of(name.trim()) {
                names::KEYWORDS => keep(&mut page.meta_keywords, content),
                names::GENERATOR => keep(&mut page.generator, content),
                names::DESCRIPTION => keep(&mut page.meta_description, content),
                _ => {}
            }
        } else if let Some(property) = tag.attribute("property") {
            page.signs.meta(property.trim(), content);
        } else if let Some(header) = tag.attribute("http-equiv") {
            if header.eq_ignore_ascii_case("content-language") {
                self.language(Some(content));
            } else if header.eq_ignore_ascii_case("refresh") {
                let decoded = text::attribute(content, MAX_ADDRESS);
                let url = decoded.split_once('=').map(|(_, url)| url);
                page.refresh = url.map(|url| url.trim().trim_matches(['"', '\'']).to_owned());
            }
        }
    }

    fn language(&mut self, declared: Option<&str>) {
        if self.page.language.is_none() {
            self.page.language = declared.and_then(language_tag).map(str::to_owned);
        }
    }

    fn listed(
        &mut self,
        tag: &Tag<'_>,
        attribute: &str,
        most: usize,
        list: fn(&mut Page) -> &mut Vec<String>,
    ) {
        let list = list(&mut self.page);
        if list.len() < most
            && let Some(value) = tag.attribute(attribute)
        {
            let value = text::attribute(value, MAX_ADDRESS);
            if !value.is_empty() {
                list.push(value);
            }
        }
    }
}

/// Reads the first of a list of language tags (RFC 5646), as far as it looks like one.
pub(crate) fn language_tag(declared: &str) -> Option<&str> {
    let tag = declared.split(',').next()?.trim();
    let fits = (2..=35).contains(&tag.len())
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then_some(tag)
}

/// Keeps the first value that is not empty.
fn keep(field: &mut Option<String>, raw: &str) {
    if field.is_none() {
        *field = Some(text::attribute(raw, MAX_FIELD)).filter(|value| !value.is_empty());
    }
}

/// Tells whether an element is hidden in place. Style sheets are not read.
fn hidden(tag: &Tag<'_>) -> bool {
    let source = tag.source.as_bytes();
    // Both words are rare, and looking for them is much cheaper than reading the attributes.
    if memmem::find(source, b"hidden").is_none() && memmem::find(source, b"none").is_none() {
        return false;
    }
    tag.attributes().any(|(name, value)| {
        name.eq_ignore_ascii_case("hidden")
            || (name.eq_ignore_ascii_case("style") && {
                let style: String = value.chars().filter(|c| !c.is_whitespace()).collect();
                style.contains("display:none") || style.contains("visibility:hidden")
            })
    })
}
