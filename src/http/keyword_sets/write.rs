//! Making, changing and deleting keyword sets.

use aggregates::{
    ids::{KeywordSetId, RuleId},
    keyword_set::{self, Change, Command, Create, KeywordSet, Rule},
};
use axum::extract;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{KeywordRuleType, KeywordSetResponse};
use crate::{
    app::App,
    commands::Done,
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{check_description, must_own},
    },
};

/// A rule as it is saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct KeywordRuleRequest {
    /// What to look for, at most 1000 characters.
    pattern: String,
    /// How the pattern is read.
    rule_type: KeywordRuleType,
    /// Whether `A` and `a` differ; they do not where this is not said.
    is_case_sensitive: Option<bool>,
    /// A label that comes back with the finds.
    category: Option<String>,
    /// The characters kept on each side of a find, at most 500; 50 where this is not said.
    context_chars: Option<u32>,
    /// How much a find counts; 1 where this is not said.
    weight: Option<f64>,
}

impl From<KeywordRuleRequest> for Rule {
    fn from(request: KeywordRuleRequest) -> Self {
        let rule = Self::text(RuleId(Uuid::now_v7()), request.pattern);
        Self {
            rule_type: request.rule_type.into(),
            is_case_sensitive: request.is_case_sensitive.unwrap_or(rule.is_case_sensitive),
            category: request.category.filter(|category| !category.is_empty()),
            context_chars: request.context_chars.unwrap_or(rule.context_chars),
            weight: request.weight.unwrap_or(rule.weight),
            ..rule
        }
    }
}

/// A keyword set to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreateKeywordSetRequest {
    /// Its name, 1 to 255 characters.
    name: String,
    description: Option<String>,
    /// Whether phases may use it; they may where this is not said.
    is_enabled: Option<bool>,
    /// Its rules, at most 5000.
    rules: Option<Vec<KeywordRuleRequest>>,
}

/// What is to be changed; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdateKeywordSetRequest {
    /// The new name, 1 to 255 characters.
    name: Option<String>,
    description: Option<String>,
    /// Whether phases may use it.
    is_enabled: Option<bool>,
    /// All rules that it shall have; one that stays keeps its id.
    rules: Option<Vec<KeywordRuleRequest>>,
}

/// Makes a keyword set. A regular expression that does not compile is refused by its place.
#[utoipa::path(post, path = "/keyword-sets", tag = "keyword-sets", request_body = CreateKeywordSetRequest,
    responses((status = 201, body = KeywordSetResponse), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn create(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<CreateKeywordSetRequest>,
) -> Result<Answer<KeywordSetResponse>, Error> {
    check_description(request.description.as_ref())?;
    let command = Command::Create(Create {
        owner: caller.user_id,
        name: request.name,
        description: request.description,
        rules: request
            .rules
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        enabled: request.is_enabled.unwrap_or(true),
    });
    let id = Uuid::now_v7().to_string();
    let done = state
        .app
        .execute::<KeywordSet>(&id, command, &caller.metadata, None)
        .await?;
    Ok(Answer::created(shown(&state.app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Changes a keyword set. Runs under way keep the rules that they started with.
#[utoipa::path(put, path = "/keyword-sets/{setId}", tag = "keyword-sets", request_body = UpdateKeywordSetRequest,
    params(("setId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = KeywordSetResponse), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn update(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<KeywordSetId>,
    Json(request): Json<UpdateKeywordSetRequest>,
) -> Result<Answer<KeywordSetResponse>, Error> {
    must_own::<KeywordSet>(&state.app, &caller, id).await?;
    check_description(request.description.as_ref())?;
    let command = Command::Change(Change {
        expected_version: None,
        name: request.name,
        description: request.description,
        rules: request
            .rules
            .map(|rules| rules.into_iter().map(Into::into).collect()),
        enabled: request.is_enabled,
    });
    let done = state
        .app
        .execute::<KeywordSet>(&id.to_string(), command, &caller.metadata, version)
        .await?;
    Ok(Answer::ok(shown(&state.app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Deletes a keyword set. Runs that started with it go on.
#[utoipa::path(delete, path = "/keyword-sets/{setId}", tag = "keyword-sets",
    params(("setId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<KeywordSetId>,
) -> Result<Answer<()>, Error> {
    must_own::<KeywordSet>(&state.app, &caller, id).await?;
    let command = Command::Delete(keyword_set::Delete::default());
    let done = state
        .app
        .execute::<KeywordSet>(&id.to_string(), command, &caller.metadata, version)
        .await?;
    Ok(Answer::no_content().after(&done))
}

async fn shown(app: &App, done: &Done<keyword_set::Event>) -> Result<KeywordSetResponse, Error> {
    KeywordSetResponse::of(&done.aggregate_id, &app.after(done).await?)
}
