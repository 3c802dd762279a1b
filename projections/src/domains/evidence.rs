//! What later phases need of a page, kept with the domain's row so that they need not read its stream.

use aggregates::{
    domain::{PageFacts, Places},
    lead, scoring,
};
use serde::{Deserialize, Serialize};

/// Returns a confidence that is kept in single precision as the decimal that it stands for, four places at most: 0.9, not
/// 0.8999999761581421, which would be below a bound of 0.9. Whatever compares or shows one takes it from here.
#[must_use]
pub fn confidence(kept: f32) -> f64 {
    (f64::from(kept) * 10_000.0).round() / 10_000.0
}

/// A page reduced to what scoring and the lead decision rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageEvidence {
    /// Size, bytes.
    pub bytes: u64,
    /// How surely the domain is parked, 0 to 1.
    pub parked_confidence: f32,
    /// Level-one headings.
    pub h1_count: u32,
    /// Links to the same host.
    pub internal_links: u32,
    /// Redirects that led to it.
    #[serde(default)]
    pub redirects: u32,
    /// The keywords that were found, by place; absent when none was looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keywords: Option<Vec<Found>>,
}

/// A keyword that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Its pattern.
    pub pattern: String,
    /// Its weight.
    pub weight: f64,
    /// Where it was found how often.
    pub places: Places,
}

impl PageEvidence {
    /// Takes what is needed from a page that so many redirects led to.
    #[must_use]
    pub fn of(page: &PageFacts, redirects: usize) -> Self {
        Self {
            bytes: page.bytes,
            parked_confidence: page.parked_confidence,
            h1_count: page.h1_count,
            internal_links: page.internal_links,
            redirects: u32::try_from(redirects).unwrap_or(u32::MAX),
            keywords: page.keywords.as_ref().map(|keywords| {
                keywords
                    .iter()
                    .map(|keyword| Found {
                        pattern: keyword.pattern.clone(),
                        weight: keyword.weight,
                        places: keyword.places,
                    })
                    .collect()
            }),
        }
    }

    /// Returns the evidence of a score that is computed when the page is `age_days` old.
    #[must_use]
    pub fn for_scoring(&self, age_days: f64) -> scoring::Evidence {
        scoring::Evidence {
            keywords: self.keywords.as_ref().map(|keywords| {
                keywords
                    .iter()
                    .map(|keyword| scoring::Occurrences {
                        title: keyword.places.title,
                        h1: keyword.places.h1,
                        meta: keyword.places.meta,
                        anchor: keyword.places.anchor,
                        body: keyword.places.body,
                        microcrawl: keyword.places.microcrawl,
                    })
                    .collect()
            }),
            bytes: Some(self.bytes),
            parked_confidence: Some(confidence(self.parked_confidence)),
            age_days: Some(age_days),
        }
    }

    /// Counts all finds of all keywords.
    #[must_use]
    pub fn keyword_hits(&self) -> u64 {
        let hits = |p: &Places| {
            [p.title, p.h1, p.meta, p.anchor, p.body, p.microcrawl]
                .into_iter()
                .map(u64::from)
                .sum::<u64>()
        };
        self.keywords
            .as_deref()
            .unwrap_or_default()
            .iter()
            .map(|keyword| hits(&keyword.places))
            .sum()
    }

    /// Tells whether the page has a structure that a lead must have.
    #[must_use]
    pub const fn has_structure(&self) -> bool {
        lead::has_structure(self.h1_count, self.internal_links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_is_the_decimal_that_was_kept() {
        for (kept, decimal) in [(0.9, 0.9), (0.728, 0.728), (0.45, 0.45), (1.0, 1.0)] {
            assert_eq!(confidence(kept).to_string(), decimal.to_string());
        }
        assert_eq!(confidence(0.724_f32).to_string(), "0.724");
    }

    #[test]
    fn a_page_that_is_surely_parked_scores_nothing_for_its_content_and_is_not_halved_besides() {
        let page = PageEvidence {
            bytes: 50_000,
            parked_confidence: 0.9,
            h1_count: 1,
            internal_links: 1,
            redirects: 0,
            keywords: None,
        };
        let weights = scoring::Weights::default();
        let breakdown = scoring::Breakdown::of(&page.for_scoring(0.0), &weights);
        assert_eq!(breakdown.parked_penalty, None);
    }
}
