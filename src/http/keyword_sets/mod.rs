//! Keyword sets and their rules: what pages are searched for.

mod queries;
mod rules;
mod write;

use aggregates::{
    ids::RuleId,
    keyword_set::{KeywordSet, Rule, RuleType},
};
use chrono::{DateTime, Utc};
use projections::keyword_sets::{ListError, Listed, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{error::Error, owned::View, router::State};
use crate::commands::Snapshot;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(queries::list, write::create))
        .routes(routes!(queries::show, write::update, write::delete))
        .routes(routes!(rules::of_set))
        .routes(routes!(rules::list))
}

/// How a pattern is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum KeywordRuleType {
    /// Text, as it is written.
    String,
    /// A regular expression without look-around and back-references.
    Regex,
}

impl From<KeywordRuleType> for RuleType {
    fn from(rule_type: KeywordRuleType) -> Self {
        match rule_type {
            KeywordRuleType::String => Self::String,
            KeywordRuleType::Regex => Self::Regex,
        }
    }
}

/// A rule of a keyword set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeywordRuleDTO)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeywordRuleDto {
    id: Uuid,
    keyword_set_id: Uuid,
    pattern: String,
    rule_type: KeywordRuleType,
    is_case_sensitive: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    context_chars: u32,
    /// How much a find counts.
    weight: f64,
    /// When the rule was made; a rule that changes is another rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<DateTime<Utc>>,
    /// The same moment, for the same reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_at: Option<DateTime<Utc>>,
}

impl KeywordRuleDto {
    pub(super) fn new(set: Uuid, rule: &Rule) -> Self {
        Self {
            id: rule.id.0,
            keyword_set_id: set,
            pattern: rule.pattern.clone(),
            rule_type: match rule.rule_type {
                RuleType::String => KeywordRuleType::String,
                RuleType::Regex => KeywordRuleType::Regex,
            },
            is_case_sensitive: rule.is_case_sensitive,
            category: rule.category.clone(),
            context_chars: rule.context_chars,
            weight: rule.weight,
            created_at: made_at(rule.id),
            updated_at: made_at(rule.id),
        }
    }
}

/// Reads the moment that the id of a rule was drawn.
fn made_at(id: RuleId) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.0.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

/// A keyword set.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeywordSetResponse {
    id: Uuid,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    is_enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Its rules, in their order; lists have them where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<KeywordRuleDto>>,
    rule_count: usize,
}

impl KeywordSetResponse {
    fn listed(set: Listed) -> Self {
        let id = set.keyword_set_id;
        let dto = |rules: Vec<Rule>| {
            rules
                .iter()
                .map(|rule| KeywordRuleDto::new(id, rule))
                .collect()
        };
        Self {
            id,
            name: set.name,
            description: set.description,
            is_enabled: set.enabled,
            created_at: set.created_at,
            updated_at: set.updated_at,
            rules: set.rules.map(dto),
            rule_count: set.rule_count,
        }
    }

    fn from_row(row: Row) -> Self {
        let id = row.keyword_set_id;
        Self {
            id,
            name: row.name,
            description: row.description,
            is_enabled: row.enabled,
            created_at: row.created_at,
            updated_at: row.updated_at,
            rule_count: row.rules.len(),
            rules: Some(
                row.rules
                    .iter()
                    .map(|rule| KeywordRuleDto::new(id, rule))
                    .collect(),
            ),
        }
    }
}

impl From<ListError> for Error {
    fn from(error: ListError) -> Self {
        match error {
            ListError::TooLarge => Self::bad("limit", error.to_string()),
            ListError::Database(error) => error.into(),
        }
    }
}

impl View<KeywordSet> for KeywordSetResponse {
    fn of(id: Uuid, snapshot: &Snapshot<KeywordSet>) -> Result<Self, Error> {
        let set = &snapshot.aggregate;
        Ok(Self {
            id,
            name: set.name().to_owned(),
            description: set.description().map(str::to_owned),
            is_enabled: set.is_enabled(),
            created_at: snapshot.created_at,
            updated_at: snapshot.updated_at,
            rule_count: set.rules().len(),
            rules: Some(
                set.rules()
                    .iter()
                    .map(|rule| KeywordRuleDto::new(id, rule))
                    .collect(),
            ),
        })
    }
}
