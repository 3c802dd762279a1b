//! Everything that is done with a page, and how much is kept of it.

use std::sync::LazyLock;

use url::Url;
use validation::{
    keywords::{Hits, Matcher, Rule},
    page::{
        self, Contacts, MAX_LINKS, MAX_LISTED, MAX_MARKUP, MAX_SCRIPTS, MAX_SIGNS, MAX_SPANS,
        MAX_TEXT, Page,
    },
    technologies::{MAX_FOUND, Site, Technologies, Technology},
};

static TECHNOLOGIES: LazyLock<Technologies> = LazyLock::new(|| Technologies::bundled().unwrap());

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| {
    let rules = [
        Rule::literal("word"),
        Rule::literal("aa"),
        Rule::literal("größe"),
        Rule::regex(r"\b[a-z]{3}\d+"),
        Rule::regex("(?:fibre|fiber) optic"),
    ];
    Matcher::compile(&rules).unwrap()
});

/// What is made of a page.
pub(crate) struct Made {
    pub(crate) page: Page,
    pub(crate) hits: Hits,
    pub(crate) technologies: Vec<Technology>,
}

/// Reads a page and judges it in every way.
pub(crate) fn make(body: &[u8], content_type: Option<&str>) -> Made {
    let base = Url::parse("https://shop.test/dir/").unwrap();
    let page = page::read(body, content_type, Some(&base));
    let hits = MATCHER.scan(&page);
    let technologies = TECHNOLOGIES.detect(&Site {
        headers: &[],
        cookies: &[],
        page: &page,
    });
    let parked = page::parked(&page, Some(&base), &[]);
    assert!((0.0..=1.0).contains(&parked.confidence));
    if let Some(language) = page::language_of(&page.text) {
        assert!((page::LEAST_CONFIDENCE..=1.0).contains(&language.confidence));
    }
    let made = Made {
        page,
        hits,
        technologies,
    };
    made.check();
    made
}

impl Made {
    /// Checks that everything is within its bound and consistent.
    fn check(&self) {
        let page = &self.page;
        assert!(page.text.len() <= MAX_TEXT);
        assert!(page.signs.markup.len() <= MAX_MARKUP);
        assert!(page.signs.metas.len() <= MAX_SIGNS && page.signs.links.len() <= MAX_SIGNS);
        assert!(page.scripts.len() <= MAX_SCRIPTS && page.frames.len() <= MAX_LISTED);
        assert!(page.links.len() <= MAX_LINKS && page.h1.len() <= MAX_LISTED);
        assert!(self.technologies.len() <= MAX_FOUND);
        for spans in [&page.h1_spans, &page.anchor_spans] {
            assert!(spans.len() <= MAX_SPANS);
            assert!(spans.is_sorted_by(|one, other| one.end <= other.start));
            assert!(
                spans
                    .iter()
                    .all(|span| page.text.get(span.clone()).is_some())
            );
        }
        assert!(!page.text.contains(|c: char| c.is_control() && c != '\n'));
        let sum: u64 = self
            .hits
            .rules
            .iter()
            .map(|hits| u64::from(hits.count))
            .sum();
        assert_eq!(sum, self.hits.hits_total);
    }

    /// Adds up the bytes of all texts that are kept.
    pub(crate) fn bytes(&self) -> usize {
        let page = &self.page;
        let Contacts {
            mails,
            phones,
            links,
        } = &page.contacts;
        let lists = [
            &page.h1,
            &page.frames,
            &page.scripts,
            &page.signs.links,
            mails,
            phones,
            links,
        ];
        let lists: usize = lists.into_iter().flatten().map(String::len).sum();
        let metas = page.signs.metas.iter();
        let metas: usize = metas
            .map(|(name, content)| name.len() + content.len())
            .sum();
        let fields = [
            &page.title,
            &page.meta_description,
            &page.meta_keywords,
            &page.generator,
            &page.refresh,
        ];
        let fields: usize = fields.into_iter().flatten().map(String::len).sum();
        let addresses: usize = page.links.iter().map(|url| url.as_str().len()).sum();
        let contexts = self.hits.rules.iter().flat_map(|hits| &hits.contexts);
        let contexts: usize = contexts.map(String::len).sum();
        page.text.len()
            + page.snippet.len()
            + page.signs.markup.len()
            + lists
            + metas
            + fields
            + addresses
            + contexts
    }
}

/// Numbers that look drawn and are the same each time (xorshift, Marsaglia 2003).
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Draws a number below a bound, or 0 where that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}
