//! How far a pattern is used up.

use aggregates::names::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{length, pattern};
use crate::http::{Answer, Caller, Error, Json, State, campaigns::settings::Fields, vocabulary};

/// The longest variable part.
const MOST: u32 = aggregates::names::MAX_VARIABLE_LENGTH;

/// A pattern.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PatternOffsetRequest {
    /// `prefix`, `suffix` or `both`.
    #[schema(value_type = vocabulary::ShortVariablePart)]
    pattern_type: Kind,
    /// Variable characters before the constant.
    prefix_variable_length: Option<u32>,
    /// Variable characters after the constant.
    suffix_variable_length: Option<u32>,
    /// The length of the only variable part.
    variable_length: Option<u32>,
    /// The digits of the numeral, in their order.
    character_set: String,
    /// The part that every name shares.
    constant_string: Option<String>,
    /// The top-level domain, `com` where absent.
    tld: Option<String>,
}

/// How far a pattern is used up.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatternOffsetResponse {
    /// The first offset that no campaign has.
    current_offset: u64,
}

/// Answers the first offset of a pattern that no campaign has, without taking it.
#[utoipa::path(
    post, path = "/campaigns/domain-generation/pattern-offset", tag = "campaigns", request_body = PatternOffsetRequest,
    responses((status = 200, body = PatternOffsetResponse), (status = 400))
)]
pub(super) async fn pattern_offset(
    axum::extract::State(state): axum::extract::State<State>,
    _: Caller,
    Json(request): Json<PatternOffsetRequest>,
) -> Result<Answer<PatternOffsetResponse>, Error> {
    let (_, used) = pattern(
        &state,
        Fields {
            kind: Some(request.pattern_type),
            constant: request.constant_string,
            prefix_length: length("prefixVariableLength", request.prefix_variable_length, MOST)?,
            suffix_length: length("suffixVariableLength", request.suffix_variable_length, MOST)?,
            variable_length: length("variableLength", request.variable_length, MOST)?,
            charset: Some(request.character_set),
            tlds: request.tld.map(|tld| vec![tld]),
            dictionary: None,
        },
    )
    .await?;
    Ok(Answer::ok(PatternOffsetResponse {
        current_offset: used.next_offset(),
    }))
}
