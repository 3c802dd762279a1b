//! The rules of one set, and of all sets.

use aggregates::{ids::KeywordSetId, keyword_set::KeywordSet};
use axum::extract;
use projections::keyword_sets::{self, RuleFilter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{KeywordRuleDto, KeywordRuleType};
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, Path, Query, State, owned::Owned as _, query,
};

/// Rules a page at most: what two full sets have.
const MOST: i64 = 10_000;
/// Rules a page where nothing is said.
const DEFAULT: i64 = 50;

/// Which rules are wanted. Unlike elsewhere the parameters are in `snake_case`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 10,000, and not more than 16 MiB of them; 50 where this is not said.
    #[param(default = 50)]
    limit: Option<i64>,
    /// How many are passed over.
    #[param(default = 0)]
    offset: Option<i64>,
    /// The set that they belong to.
    keyword_set_id: Option<uuid::Uuid>,
    /// How their pattern is read.
    rule_type: Option<KeywordRuleType>,
    /// Their category, exactly.
    category: Option<String>,
    /// Whether case matters.
    is_case_sensitive: Option<bool>,
    /// A part of the pattern, in any case.
    pattern: Option<String>,
}

/// Lists the rules of a keyword set.
#[utoipa::path(get, path = "/keyword-sets/{setId}/rules", tag = "keyword-sets",
    params(("setId" = uuid::Uuid, Path)),
    responses((status = 200, body = [KeywordRuleDto]), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn of_set(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<KeywordSetId>,
) -> Result<Answer<Vec<KeywordRuleDto>>, Error> {
    let row = keyword_sets::by_id(state.app.database.pool(), caller.whose(), id)
        .await?
        .ok_or(KeywordSet::MISSING)?;
    let rules: Vec<_> = row
        .rules
        .iter()
        .map(|rule| KeywordRuleDto::new(id.0, rule))
        .collect();
    let total = i64::try_from(rules.len()).unwrap_or(i64::MAX);
    Ok(Answer::ok(rules).row_version(row.version).total(total))
}

/// Lists the rules of all keyword sets that the caller reaches.
#[utoipa::path(get, path = "/keyword-rules", tag = "keyword-rules", params(Wanted),
    responses((status = 200, body = [KeywordRuleDto]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<KeywordRuleDto>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, MOST, DEFAULT)?;
    let filter = RuleFilter {
        keyword_set_id: wanted.keyword_set_id.map(KeywordSetId),
        rule_type: wanted.rule_type.map(Into::into),
        category: wanted.category,
        is_case_sensitive: wanted.is_case_sensitive,
        pattern: wanted.pattern,
    };
    let pool = state.app.database.pool();
    let (found, total) =
        keyword_sets::rules(pool, caller.whose(), &filter, page.limit, page.offset).await?;
    let rules = found
        .iter()
        .map(|found| KeywordRuleDto::new(found.keyword_set_id, &found.rule))
        .collect();
    Ok(Answer::ok(rules).total(total))
}
