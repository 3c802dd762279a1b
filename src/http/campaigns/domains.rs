//! A campaign's domains: exact filters, any sort, pages by offset or by cursor.

use axum::extract::RawQuery;
use projections::domains::{self, Direction, Listing, Page, Sort};
use uuid::Uuid;

use super::{
    access, as_of, cursor,
    filters::domains_query,
    views::{CampaignDomainsListResponse, DomainListItem, ExtendedPageInfo, SortOrder},
};
use crate::http::{Answer, Caller, Error, Path, State, query};

/// Domains a page at most.
const MOST: i64 = 1_000;
/// Domains a page where nothing is said.
const DEFAULT: i64 = 100;

domains_query! {
    /// Which domains, and which page of them.
    DomainsQuery {
        /// Domains a page, 1 to 1,000.
        #[param(minimum = 1, maximum = 1000, default = 100)]
        limit: Option<i64>,
        /// Domains to leave out first; a cursor costs less.
        #[param(minimum = 0, default = 0)]
        offset: Option<i64>,
        /// Domains a page, 1 to 1,000, for pages by cursor.
        #[param(minimum = 1, maximum = 1000)]
        first: Option<i64>,
        /// The cursor that the page before ended with.
        after: Option<String>,
        /// The list as it was: at this moment (RFC 3339), or when the log ended at this position, as `X-Event-Cursor` tells it,
        /// with all filters, sorts and pages. It is computed from the log, at the cost and within the bounds that
        /// `GET /campaigns/{campaignId}` names, for each page.
        as_of: Option<String>,
    }
}

impl DomainsQuery {
    fn page(&self, sort: Option<(Sort, Direction)>) -> Result<Page, Error> {
        if self.first.is_some_and(|first| !(1..=MOST).contains(&first)) {
            return Err(Error::bad("first", format!("must be from 1 to {MOST}")));
        }
        if self.first.is_some() && self.limit.is_some() && self.first != self.limit {
            return Err(Error::bad("first", "differs from limit: give one of them"));
        }
        if self.after.is_some() && self.offset.is_some_and(|offset| offset != 0) {
            return Err(Error::bad("offset", "has no effect beside after"));
        }
        let page = query::page(self.first.or(self.limit), self.offset, MOST, DEFAULT)?;
        Ok(Page {
            limit: page.limit,
            offset: page.offset,
            after: self
                .after
                .as_deref()
                .map(|text| cursor::read(text, sort))
                .transpose()?,
            sort,
        })
    }
}

/// Lists a campaign's domains that pass all filters, as they are or as they were, with totals from the same moment.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/domains", tag = "campaigns",
    params(("campaignId" = Uuid, Path), DomainsQuery),
    responses((status = 200, body = CampaignDomainsListResponse), (status = 404),
        (status = 422, description = "a sort by what no campaign has, or the campaign was too large to be computed as it was"))
)]
pub(super) async fn domains(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    RawQuery(raw): RawQuery,
) -> Result<Answer<CampaignDomainsListResponse>, Error> {
    let wanted: DomainsQuery = query::parse(&joined(raw.as_deref().unwrap_or_default()))?;
    let (filter, sort) = (wanted.filter()?, wanted.sorting()?);
    let page = wanted.page(sort)?;
    let listing = match wanted.as_of.as_deref() {
        Some(as_of) => as_of::listing(&state, &caller, (id, as_of), &filter, &page).await?,
        None => {
            let campaign_id = access::owned(&state, &caller, id).await?;
            domains::listing(state.app.database.pool(), campaign_id, &filter, &page).await?
        }
    };
    Ok(Answer::ok(response(id, &listing, &page)).total(listing.total))
}

/// Joins repeated reasons into the one list that several of them mean.
pub(in crate::http) fn joined(raw: &str) -> String {
    let mut reasons: Vec<String> = Vec::new();
    let mut rest = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
        if name == "rejectionReason" {
            reasons.push(value.into_owned());
        } else {
            rest.append_pair(&name, &value);
        }
    }
    if !reasons.is_empty() {
        rest.append_pair("rejectionReason", &reasons.join(","));
    }
    rest.finish()
}

fn response(id: Uuid, listing: &Listing, page: &Page) -> CampaignDomainsListResponse {
    let size = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let rows = listing.rows.get(..size).unwrap_or(&listing.rows);
    CampaignDomainsListResponse {
        campaign_id: id,
        items: rows
            .iter()
            .map(|row| DomainListItem::of(id.into(), row))
            .collect(),
        total: listing.total,
        aggregates: (&listing.counts).into(),
        page_info: ExtendedPageInfo {
            start_cursor: rows.first().map(|row| cursor::of(row, page.sort)),
            end_cursor: rows.last().map(|row| cursor::of(row, page.sort)),
            has_next_page: listing.rows.len() > size,
            // The order of generation has no name that could be asked for.
            sort_by: page
                .sort
                .filter(|(sort, _)| *sort != Sort::Ordinal)
                .map(|(sort, _)| cursor::sort_name(sort)),
            sort_order: match page.sort {
                Some((_, Direction::Descending)) => SortOrder::Desc,
                _ => SortOrder::Asc,
            },
            first: page.limit,
            current: page
                .after
                .is_none()
                .then(|| (page.offset / page.limit).saturating_add(1)),
            total: (listing.total + page.limit - 1) / page.limit,
        },
    }
}
