//! Listing and showing scoring profiles.

use aggregates::{ids::ScoringProfileId, scoring_profile};
use axum::extract;
use projections::scoring_profiles;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::ScoringProfile;
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, Path, Query, State, owned::Owned as _, query,
};

/// Which profiles are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 500; 50 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// How many are passed over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// A page of scoring profiles.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ScoringProfileListResponse {
    items: Vec<ScoringProfile>,
    meta: PageMeta,
}

/// Which part of a list a page is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PageMeta {
    #[schema(minimum = 1)]
    limit: i64,
    #[schema(minimum = 0)]
    offset: i64,
    #[schema(minimum = 0)]
    total: i64,
}

/// Lists the scoring profiles that the caller reaches.
#[utoipa::path(get, path = "/scoring-profiles", tag = "scoring-profiles", params(Wanted),
    responses((status = 200, body = ScoringProfileListResponse), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<ScoringProfileListResponse>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 50)?;
    let pool = state.app.database.pool();
    let (rows, total) =
        scoring_profiles::list(pool, caller.whose(), page.limit, page.offset).await?;
    let meta = PageMeta {
        limit: page.limit,
        offset: page.offset,
        total,
    };
    let items = rows.into_iter().map(Into::into).collect();
    Ok(Answer::ok(ScoringProfileListResponse { items, meta }).total(total))
}

/// Shows a scoring profile.
#[utoipa::path(get, path = "/scoring-profiles/{profileId}", tag = "scoring-profiles",
    params(("profileId" = uuid::Uuid, Path)),
    responses((status = 200, body = ScoringProfile), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<ScoringProfileId>,
) -> Result<Answer<ScoringProfile>, Error> {
    let row = scoring_profiles::by_id(state.app.database.pool(), caller.whose(), id)
        .await?
        .ok_or(scoring_profile::ScoringProfile::MISSING)?;
    let version = row.version;
    Ok(Answer::ok(row.into()).row_version(version))
}
