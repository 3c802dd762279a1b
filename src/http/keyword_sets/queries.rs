//! Listing and showing keyword sets.

use aggregates::{ids::KeywordSetId, keyword_set::KeywordSet};
use axum::extract;
use projections::keyword_sets;
use serde::Deserialize;
use utoipa::IntoParams;

use super::KeywordSetResponse;
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, Path, Query, State, owned::Owned as _, query,
};

/// Which sets are wanted, and how much of each.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 500; 50 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// How many are passed over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Whether the rules come with them. A page whose rules are more than 16 MiB together is refused: fewer sets at once
    /// have fewer.
    include_rules: Option<bool>,
    /// Whether phases may use them.
    is_enabled: Option<bool>,
}

/// Lists the keyword sets that the caller reaches.
#[utoipa::path(get, path = "/keyword-sets", tag = "keyword-sets", params(Wanted),
    responses((status = 200, body = [KeywordSetResponse]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<KeywordSetResponse>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 50)?;
    let pool = state.app.database.pool();
    let (sets, total) = keyword_sets::list(
        pool,
        caller.whose(),
        wanted.is_enabled,
        wanted.include_rules.unwrap_or(false),
        (page.limit, page.offset),
    )
    .await?;
    let sets = sets.into_iter().map(KeywordSetResponse::listed).collect();
    Ok(Answer::ok(sets).total(total))
}

/// Shows a keyword set with its rules.
#[utoipa::path(get, path = "/keyword-sets/{setId}", tag = "keyword-sets", params(("setId" = uuid::Uuid, Path)),
    responses((status = 200, body = KeywordSetResponse), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<KeywordSetId>,
) -> Result<Answer<KeywordSetResponse>, Error> {
    let row = keyword_sets::by_id(state.app.database.pool(), caller.whose(), id)
        .await?
        .ok_or(KeywordSet::MISSING)?;
    let version = row.version;
    Ok(Answer::ok(KeywordSetResponse::from_row(row)).row_version(version))
}
