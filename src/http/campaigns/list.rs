//! Reading campaigns: the caller's list, one of them, and one with everything around it.

use projections::campaigns;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{
    access,
    as_of::{self, AsOfQuery},
    views::{CampaignResponse, EnrichedCampaignResponse},
};
use crate::http::{Answer, Caller, Error, Path, Query, State, query};

/// Campaigns a page at most, and where nothing is said: a client that knows of no pages has all that one answer holds.
const MOST: i64 = 1_000;

/// Which page of the list.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Campaigns a page, 1 to 1,000; as many where it is absent.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<i64>,
    /// Campaigns to leave out first.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Lists the campaigns that the caller reaches, the newest first. An answer has 1,000 of them at most; `X-Total-Count` says how many
/// there are. Of a configuration above 16 KiB it shows what is short in it; the campaign by itself has all of it.
#[utoipa::path(
    get, path = "/campaigns", tag = "campaigns", params(ListQuery),
    responses((status = 200, body = Vec<CampaignResponse>))
)]
pub(super) async fn list(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Query(wanted): Query<ListQuery>,
) -> Result<Answer<Vec<CampaignResponse>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, MOST, MOST)?;
    let pool = state.app.database.pool();
    let owned = campaigns::of_owner(pool, caller.whose(), page.limit, page.offset).await?;
    let body = owned.campaigns.into_iter().map(Into::into);
    Ok(Answer::ok(body.collect()).total(owned.total))
}

/// Answers one campaign, as it is or as it was.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}", tag = "campaigns", params(("campaignId" = Uuid, Path), AsOfQuery),
    responses((status = 200, body = CampaignResponse), (status = 404),
        (status = 422, description = "it was too large to be computed as it was"))
)]
pub(super) async fn get(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Query(asked): Query<AsOfQuery>,
) -> Result<Answer<CampaignResponse>, Error> {
    let overview = as_of::overview(&state, &caller, id, asked.as_of.as_deref()).await?;
    let body = CampaignResponse::of(&overview.campaign, &overview.counts);
    Ok(Answer::ok(body).row_version(overview.campaign.version))
}

/// Answers one campaign with its state and the executions of its phases, all from one moment.
#[utoipa::path(
    get, path = "/campaigns/{campaignId}/enriched", tag = "campaigns", params(("campaignId" = Uuid, Path)),
    responses((status = 200, body = EnrichedCampaignResponse), (status = 404))
)]
pub(super) async fn enriched(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Answer<EnrichedCampaignResponse>, Error> {
    let overview = access::overview(&state, &caller, id).await?;
    Ok(Answer::ok((&overview).into()).row_version(overview.campaign.version))
}
