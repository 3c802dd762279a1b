//! Pages of a campaign's domains: exact filters, joined with AND, in SQL, before paging.

use aggregates::ids::CampaignId;
use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::statements::BY_NAME;

/// Domains with or without warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warnings {
    /// Only domains that have one.
    Has,
    /// Only domains that have none.
    None,
}

/// What a page sorts by; ties follow the direction, in the order of ordinals, and rows without the value come last in
/// both. So each direction is the other one backwards, but for those rows, and one index serves the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// The order in which the domains came to the campaign; every row has its place in it.
    Ordinal,
    /// The richness of the page.
    Richness,
    /// What further pages of the site added.
    Gain,
    /// How many different keywords were found.
    KeywordsUnique,
}

/// In which direction a page sorts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Largest first.
    #[default]
    Descending,
}

/// Which domains are wanted; absent fields do not filter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// DNS status.
    pub dns_status: Option<String>,
    /// HTTP status.
    pub http_status: Option<String>,
    /// DNS reason.
    pub dns_reason: Option<String>,
    /// HTTP reason.
    pub http_reason: Option<String>,
    /// Smallest score, 0 to 1.
    pub min_score: Option<f64>,
    /// Only domains that were fetched and do not look parked (confidence below 0.45).
    pub not_parked: Option<bool>,
    /// Whether the page shows a way to reach the owner.
    pub has_contact: Option<bool>,
    /// A keyword that must have been found, by its pattern.
    pub keyword: Option<String>,
    /// With or without warnings.
    pub warnings: Option<Warnings>,
    /// Any of these reasons of the lead decision.
    pub rejection_reasons: Option<Vec<String>>,
    /// Whether a check of the domain failed, over DNS or over HTTP.
    pub failed: Option<bool>,
}

/// Which page is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Rows at most.
    pub limit: i64,
    /// Rows to leave out first; 0 when `after` is used.
    pub offset: i64,
    /// The last row of the page before: its sort value (absent without a sort, or where the row has none) and its
    /// ordinal.
    pub after: Option<(Option<f64>, i64)>,
    /// What to sort by; by ordinal where absent.
    pub sort: Option<(Sort, Direction)>,
}

/// One domain as the lists show it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    /// Its place in the campaign, from 0.
    pub ordinal: i64,
    /// Its name.
    pub name: String,
    /// The offset of the pattern that it was generated from.
    pub pattern_offset: Option<i64>,
    /// When it was generated or imported.
    pub created_at: DateTime<Utc>,
    /// DNS status.
    pub dns_status: String,
    /// DNS reason, empty on success.
    pub dns_reason: String,
    /// The addresses, separated by blanks.
    pub addresses: Option<String>,
    /// HTTP status.
    pub http_status: String,
    /// HTTP reason, empty on success.
    pub http_reason: String,
    /// When the page was fetched.
    pub fetched_at: Option<DateTime<Utc>>,
    /// What scoring used of the page.
    pub evidence: Option<serde_json::Value>,
    /// The patterns of the keywords that were found.
    pub keywords: Option<Vec<String>>,
    /// How many they are.
    pub keywords_unique: Option<i32>,
    /// How surely the domain is parked, 0 to 1.
    pub parked_confidence: Option<f32>,
    /// The page shows a way to reach the owner.
    pub has_contact: bool,
    /// The score, 0 to 1.
    pub score: Option<f64>,
    /// The score's components and weights.
    pub score_breakdown: Option<serde_json::Value>,
    /// The richness, 0 to 1.
    pub richness_score: Option<f64>,
    /// What further pages of the site added, 0 to 1.
    pub microcrawl_gain: Option<f64>,
    /// The richness' parts.
    pub features: Option<serde_json::Value>,
    /// The lead decision.
    pub lead_status: String,
    /// Its one reason.
    pub rejection_reason: String,
    /// How many events the domain's stream has.
    pub version: i64,
}

impl Listed {
    /// Returns the value that a sort compares.
    #[must_use]
    pub fn sort_value(&self, sort: Sort) -> Option<f64> {
        match sort {
            Sort::Ordinal => None,
            Sort::Richness => self.richness_score,
            Sort::Gain => self.microcrawl_gain,
            Sort::KeywordsUnique => self.keywords_unique.map(f64::from),
        }
    }
}

/// Binds a filter, parameters $1 to $12, whatever the query answers.
///
/// Filters and limits are planned with their values each time. A statement that is kept gets one plan for all values
/// after its fifth use, and that plan sorts everything behind the cursor for every page.
macro_rules! filtered {
    ($query:expr, $campaign_id:expr, $filter:expr) => {
        $query
            .bind($campaign_id.0)
            .bind(&$filter.dns_status)
            .bind(&$filter.http_status)
            .bind(&$filter.dns_reason)
            .bind(&$filter.http_reason)
            .bind($filter.min_score)
            .bind($filter.not_parked)
            .bind($filter.has_contact)
            .bind(&$filter.keyword)
            .bind(
                $filter
                    .warnings
                    .map(|warnings| warnings == $crate::domains::Warnings::Has),
            )
            .bind(&$filter.rejection_reasons)
            .bind($filter.failed)
            .persistent(false)
    };
}

pub(super) use filtered;

/// Reads one domain of a campaign.
///
/// # Errors
/// When the database does not answer.
pub async fn by_name(
    pool: &PgPool,
    campaign_id: CampaignId,
    name: &str,
) -> Result<Option<Listed>, sqlx::Error> {
    sqlx::query_as(BY_NAME)
        .bind(campaign_id.0)
        .bind(name)
        .fetch_optional(pool)
        .await
}
