//! What is known of a page when it is scored.

/// How often one keyword was found, by place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occurrences {
    /// In the title.
    pub title: u32,
    /// In level-one headings.
    pub h1: u32,
    /// In the description and keywords of the page's head.
    pub meta: u32,
    /// In the text of links.
    pub anchor: u32,
    /// In other visible text.
    pub body: u32,
    /// On further pages of the site.
    pub microcrawl: u32,
}

impl Occurrences {
    /// Lists the counts with the greatest value first.
    pub(super) fn by_place(self) -> [u32; 6] {
        [
            self.title,
            self.h1,
            self.meta,
            self.anchor,
            self.body,
            self.microcrawl,
        ]
    }

    /// Counts every find on the page itself.
    pub(super) fn on_page(self) -> u64 {
        self.total() - u64::from(self.microcrawl)
    }

    /// Counts every find.
    #[must_use]
    pub fn total(self) -> u64 {
        self.by_place().into_iter().map(u64::from).sum()
    }

    /// Says whether the keyword was found twice or more, or in two places.
    pub(super) fn is_repeated(self) -> bool {
        self.total() >= 2
    }
}

/// What is known of a page; what is absent makes the components that rest on it unavailable, never 0 in disguise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// One entry for each keyword that was looked for and found; absent when none was looked for.
    pub keywords: Option<Vec<Occurrences>>,
    /// Size of the page after decompression, bytes.
    pub bytes: Option<u64>,
    /// How surely the domain is parked, 0 to 1.
    pub parked_confidence: Option<f64>,
    /// Age of the fetch when it is scored, days.
    pub age_days: Option<f64>,
}

impl Evidence {
    /// Counts the different keywords that were found.
    #[must_use]
    pub fn unique_keywords(&self) -> Option<u64> {
        let found = self.keywords.as_ref()?;
        let unique = found.iter().filter(|keyword| keyword.total() > 0).count();
        u64::try_from(unique).ok()
    }

    /// Counts all finds, those on further pages of the site included.
    #[must_use]
    pub fn hits_total(&self) -> Option<u64> {
        let found = self.keywords.as_ref()?;
        Some(found.iter().map(|keyword| keyword.total()).sum())
    }

    /// Says whether a keyword stands in the title.
    #[must_use]
    pub fn title_keyword(&self) -> Option<bool> {
        Some(
            self.keywords
                .as_ref()?
                .iter()
                .any(|keyword| keyword.title > 0),
        )
    }

    /// Computes the finds on the page itself per KB (1,024 bytes) of it; 0 for an empty page.
    #[must_use]
    pub fn hits_per_kb(&self) -> Option<f64> {
        let hits: u64 = self
            .keywords
            .as_ref()?
            .iter()
            .map(|keyword| keyword.on_page())
            .sum();
        let kb = self.bytes? as f64 / 1024.0;
        Some(if kb > 0.0 { hits as f64 / kb } else { 0.0 })
    }

    /// Computes the share of the keywords that only further pages of the site have, 0 to 1.
    #[must_use]
    pub fn microcrawl_gain(&self) -> f64 {
        let found = self.keywords.as_deref().unwrap_or_default();
        let all = found.iter().filter(|keyword| keyword.total() > 0).count();
        let gained = found
            .iter()
            .filter(|keyword| keyword.total() > 0 && keyword.on_page() == 0)
            .count();
        if all == 0 {
            0.0
        } else {
            gained as f64 / all as f64
        }
    }
}
