//! A score with everything that it was made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Component, Evidence, Weights, rounded};

/// The confidence from which a domain counts as parked.
pub const PARKED_FROM: f64 = 0.45;
/// The confidence from which the penalty is no longer due: such a domain is turned down as parked, whatever its score.
pub const PARKED_SURELY: f64 = 0.9;
/// What the score of a parked domain is multiplied by.
pub const PARKED_PENALTY: f64 = 0.5;

/// Whether a component could be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Computed from the evidence.
    Ok,
    /// Not computed; it added nothing to the score.
    Unavailable,
}

/// Why a component is unavailable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// The evidence lacks what it rests on.
    FieldMissing,
    /// The evidence is no number.
    ComputationFailed,
    /// The page has not been fetched yet.
    DataPending,
}

/// One component of a score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentScore {
    /// The value, 0 to 1, four decimals; absent where it is unavailable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Whether it could be computed.
    pub state: State,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Unavailable>,
}

/// The evidence in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Different keywords found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_keywords: Option<u64>,
    /// All finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hits_total: Option<u64>,
    /// Finds on the page per KB, four decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hits_per_kb: Option<f64>,
    /// Size of the page, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// A keyword stands in the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title_keyword: Option<bool>,
    /// How surely the domain is parked, four decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked_confidence: Option<f64>,
    /// Age of the fetch, days, four decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_days: Option<f64>,
}

/// How much of a score could be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completeness {
    /// Every component.
    Complete,
    /// Some of them.
    Partial,
    /// None.
    Degraded,
}

/// A score and what it was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Breakdown {
    /// The score, 0 to 1, three decimals.
    pub score: f64,
    /// Every component.
    pub components: BTreeMap<Component, ComponentScore>,
    /// Every weight as used, six decimals.
    pub weights: BTreeMap<Component, f64>,
    /// What the components rest on.
    #[serde(default)]
    pub evidence: Summary,
    /// What the sum was multiplied by, where the domain was taken for parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked_penalty: Option<f64>,
}

impl Breakdown {
    /// Scores a page.
    ///
    /// The sum of weight × component over what is available; halved where the domain is parked with a confidence from
    /// [`PARKED_FROM`] to below [`PARKED_SURELY`].
    #[must_use]
    pub fn of(evidence: &Evidence, weights: &Weights) -> Self {
        let computed = Component::ALL.map(|component| (component, value(component, evidence)));
        let sum: f64 = computed
            .iter()
            .map(|(component, value)| weights.get(*component) * value.unwrap_or_default())
            .sum();
        let parked_penalty = evidence
            .parked_confidence
            .filter(|confidence| (PARKED_FROM..PARKED_SURELY).contains(confidence))
            .map(|_| PARKED_PENALTY);
        Self {
            score: rounded((sum * parked_penalty.unwrap_or(1.0)).clamp(0.0, 1.0), 3),
            components: computed
                .into_iter()
                .map(|(component, value)| (component, ComponentScore::from(value)))
                .collect(),
            weights: Component::ALL
                .into_iter()
                .map(|component| (component, rounded(weights.get(component), 6)))
                .collect(),
            evidence: Summary::of(evidence),
            parked_penalty,
        }
    }

    /// Says how much of the score could be computed.
    #[must_use]
    pub fn completeness(&self) -> Completeness {
        let available = self
            .components
            .values()
            .filter(|component| component.state == State::Ok)
            .count();
        match available {
            0 => Completeness::Degraded,
            some if some < Component::ALL.len() => Completeness::Partial,
            _ => Completeness::Complete,
        }
    }
}

impl From<Result<f64, Unavailable>> for ComponentScore {
    fn from(value: Result<f64, Unavailable>) -> Self {
        Self {
            value: value.ok().map(|value| rounded(value, 4)),
            state: if value.is_ok() {
                State::Ok
            } else {
                State::Unavailable
            },
            reason: value.err(),
        }
    }
}

impl Summary {
    fn of(evidence: &Evidence) -> Self {
        let short = |value: Option<f64>| {
            value
                .filter(|value| value.is_finite())
                .map(|value| rounded(value, 4))
        };
        Self {
            unique_keywords: evidence.unique_keywords(),
            hits_total: evidence.hits_total(),
            hits_per_kb: short(evidence.hits_per_kb()),
            bytes: evidence.bytes,
            title_keyword: evidence.title_keyword(),
            parked_confidence: short(evidence.parked_confidence),
            age_days: short(evidence.age_days),
        }
    }
}

/// Computes one component, 0 to 1.
fn value(component: Component, evidence: &Evidence) -> Result<f64, Unavailable> {
    let value = match component {
        Component::UniqueKeywordCoverage => {
            evidence.unique_keywords().map(|unique| unique as f64 / 5.0)
        }
        Component::KeywordDensity => evidence.hits_per_kb().map(|density| density / 3.0),
        Component::NonParked => evidence.parked_confidence.map(non_parked),
        Component::ContentLengthQuality => evidence.bytes.map(|bytes| bytes as f64 / 50_000.0),
        Component::TitleKeyword => evidence
            .title_keyword()
            .map(|found| f64::from(u8::from(found))),
        Component::Freshness => evidence.age_days.map(freshness),
        Component::TfLite => evidence
            .hits_per_kb()
            .zip(evidence.unique_keywords())
            .map(|(density, unique)| density / 5.0 * (unique as f64).ln_1p() / 2.4),
    };
    let missing = if *evidence == Evidence::default() {
        Unavailable::DataPending
    } else {
        Unavailable::FieldMissing
    };
    let value = value.ok_or(missing)?;
    if value.is_nan() {
        return Err(Unavailable::ComputationFailed);
    }
    Ok(value.clamp(0.0, 1.0))
}

/// Tells a page of its own from a parking page.
fn non_parked(confidence: f64) -> f64 {
    match confidence {
        confidence if confidence.is_nan() => f64::NAN,
        confidence if confidence >= PARKED_FROM => 0.0,
        _ => 1.0,
    }
}

/// Grades the age of a fetch, in days. A fetch from the future (clocks differ) is as fresh as can be.
fn freshness(days: f64) -> f64 {
    match days {
        days if days.is_nan() => f64::NAN,
        days if days <= 1.0 => 1.0,
        days if days < 7.0 => 0.7,
        days if days < 30.0 => 0.4,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scoring::Occurrences;

    fn page() -> Evidence {
        let keyword = |title, body| Occurrences {
            title,
            body,
            ..Occurrences::default()
        };
        Evidence {
            keywords: Some(vec![keyword(1, 4), keyword(0, 5)]),
            bytes: Some(10_240),
            parked_confidence: Some(0.0),
            age_days: Some(0.5),
        }
    }

    fn score(evidence: &Evidence) -> f64 {
        Breakdown::of(evidence, &Weights::default()).score
    }

    #[test]
    fn a_page_is_scored_as_computed_by_hand() {
        // coverage 2/5 = .4; density 10 hits / 10 KB / 3 = .3333; not parked 1; length 10240/50000 = .2048; title 1;
        // fresh 1: .25×.4 + .35×.3333 + .10×(1 + .2048 + 1 + 1) = .1 + .11667 + .32048 = .53715
        let breakdown = Breakdown::of(&page(), &Weights::default());
        assert!((breakdown.score - 0.537).abs() < 1e-9);
        let component = |component| breakdown.components[&component].value.unwrap();
        assert!((component(Component::UniqueKeywordCoverage) - 0.4).abs() < 1e-9);
        assert!((component(Component::KeywordDensity) - 0.3333).abs() < 1e-9);
        assert!((component(Component::ContentLengthQuality) - 0.2048).abs() < 1e-9);
        // 1/5 × ln 3 / 2.4 = .0916
        assert!((component(Component::TfLite) - 0.0916).abs() < 1e-9);
        assert_eq!(breakdown.completeness(), Completeness::Complete);
        assert_eq!(breakdown.evidence.hits_total, Some(10));
    }

    #[test]
    fn the_score_of_a_parked_page_is_halved_below_full_confidence() {
        let parked = |confidence| Evidence {
            parked_confidence: Some(confidence),
            ..page()
        };
        // Without the .10 of non_parked .43715 is left.
        assert!((score(&parked(0.44)) - 0.537).abs() < 1e-9);
        assert!((score(&parked(0.45)) - 0.219).abs() < 1e-9);
        assert!((score(&parked(0.89)) - 0.219).abs() < 1e-9);
        assert!((score(&parked(0.9)) - 0.437).abs() < 1e-9);
        let breakdown = Breakdown::of(&parked(0.5), &Weights::default());
        assert_eq!(breakdown.parked_penalty, Some(0.5));
    }

    #[test]
    fn freshness_falls_in_steps() {
        for (days, expected) in [
            (-1.0, 1.0),
            (1.0, 1.0),
            (1.01, 0.7),
            (6.99, 0.7),
            (7.0, 0.4),
            (29.9, 0.4),
            (30.0, 0.0),
        ] {
            assert!((freshness(days) - expected).abs() < 1e-9, "{days}");
        }
    }

    #[test]
    fn what_is_not_known_is_unavailable_and_says_why() {
        let reason = |evidence: &Evidence, component| {
            Breakdown::of(evidence, &Weights::default()).components[&component].reason
        };
        let unscanned = Evidence {
            keywords: None,
            ..page()
        };
        assert_eq!(
            reason(&unscanned, Component::KeywordDensity),
            Some(Unavailable::FieldMissing)
        );
        assert_eq!(reason(&unscanned, Component::Freshness), None);
        let odd = Evidence {
            age_days: Some(f64::NAN),
            parked_confidence: Some(f64::NAN),
            ..page()
        };
        assert_eq!(
            reason(&odd, Component::Freshness),
            Some(Unavailable::ComputationFailed)
        );
        assert_eq!(
            reason(&odd, Component::NonParked),
            Some(Unavailable::ComputationFailed)
        );
        let nothing = Breakdown::of(&Evidence::default(), &Weights::default());
        assert_eq!(nothing.completeness(), Completeness::Degraded);
        assert!(nothing.score.abs() < 1e-9);
        assert_eq!(
            nothing.components[&Component::Freshness].reason,
            Some(Unavailable::DataPending)
        );
    }

    #[test]
    fn a_breakdown_reads_back_from_the_log_as_it_was() {
        let breakdown = Breakdown::of(&page(), &Weights::default());
        let json = serde_json::to_string(&breakdown).unwrap();
        assert_eq!(serde_json::from_str::<Breakdown>(&json).unwrap(), breakdown);
    }

    prop_compose! {
        fn occurrences()(
            title in 0_u32..9, h1 in 0_u32..9, meta in 0_u32..9, anchor in 0_u32..9, body in 0_u32..99, microcrawl in 0_u32..9,
        ) -> Occurrences {
            Occurrences { title, h1, meta, anchor, body, microcrawl }
        }
    }

    prop_compose! {
        fn evidence()(
            keywords in proptest::option::of(proptest::collection::vec(occurrences(), 0..8)),
            bytes in proptest::option::of(0_u64..6_000_000),
            parked_confidence in proptest::option::of(0.0..=1.0),
            age_days in proptest::option::of(-2.0..60.0),
        ) -> Evidence {
            Evidence { keywords, bytes, parked_confidence, age_days }
        }
    }

    prop_compose! {
        fn weights()(given in proptest::collection::vec(0.0..10.0, 7)) -> Weights {
            let map = Component::ALL.iter().zip(given).map(|(c, w)| (c.name().to_owned(), w)).collect();
            Weights::parse(&map).unwrap_or_default()
        }
    }

    proptest! {
        #[test]
        fn every_score_and_component_lies_between_zero_and_one(e in evidence(), w in weights()) {
            let breakdown = Breakdown::of(&e, &w);
            prop_assert!((0.0..=1.0).contains(&breakdown.score));
            for component in breakdown.components.values() {
                prop_assert!(component.value.is_none_or(|value| (0.0..=1.0).contains(&value)));
                prop_assert_eq!(component.value.is_some(), component.state == State::Ok);
                prop_assert_eq!(component.reason.is_none(), component.state == State::Ok);
            }
        }

        #[test]
        fn more_finds_and_a_younger_fetch_never_lower_a_score(e in evidence(), w in weights(), more in occurrences()) {
            let before = Breakdown::of(&e, &w).score;
            if let Some(keywords) = &e.keywords {
                let mut better = e.clone();
                better.keywords = Some(keywords.iter().copied().chain([more]).collect());
                prop_assert!(Breakdown::of(&better, &w).score >= before);
            }
            if let Some(days) = e.age_days {
                let younger = Evidence { age_days: Some(days - 3.0), ..e };
                prop_assert!(Breakdown::of(&younger, &w).score >= before);
            }
        }

        #[test]
        fn parking_never_raises_a_score(e in evidence(), w in weights(), confidence in 0.0..=1.0) {
            let free = Evidence { parked_confidence: Some(0.0), ..e.clone() };
            let parked = Evidence { parked_confidence: Some(confidence), ..e };
            prop_assert!(Breakdown::of(&parked, &w).score <= Breakdown::of(&free, &w).score);
        }
    }
}
