//! What was found on a page, as the wire has it.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validation::keywords::RuleHits;

use crate::{
    http::steps::line,
    work::trials::{Extracted, Key, Unfinished},
};

/// A rule that matched.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = KeywordExtractionMatch)]
#[serde(rename_all = "camelCase")]
pub(super) struct Match {
    /// The rule's pattern.
    matched_pattern: String,
    /// The first match as it stands on the page.
    matched_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// The first matches with what stands around them, at most 5.
    contexts: Vec<String>,
}

impl From<RuleHits> for Match {
    fn from(hits: RuleHits) -> Self {
        Self {
            matched_pattern: hits.pattern,
            matched_text: hits.matched,
            category: hits.category,
            contexts: hits.contexts,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
const fn is_none(count: &usize) -> bool {
    *count == 0
}

/// What came of one page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeywordExtractionResult)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    /// The page that was asked for, as it was written.
    #[schema(format = "uri")]
    url: String,
    keyword_set_id_used: Uuid,
    /// Absent where the operator's defaults were worked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    http_persona_id_used: Option<Uuid>,
    /// Absent where the operator's defaults were worked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    dns_persona_id_used: Option<Uuid>,
    /// The proxy that the page came through; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_id_used: Option<Uuid>,
    /// Where the page was in the end.
    #[schema(format = "uri")]
    #[serde(rename = "finalURL", skip_serializing_if = "Option::is_none")]
    final_url: Option<String>,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<u16>,
    /// The rules that matched; absent where no page could be searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<Vec<Match>>,
    /// Rules that matched and have no room in the answer; absent where all have.
    #[serde(skip_serializing_if = "is_none")]
    matches_left_out: usize,
    /// Contexts of the rules in `matches` that have no room; absent where all have.
    #[serde(skip_serializing_if = "is_none")]
    contexts_left_out: usize,
    /// True where the search of the page was stopped at its bound of time, so that more rules may match.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<bool>,
    /// True where the page is longer than what was read of it, and searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    truncated: Option<bool>,
    /// Why no page could be searched: a code and the same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Outcome {
    /// Writes what came of a page.
    pub(super) fn of(url: String, key: Key, found: Result<Extracted, Unfinished>) -> Self {
        let new = Self {
            url,
            keyword_set_id_used: key.keyword_set.0,
            http_persona_id_used: key.http_persona.map(|id| id.0),
            dns_persona_id_used: key.dns_persona.map(|id| id.0),
            proxy_id_used: None,
            final_url: None,
            status_code: None,
            matches: None,
            matches_left_out: 0,
            contexts_left_out: 0,
            incomplete: None,
            truncated: None,
            error: None,
        };
        match found {
            Err(why) => Self {
                error: Some(why.to_string()),
                ..new
            },
            Ok(Extracted { report, findings }) => Self {
                proxy_id_used: report.proxy.map(|proxy| proxy.0),
                final_url: report.final_url.map(Into::into),
                status_code: report.status,
                error: report.fault.as_ref().map(line),
                matches: match report.fault {
                    None => Some(findings.rules.into_iter().map(Into::into).collect()),
                    Some(_) => None,
                },
                matches_left_out: findings.rules_left_out,
                contexts_left_out: findings.contexts_left_out,
                incomplete: findings.incomplete.then_some(true),
                truncated: report.truncated.then_some(true),
                ..new
            },
        }
    }

    /// Tells whether no page could be searched.
    pub(super) const fn failed(&self) -> bool {
        self.error.is_some()
    }

    /// Takes the rules that matched out.
    pub(super) fn take_matches(&mut self) -> Vec<Match> {
        self.matches.take().unwrap_or_default()
    }
}
