//! A page of a campaign's domains.

use projections::domains::Counts;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::DomainListItem;

/// A page of a campaign's domains.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CampaignDomainsListResponse {
    /// The campaign.
    pub campaign_id: Uuid,
    /// The domains of the page.
    pub items: Vec<DomainListItem>,
    /// How many domains the filters let through.
    pub total: i64,
    /// The counters of the whole campaign, whatever the filters.
    pub aggregates: DomainAggregates,
    /// Where the page stands.
    pub page_info: ExtendedPageInfo,
}

/// A campaign's domains by status.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct DomainAggregates {
    /// By DNS status.
    pub dns: CheckCounts,
    /// By HTTP status.
    pub http: CheckCounts,
    /// By lead status.
    pub lead: LeadCounts,
}

/// Domains by the status of a check.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CheckCounts {
    /// Not checked.
    pub pending: u64,
    /// Passed.
    pub ok: u64,
    /// Failed.
    pub error: u64,
    /// Without an answer in time.
    pub timeout: u64,
}

/// Domains by the status of the lead decision.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeadCounts {
    /// Not decided.
    pub pending: u64,
    /// Leads.
    pub r#match: u64,
    /// No leads.
    pub no_match: u64,
    /// Not fetched.
    pub error: u64,
    /// Not fetched in time.
    pub timeout: u64,
}

/// In which direction a page is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum SortOrder {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// Where a page stands among all pages.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExtendedPageInfo {
    /// The cursor of the first row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_cursor: Option<String>,
    /// The cursor of the last row; the next page is `after` it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_next_page: bool,
    /// What the page is sorted by; by the order of generation where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_by: Option<&'static str>,
    /// In which direction.
    pub sort_order: SortOrder,
    /// Rows a page at most.
    pub first: i64,
    /// Which page this is, from 1; unknown where it was reached by a cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<i64>,
    /// How many pages there are.
    pub total: i64,
}

impl From<&Counts> for DomainAggregates {
    fn from(counts: &Counts) -> Self {
        let check = |of: &dyn Fn(&str) -> u64| CheckCounts {
            pending: of("pending"),
            ok: of("ok"),
            error: of("error"),
            timeout: of("timeout"),
        };
        Self {
            dns: check(&|status| counts.dns(status)),
            http: check(&|status| counts.http(status)),
            lead: LeadCounts {
                pending: counts.lead("pending"),
                r#match: counts.lead("match"),
                no_match: counts.lead("no_match"),
                error: counts.lead("error"),
                timeout: counts.lead("timeout"),
            },
        }
    }
}
