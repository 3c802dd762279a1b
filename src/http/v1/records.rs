//! The domains and leads of a typed campaign, each with its evidence.
//!
//! Rows come from the read model, evidence from the domains' streams up to the version that their rows show, so that both
//! are of one moment.

mod view;

use std::collections::HashMap;

use aggregates::{
    campaign::CampaignType,
    domain::{self, Event},
};
use axum::extract::RawQuery;
use projections::{
    campaigns::Campaign,
    domains::{self, Filter, Listed, Page},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use self::view::{Evidence, Open, Standing};
pub(super) use self::view::{Record, cells, headings};
use super::access;
use crate::http::{
    Answer, Caller, Error, Path, State,
    campaigns::{cursor, domains::joined, filters::domains_query},
    query, vocabulary,
};

/// Domains a page at most.
const MOST: i64 = 1_000;
/// Domains a page where nothing is said.
const DEFAULT: i64 = 100;

domains_query! {
    /// Which domains, and which page of them.
    RecordsQuery {
        /// How the check of a domain stands, of campaigns that check names.
        #[param(value_type = Option<vocabulary::ValidationStatusEnum>, inline)]
        validation_status: Option<String>,
        /// How the making of a lead stands, of campaigns that make leads.
        #[param(value_type = Option<vocabulary::ExtractionStatusEnum>, inline)]
        extraction_status: Option<String>,
        /// Domains a page, 1 to 1,000.
        #[param(minimum = 1, maximum = 1000, default = 100)]
        limit: Option<i64>,
        /// Domains to leave out first; a cursor costs less.
        #[param(minimum = 0, default = 0)]
        offset: Option<i64>,
        /// The cursor that the page before ended with.
        after: Option<String>,
    }
}

/// A page of domains.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordList {
    /// The campaign.
    campaign_id: Uuid,
    /// The domains.
    items: Vec<Record>,
    /// How many the filters let through.
    total: i64,
    /// The next page is `after` this; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
}

/// Lists a campaign's domains that pass all filters.
#[utoipa::path(
    get, path = "/campaigns/{type}/{campaignId}/domains", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ("campaignId" = Uuid, Path), RecordsQuery),
    responses((status = 200, body = RecordList), (status = 404),
        (status = 422, description = "a filter or sort by what the campaign does not have"))
)]
pub(super) async fn domains(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    RawQuery(raw): RawQuery,
) -> Result<Answer<RecordList>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    page(&state, &caller, (campaign_type, id), raw.as_deref()).await
}

/// Lists a campaign's candidates for leads that pass all filters; `rejectionReason=qualified` lists the leads.
#[utoipa::path(
    get, path = "/campaigns/{type}/{campaignId}/leads", tag = "typed campaigns",
    params(("type" = inline(vocabulary::LeadTypeInPath), Path), ("campaignId" = Uuid, Path), RecordsQuery),
    responses((status = 200, body = RecordList), (status = 404),
        (status = 422, description = "a filter or sort by what the campaign does not have"))
)]
pub(super) async fn leads(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path((campaign_type, id)): Path<(String, Uuid)>,
    RawQuery(raw): RawQuery,
) -> Result<Answer<RecordList>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    if campaign_type != CampaignType::Lead {
        return Err(Error::no_such("operation of this type of campaign", "type"));
    }
    page(&state, &caller, (campaign_type, id), raw.as_deref()).await
}

async fn page(
    state: &State,
    caller: &Caller,
    (campaign_type, id): (CampaignType, Uuid),
    raw: Option<&str>,
) -> Result<Answer<RecordList>, Error> {
    let wanted: RecordsQuery = query::parse(&joined(raw.unwrap_or_default()))?;
    let sort = wanted.sorting()?;
    let page = wanted.page()?;
    let typed = access::shown(state, caller, (campaign_type, id)).await?;
    let campaign = &typed.overview.campaign;
    let pool = state.app.database.pool();
    let Some(filter) = wanted.of_records(campaign)? else {
        return Ok(Answer::ok(empty(id)).total(0));
    };
    let listing = domains::listing(pool, campaign.campaign_id, &filter, &page).await?;
    let size = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let has_more = listing.rows.len() > size;
    let mut rows = listing.rows;
    rows.truncate(size);
    let next_after = rows.last().filter(|_| has_more);
    let next_after = next_after.map(|row| cursor::of(row, sort));
    let body = RecordList {
        campaign_id: id,
        items: records(state, campaign, rows).await?,
        total: listing.total,
        next_after,
    };
    Ok(Answer::ok(body).total(listing.total))
}

const fn empty(campaign_id: Uuid) -> RecordList {
    RecordList {
        campaign_id,
        items: Vec::new(),
        total: 0,
        next_after: None,
    }
}

impl RecordsQuery {
    fn page(&self) -> Result<Page, Error> {
        let sort = self.sorting()?;
        if self.after.is_some() && self.offset.is_some_and(|offset| offset != 0) {
            return Err(Error::bad("offset", "has no effect beside after"));
        }
        let page = query::page(self.limit, self.offset, MOST, DEFAULT)?;
        let after = self.after.as_deref();
        Ok(Page {
            limit: page.limit,
            offset: page.offset,
            after: after.map(|text| cursor::read(text, sort)).transpose()?,
            sort,
        })
    }

    /// Puts the filters together; nothing where no domain of the campaign can pass them.
    fn of_records(&self, campaign: &Campaign) -> Result<Option<Filter>, Error> {
        let filter = self.filter()?;
        let named = [
            ("validationStatus", self.validation_status.as_deref()),
            ("extractionStatus", self.extraction_status.as_deref()),
        ];
        with_status(filter, named, campaign)
    }
}

/// Adds what a status means to a filter; nothing where no domain of the campaign can have it and pass the rest.
fn with_status(
    mut filter: Filter,
    named: [(&str, Option<&str>); 2],
    campaign: &Campaign,
) -> Result<Option<Filter>, Error> {
    let campaign_type = campaign.campaign_type;
    for (name, given) in named {
        let Some(given) = given else { continue };
        if name != view::status_field(campaign_type) {
            return Err(Error::unprocessable(
                name,
                "is no status of the domains of such a campaign",
            ));
        }
        let open = Open::of(campaign).word(campaign_type);
        let can_pass = match view::standing(campaign_type, given) {
            None => return Err(Error::bad(name, "is no such status")),
            Some(Standing::Failed) => narrow(&mut filter.failed, true),
            Some(Standing::Done) => match campaign_type {
                CampaignType::Lead => {
                    narrow(&mut filter.failed, false) && decided(&mut filter, &DECIDED)
                }
                CampaignType::Dns => narrow(&mut filter.dns_status, "ok".to_owned()),
                _ => narrow(&mut filter.http_status, "ok".to_owned()),
            },
            Some(Standing::Open) if given == open => {
                narrow(&mut filter.failed, false)
                    && match campaign_type {
                        CampaignType::Lead => decided(&mut filter, &["pending"]),
                        CampaignType::Dns => narrow(&mut filter.dns_status, "pending".to_owned()),
                        _ => narrow(&mut filter.http_status, "pending".to_owned()),
                    }
            }
            Some(Standing::Open) => false,
        };
        if !can_pass {
            return Ok(None);
        }
    }
    Ok(Some(filter))
}

/// The reasons of a decision about a domain whose page was scored.
const DECIDED: [&str; 4] = ["qualified", "low_score", "no_keywords", "parked"];

/// Asks for a value besides what is asked for; answers whether both can be.
fn narrow<T: PartialEq>(asked: &mut Option<T>, value: T) -> bool {
    match asked {
        Some(other) => *other == value,
        None => {
            *asked = Some(value);
            true
        }
    }
}

/// Asks for one of the reasons besides those that are asked for; answers whether one is left.
fn decided(filter: &mut Filter, reasons: &[&str]) -> bool {
    let asked = filter.rejection_reasons.take();
    let left: Vec<String> = reasons
        .iter()
        .filter(|reason| {
            let is_it = |other: &String| other == *reason;
            asked.as_ref().is_none_or(|asked| asked.iter().any(is_it))
        })
        .map(|reason| (*reason).to_owned())
        .collect();
    let some = !left.is_empty();
    filter.rejection_reasons = Some(left);
    some
}

/// Puts rows and their evidence together.
pub(super) async fn records(
    state: &State,
    campaign: &Campaign,
    rows: Vec<Listed>,
) -> Result<Vec<Record>, Error> {
    let campaign_id = campaign.campaign_id;
    let types: &[&str] = match campaign.campaign_type {
        CampaignType::Generation => &[],
        CampaignType::Dns => &["DnsChecked"],
        CampaignType::Http => &["DnsChecked", "HttpChecked"],
        CampaignType::Lead | CampaignType::Full => {
            &["DnsChecked", "HttpChecked", "Scored", "LeadDecided"]
        }
    };
    let streams: Vec<(String, u64)> = rows
        .iter()
        .filter(|row| row.version > 0 && !types.is_empty())
        .map(|row| {
            let stream = domain::stream_id(campaign_id, &row.name);
            (stream, u64::try_from(row.version).unwrap_or(0))
        })
        .collect();
    let log = state.app.database.log();
    let mut evidence: HashMap<String, Evidence> = HashMap::with_capacity(streams.len());
    for stored in log.latest_of("domain", &streams, types).await? {
        let event: Event = stored.decode()?;
        let Some((_, name)) = domain::parse_stream_id(&stored.aggregate_id) else {
            continue;
        };
        evidence
            .entry(name.to_owned())
            .or_default()
            .add(event, stored.recorded_at);
    }
    let open = Open::of(campaign);
    let records = rows.into_iter().map(|row| {
        let evidence = evidence.remove(&row.name).unwrap_or_default();
        Record::of(campaign.campaign_type, open, row, evidence)
    });
    Ok(records.collect())
}
