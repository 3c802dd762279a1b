//! Richness: how much, how well placed and how varied the keywords of a page are.

use serde::{Deserialize, Serialize};

use super::{Evidence, rounded};

/// The version of the formula, kept with every result.
pub const RICHNESS_VERSION: u32 = 1;

/// What one find is worth by place: title, h1, meta, anchor, body, micro-crawl.
const PLACE_WORTH: [f64; 6] = [10.0, 7.0, 5.0, 4.0, 2.0, 1.0];
/// How many finds of one keyword in the title count for prominence.
const TITLE_FINDS_COUNTED: u32 = 2;
/// The share of one keyword from which stuffing is deducted.
const STUFFED_FROM: f64 = 0.30;
/// The share of one keyword above which repetition is deducted and warned of.
pub const REPEATED_ABOVE: f64 = 0.35;
/// The share of finds in link texts above which it is deducted and warned of.
pub const ANCHORS_ABOVE: f64 = 0.55;

/// The richness of a page and its parts, each 0 to 1 with four decimals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Richness {
    /// The richness, 0 to 1, three decimals.
    pub score: f64,
    /// The version of the formula.
    pub version: u32,
    /// Keywords found twice or in two places.
    pub effective_unique: u64,
    /// V: 1 − exp(−effective unique / 12).
    pub diversity: f64,
    /// P: finds by the worth of their place.
    pub prominence: f64,
    /// D: finds per KB; six are enough.
    pub density: f64,
    /// S: how evenly the finds lie over the places.
    pub spread: f64,
    /// L: length; 80 KB are best.
    pub length: f64,
    /// G: the share of the keywords that only further pages of the site have.
    pub gain: f64,
    /// What the gain added.
    pub bonus: f64,
    /// All deductions together.
    pub deductions: f64,
    /// The deduction for one keyword taking a large share.
    pub stuffing_penalty: f64,
    /// m: the largest share of one keyword.
    pub repetition: f64,
    /// The share of finds in link texts.
    pub anchor_share: f64,
}

impl Richness {
    /// Computes the richness of a page; of a page without finds only the length is left.
    #[must_use]
    pub fn of(evidence: &Evidence) -> Self {
        let keywords = evidence.keywords.as_deref().unwrap_or_default();
        let hits = evidence.hits_total().unwrap_or_default() as f64;
        let share = |part: f64| if hits > 0.0 { part / hits } else { 0.0 };

        let effective_unique = keywords
            .iter()
            .filter(|keyword| keyword.is_repeated())
            .count();
        let diversity = 1.0 - (-(effective_unique as f64) / 12.0).exp();
        let worth: f64 = keywords
            .iter()
            .flat_map(|keyword| {
                let mut counted = *keyword;
                counted.title = counted.title.min(TITLE_FINDS_COUNTED);
                counted.by_place().into_iter().zip(PLACE_WORTH)
            })
            .map(|(finds, worth)| f64::from(finds) * worth)
            .sum();
        let prominence = share(worth / 10.0).min(1.0);
        let density = evidence.hits_per_kb().unwrap_or_default().min(6.0) / 6.0;
        let places = keywords.iter().fold([0.0; 6], |mut sums, keyword| {
            for (sum, finds) in sums.iter_mut().zip(keyword.by_place()) {
                *sum += f64::from(finds);
            }
            sums
        });
        let spread = evenness(places.map(share));
        let length = length_quality(evidence.bytes.unwrap_or_default());
        let base = 0.30 * diversity + 0.25 * prominence + 0.15 * (density + spread + length);

        let gain = evidence.microcrawl_gain();
        let bonus = base * 0.25 * gain;
        let most = keywords
            .iter()
            .map(|keyword| keyword.total())
            .max()
            .unwrap_or_default();
        let repetition = share(most as f64);
        let [_, _, _, anchors, ..] = places;
        let anchor_share = share(anchors);
        let stuffing_penalty = ((repetition - STUFFED_FROM) / 2.0).clamp(0.0, 0.15);
        let deductions = stuffing_penalty
            + if repetition > REPEATED_ABOVE {
                0.04
            } else {
                0.0
            }
            + if anchor_share > ANCHORS_ABOVE {
                0.03
            } else {
                0.0
            };

        Self {
            score: rounded((base + bonus - deductions).clamp(0.0, 1.0), 3),
            version: RICHNESS_VERSION,
            effective_unique: u64::try_from(effective_unique).unwrap_or(u64::MAX),
            diversity: rounded(diversity, 4),
            prominence: rounded(prominence, 4),
            density: rounded(density, 4),
            spread: rounded(spread, 4),
            length: rounded(length, 4),
            gain: rounded(gain, 4),
            bonus: rounded(bonus, 4),
            deductions: rounded(deductions, 4),
            stuffing_penalty: rounded(stuffing_penalty, 4),
            repetition: rounded(repetition, 4),
            anchor_share: rounded(anchor_share, 4),
        }
    }

    /// Says whether one keyword takes so large a share that it was deducted as stuffing.
    #[must_use]
    pub fn is_stuffed(&self) -> bool {
        self.stuffing_penalty > 0.0
    }

    /// Says whether one keyword is repeated more than its due.
    #[must_use]
    pub fn is_repetitive(&self) -> bool {
        self.repetition > REPEATED_ABOVE
    }

    /// Says whether most finds are link texts.
    #[must_use]
    pub fn is_anchor_heavy(&self) -> bool {
        self.anchor_share > ANCHORS_ABOVE
    }

    /// Says whether anything was deducted, which counts as a warning.
    #[must_use]
    pub fn has_warnings(&self) -> bool {
        self.is_stuffed() || self.is_repetitive() || self.is_anchor_heavy()
    }
}

/// Computes the Shannon entropy of the shares over its maximum, log2 of the number of places (Pielou's evenness).
fn evenness(shares: [f64; 6]) -> f64 {
    let entropy: f64 = shares
        .into_iter()
        .filter(|share| *share > 0.0)
        .map(|share| -share * share.log2())
        .sum();
    (entropy / (shares.len() as f64).log2()).clamp(0.0, 1.0)
}

/// Grades a length in bytes: growing to 80 KB, worth less beyond, and less again beyond 160 KB.
fn length_quality(bytes: u64) -> f64 {
    let kb = bytes as f64 / 1024.0;
    let grown = (kb.min(200.0) / 80.0).min(1.0);
    match kb {
        kb if kb > 160.0 => grown * 0.8,
        kb if kb > 80.0 => grown * 0.9,
        _ => grown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scoring::Occurrences;

    fn page(keywords: Vec<Occurrences>, kb: u64) -> Evidence {
        Evidence {
            keywords: Some(keywords),
            bytes: Some(kb * 1024),
            ..Evidence::default()
        }
    }

    #[test]
    fn a_page_is_as_rich_as_computed_by_hand() {
        // Four keywords of 3 finds each (title 1, body 2) on 40 KB: u 4, hits 12, places 4 and 8.
        let keyword = Occurrences {
            title: 1,
            body: 2,
            ..Occurrences::default()
        };
        let rich = Richness::of(&page(vec![keyword; 4], 40));
        assert_eq!(rich.effective_unique, 4);
        assert!((rich.diversity - 0.2835).abs() < 1e-9); // 1 − e^(−1/3)
        assert!((rich.prominence - 0.4667).abs() < 1e-9); // (4×10 + 8×2) / 120
        assert!((rich.density - 0.05).abs() < 1e-9); // 12/40/6
        assert!((rich.spread - 0.3552).abs() < 1e-9); // .9183 / 2.585
        assert!((rich.length - 0.5).abs() < 1e-9);
        assert!((rich.repetition - 0.25).abs() < 1e-9);
        // .30×.28347 + .25×.46667 + .15×(.05 + .35525 + .5) = .08504 + .11667 + .13579 = .33750
        assert!((rich.score - 0.337).abs() < 1e-9);
        assert!(!rich.has_warnings());
    }

    #[test]
    fn one_keyword_alone_is_deducted_as_stuffing_and_repetition() {
        let rich = Richness::of(&page(
            vec![Occurrences {
                body: 20,
                ..Occurrences::default()
            }],
            10,
        ));
        assert!((rich.stuffing_penalty - 0.15).abs() < 1e-9);
        assert!((rich.deductions - 0.19).abs() < 1e-9);
        assert!(rich.is_stuffed() && rich.is_repetitive() && !rich.is_anchor_heavy());
    }

    #[test]
    fn finds_in_links_alone_are_deducted() {
        let keyword = Occurrences {
            anchor: 2,
            body: 1,
            ..Occurrences::default()
        };
        let rich = Richness::of(&page(vec![keyword; 4], 10));
        assert!(rich.is_anchor_heavy());
        assert!((rich.deductions - 0.03).abs() < 1e-9);
    }

    #[test]
    fn only_two_finds_of_a_keyword_in_the_title_count() {
        let titles = |title| {
            let stuffed = Occurrences {
                title,
                ..Occurrences::default()
            };
            Richness::of(&page(vec![stuffed; 4], 10)).prominence
        };
        assert!((titles(2) - 1.0).abs() < 1e-9);
        assert!((titles(8) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn keywords_of_further_pages_add_up_to_a_quarter() {
        let near = Occurrences {
            body: 2,
            ..Occurrences::default()
        };
        let far = Occurrences {
            microcrawl: 2,
            ..Occurrences::default()
        };
        let rich = Richness::of(&page(vec![near, near, far, far], 20));
        assert!((rich.gain - 0.5).abs() < 1e-9);
        let base = 0.30 * rich.diversity
            + 0.25 * rich.prominence
            + 0.15 * (rich.density + rich.spread + rich.length);
        assert!((rich.bonus - base * 0.125).abs() < 1e-3);
    }

    #[test]
    fn length_is_worth_most_at_eighty_kilobytes() {
        for (kb, worth) in [
            (0, 0.0),
            (40, 0.5),
            (80, 1.0),
            (81, 0.9),
            (160, 0.9),
            (161, 0.8),
            (5000, 0.8),
        ] {
            assert!((length_quality(kb * 1024) - worth).abs() < 1e-9, "{kb}");
        }
    }

    #[test]
    fn finds_in_every_place_alike_are_spread_fully() {
        assert!((evenness([1.0 / 6.0; 6]) - 1.0).abs() < 1e-9);
        assert!(evenness([1.0, 0.0, 0.0, 0.0, 0.0, 0.0]).abs() < 1e-9);
        assert!(evenness([0.0; 6]).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn every_part_lies_between_zero_and_one_and_reads_back(
            counts in proptest::collection::vec(proptest::array::uniform6(0_u32..1000), 0..20),
            bytes in proptest::option::of(0_u64..6_000_000),
        ) {
            let keywords = counts
                .into_iter()
                .map(|[title, h1, meta, anchor, body, microcrawl]| Occurrences { title, h1, meta, anchor, body, microcrawl })
                .collect();
            let rich = Richness::of(&Evidence { keywords: Some(keywords), bytes, ..Evidence::default() });
            for part in [
                rich.score, rich.diversity, rich.prominence, rich.density, rich.spread, rich.length, rich.gain,
                rich.bonus, rich.deductions, rich.repetition, rich.anchor_share,
            ] {
                prop_assert!((0.0..=1.0).contains(&part));
            }
            let json = serde_json::to_string(&rich).unwrap();
            prop_assert_eq!(serde_json::from_str::<Richness>(&json).unwrap(), rich);
        }
    }
}
