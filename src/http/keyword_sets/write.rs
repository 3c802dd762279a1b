//! Making, changing and deleting keyword sets.

use aggregates::{
    ids::{KeywordSetId, RuleId, UserId},
    keyword_set::{Change, Command, Create, Delete, KeywordSet, MAX_RULES, Rule},
};
use axum::extract;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{KeywordRuleType, KeywordSetResponse};
use crate::{
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{self, Mine, check_description},
    },
    work::{compilers, usable},
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

impl CreateKeywordSetRequest {
    async fn command(self, owner: UserId) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        Ok(Command::Create(Create {
            owner,
            name: self.name,
            description: self.description,
            rules: rules(owner, self.rules.unwrap_or_default()).await?,
            enabled: self.is_enabled.unwrap_or(true),
        }))
    }
}

impl UpdateKeywordSetRequest {
    async fn command(self, user: UserId) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        let rules = match self.rules {
            Some(given) => Some(rules(user, given).await?),
            None => None,
        };
        Ok(Command::Change(Change {
            name: self.name,
            description: self.description,
            rules,
            enabled: self.is_enabled,
        }))
    }
}

/// Makes the rules, which a run must be able to search with: they are compiled here, in a turn of the user's, and not where
/// the command is decided.
async fn rules(user: UserId, requests: Vec<KeywordRuleRequest>) -> Result<Vec<Rule>, Error> {
    let rules: Vec<Rule> = requests.into_iter().map(Into::into).collect();
    if rules.is_empty() || rules.len() > MAX_RULES {
        // The aggregate says of so many that they are too many; nothing is compiled for it.
        return Ok(rules);
    }
    let turn = compilers::turn(Some(user)).await?;
    usable::checked(turn, rules).await.map_err(|unusable| {
        let field = match unusable.at {
            Some(at) => format!("rules[{at}].{}", unusable.field),
            None => unusable.field.to_owned(),
        };
        Error::unprocessable(field, unusable.message)
    })
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
    let command = request.command(caller.user_id).await?;
    owned::create(&state.app, &caller, command).await
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
    let set = Mine::<KeywordSet>::find(&state.app, &caller, id).await?;
    let command = request.command(caller.user_id).await?;
    owned::change(&state.app, &caller, &set, command, version).await
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
    let set = Mine::<KeywordSet>::find(&state.app, &caller, id).await?;
    let command = Command::Delete(Delete);
    owned::delete(&state.app, &caller, &set, command, version).await
}
