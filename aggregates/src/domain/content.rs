//! What is told of a page beyond its text.

use serde::{Deserialize, Serialize};

/// A technology that a site is made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technology {
    /// Its name.
    pub name: String,
    /// What kind of thing it is, such as `cms`.
    pub category: String,
    /// Its version, where that shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What shows it.
    pub evidence: String,
}

/// The language of a page that names none, told by its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DetectedLanguage {
    /// Its tag (RFC 5646).
    pub language: String,
    /// How sure that is, 0 to 1.
    pub confidence: f32,
}

/// What was read of a site beyond its start page, because that gave little.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MicroCrawl {
    /// The addresses of the pages that were searched.
    pub pages: Vec<String>,
    /// Size of their bodies together, bytes.
    pub bytes: u64,
    /// Addresses that were asked for and gave no page to search, with the reason of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<MissedPage>,
}

/// A page that was asked for in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedPage {
    /// Its address.
    pub url: String,
    /// Why there was none: a code and the failure in words.
    pub detail: String,
}
