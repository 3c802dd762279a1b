//! The components of a score.

use serde::{Deserialize, Serialize};

/// One component of a score, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// How many different keywords the page has; five are enough.
    UniqueKeywordCoverage,
    /// Keyword hits per KB; three are enough.
    KeywordDensity,
    /// Whether the page is more than a parking page.
    NonParked,
    /// How long the page is; 50,000 bytes are enough.
    ContentLengthQuality,
    /// Whether a keyword stands in the title.
    TitleKeyword,
    /// How lately the page was fetched.
    Freshness,
    /// Density and diversity of keywords together.
    TfLite,
}

impl Component {
    /// Every component, in the order of their default weights.
    pub const ALL: [Self; 7] = [
        Self::UniqueKeywordCoverage,
        Self::KeywordDensity,
        Self::NonParked,
        Self::ContentLengthQuality,
        Self::TitleKeyword,
        Self::Freshness,
        Self::TfLite,
    ];

    /// Returns the name under which profiles give it a weight.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UniqueKeywordCoverage => "unique_keyword_coverage",
            Self::KeywordDensity => "keyword_density",
            Self::NonParked => "non_parked",
            Self::ContentLengthQuality => "content_length_quality",
            Self::TitleKeyword => "title_keyword",
            Self::Freshness => "freshness",
            Self::TfLite => "tf_lite",
        }
    }

    /// Returns the weight that it has without a profile; they sum to 1.
    #[must_use]
    pub const fn default_weight(self) -> f64 {
        match self {
            Self::UniqueKeywordCoverage => 0.25,
            Self::KeywordDensity => 0.35,
            Self::NonParked | Self::ContentLengthQuality | Self::TitleKeyword | Self::Freshness => {
                0.10
            }
            Self::TfLite => 0.0,
        }
    }

    /// Finds the component of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|component| component.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_and_the_profiles_use_the_same_names() {
        for component in Component::ALL {
            let json = serde_json::to_string(&component).unwrap();
            assert_eq!(json, format!("\"{}\"", component.name()));
            assert_eq!(Component::named(component.name()), Some(component));
        }
    }
}
