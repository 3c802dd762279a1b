//! The campaigns of a type that the caller reaches.

use aggregates::ids::{CampaignId, UserId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use projections::{
    Whose,
    campaigns::{self, TypedFilter, TypedList, TypedPage, TypedSort},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{access, view::TypedCampaign};
use crate::http::{Answer, Caller, Error, Path, Query, State, query, vocabulary};

/// Campaigns a page at most.
const MOST: i64 = 500;
/// Campaigns a page where nothing is said.
const DEFAULT: i64 = 50;
/// The longest text that is looked for, characters.
const LONGEST_TEXT: usize = 255;

/// Which campaigns, and which page of them.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(super) struct ListQuery {
    /// How they stand.
    #[param(value_type = Option<vocabulary::TypedStatusEnum>, inline)]
    status: Option<String>,
    /// Whose they are; nobody sees those of others.
    owner_id: Option<Uuid>,
    /// A tag that they have.
    tag: Option<String>,
    /// A piece of the name or the description, in any case.
    q: Option<String>,
    /// Created at this moment or later.
    created_from: Option<DateTime<Utc>>,
    /// Created before this moment.
    created_to: Option<DateTime<Utc>>,
    /// What they are sorted by, with `-` before it the largest first; `-createdAt` where absent.
    #[param(value_type = Option<vocabulary::TypedSortEnum>, inline)]
    sort: Option<String>,
    /// Campaigns a page, 1 to 500; fewer where those of the page are more than 8 MiB together.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// Campaigns to leave out first; a cursor costs less.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// The cursor that the page before ended with.
    after: Option<String>,
}

/// A page of campaigns.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypedCampaignList {
    /// The campaigns.
    items: Vec<TypedCampaign>,
    /// How many the filters let through.
    total: i64,
    /// The next page is `after` this; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
}

/// Lists the campaigns of a type that the caller reaches and that pass all filters, the newest first where nothing else is said.
#[utoipa::path(
    get, path = "/campaigns/{type}", tag = "typed campaigns",
    params(("type" = inline(vocabulary::TypeInPath), Path), ListQuery),
    responses((status = 200, body = TypedCampaignList))
)]
pub(super) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(campaign_type): Path<String>,
    Query(wanted): Query<ListQuery>,
) -> Result<Answer<TypedCampaignList>, Error> {
    let campaign_type = access::campaign_type(&campaign_type)?;
    let (filter, page) = (wanted.filter()?, wanted.page()?);
    let owner = wanted.owner_id.map(UserId);
    // Of an owner whom the caller does not reach there are none.
    let list = if owner.is_none_or(|owner| caller.reaches(owner)) {
        let pool = state.app.database.pool();
        let whose = owner.map_or_else(|| caller.whose(), Whose::Of);
        campaigns::typed_of_owner(pool, whose, campaign_type, &filter, &page).await?
    } else {
        TypedList {
            campaigns: Vec::new(),
            has_more: false,
            total: 0,
        }
    };
    Ok(Answer::ok(response(&list, &page)).total(list.total))
}

impl ListQuery {
    fn filter(&self) -> Result<TypedFilter, Error> {
        let within = |name: &str, text: Option<&String>| match text {
            Some(text) if !(1..=LONGEST_TEXT).contains(&text.chars().count()) => Err(Error::bad(
                name,
                format!("must have 1 to {LONGEST_TEXT} characters"),
            )),
            text => Ok(text.cloned()),
        };
        let status = self.status.as_deref().map(str::parse).transpose();
        Ok(TypedFilter {
            status: status.map_err(|error| Error::bad("status", error))?,
            tag: within("tag", self.tag.as_ref())?,
            text: within("q", self.q.as_ref())?,
            created_from: self.created_from,
            created_to: self.created_to,
        })
    }

    fn page(&self) -> Result<TypedPage, Error> {
        if self.after.is_some() && self.offset.is_some_and(|offset| offset != 0) {
            return Err(Error::bad("offset", "has no effect beside after"));
        }
        let page = query::page(self.limit, self.offset, MOST, DEFAULT)?;
        let (sort, descending) = self.sorting()?;
        let after = self.after.as_deref();
        Ok(TypedPage {
            sort,
            descending,
            limit: page.limit,
            offset: page.offset,
            after: after
                .map(|text| read_cursor(text, sort, descending))
                .transpose()?,
        })
    }

    fn sorting(&self) -> Result<(TypedSort, bool), Error> {
        let Some(text) = self.sort.as_deref() else {
            return Ok((TypedSort::CreatedAt, true));
        };
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let sorts = [
            TypedSort::CreatedAt,
            TypedSort::UpdatedAt,
            TypedSort::Name,
            TypedSort::Status,
        ];
        let found = sorts.into_iter().find(|sort| sort.name() == name);
        let sort = found.ok_or_else(|| {
            Error::bad(
                "sort",
                "must be one of createdAt, updatedAt, campaignName, status, with - before it or without",
            )
        })?;
        Ok((sort, descending))
    }
}

/// Where a campaign stands in a list.
#[derive(Serialize, Deserialize)]
struct Place {
    sort: String,
    descending: bool,
    key: String,
    id: Uuid,
}

fn cursor(page: &TypedPage, key: &str, id: CampaignId) -> String {
    let place = Place {
        sort: page.sort.name().to_owned(),
        descending: page.descending,
        key: key.to_owned(),
        id: id.0,
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&place).unwrap_or_default())
}

fn read_cursor(
    text: &str,
    sort: TypedSort,
    descending: bool,
) -> Result<(String, CampaignId), Error> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let place: Option<Place> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match place {
        Some(place) if place.sort != sort.name() || place.descending != descending => Err(
            Error::bad("after", "belongs to a list that is sorted in another way"),
        ),
        Some(place) if !place.key.contains('\0') => Ok((place.key, CampaignId(place.id))),
        _ => Err(Error::bad("after", "is no cursor of this list")),
    }
}

fn response(list: &TypedList, page: &TypedPage) -> TypedCampaignList {
    let shown = &list.campaigns;
    TypedCampaignList {
        items: shown
            .iter()
            .map(|(_, typed)| TypedCampaign::of(typed))
            .collect(),
        total: list.total,
        next_after: shown
            .last()
            .filter(|_| list.has_more)
            .map(|(key, typed)| cursor(page, key, typed.overview.campaign.campaign_id)),
    }
}
