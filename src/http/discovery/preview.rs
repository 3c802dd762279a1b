//! What a pattern would give.

use aggregates::names::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    length,
    lineage::{DiscoveryLineageCampaign, prior_campaigns},
    pattern,
};
use crate::http::{Answer, Caller, Error, Json, State, campaigns::settings::Fields, vocabulary};

/// The longest variable part of a preview.
const MOST: u32 = 10;
/// Names that a preview shows.
const SHOWN: usize = 10;

/// A pattern.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DiscoveryPreviewRequest {
    /// `prefix_variable`, `suffix_variable` or `both_variable`.
    #[schema(value_type = vocabulary::VariablePart)]
    pattern_type: Kind,
    /// The part that every name shares.
    constant_string: Option<String>,
    /// Variable characters before it, 0 to 10.
    #[schema(minimum = 0, maximum = 10, default = 0)]
    prefix_variable_length: Option<u32>,
    /// Variable characters after it, 0 to 10.
    #[schema(minimum = 0, maximum = 10, default = 0)]
    suffix_variable_length: Option<u32>,
    /// The digits of the numeral, in their order.
    character_set: String,
    /// The top-level domain.
    tld: String,
}

/// What a pattern would give.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryPreviewResponse {
    /// Always true.
    #[schema(default = true)]
    success: bool,
    /// The request's id.
    request_id: String,
    /// The preview.
    data: DiscoveryPreview,
}

/// A look at a pattern.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiscoveryPreview {
    /// The pattern's hash; campaigns with the same one share its names.
    config_hash: String,
    /// All offsets, the illegal names among them included; the largest number that fits where there are more.
    total_combinations: i64,
    /// The first offset that no campaign has.
    next_offset: u64,
    /// Nothing is left, or at most a tenth.
    exhaustion_warning: bool,
    /// The caller's campaigns that have names of the pattern, the newest first, ten at most.
    prior_campaigns: Vec<DiscoveryLineageCampaign>,
    /// The next names.
    sample_domains: Vec<String>,
}

/// Shows what a pattern would give, without taking anything of it.
#[utoipa::path(
    post, path = "/discovery/preview", tag = "discovery", request_body = DiscoveryPreviewRequest,
    responses((status = 200, body = DiscoveryPreviewResponse), (status = 400))
)]
pub(super) async fn preview(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Json(request): Json<DiscoveryPreviewRequest>,
) -> Result<Answer<DiscoveryPreviewResponse>, Error> {
    let (pattern, used) = pattern(
        &state,
        Fields {
            kind: Some(request.pattern_type),
            constant: request.constant_string,
            prefix_length: length("prefixVariableLength", request.prefix_variable_length, MOST)?,
            suffix_length: length("suffixVariableLength", request.suffix_variable_length, MOST)?,
            charset: Some(request.character_set),
            tlds: Some(vec![request.tld]),
            ..Fields::default()
        },
    )
    .await?;
    let preview = pattern.preview(used.next_offset(), SHOWN, None);
    let data = DiscoveryPreview {
        config_hash: preview.hash,
        total_combinations: i64::try_from(preview.total).unwrap_or(i64::MAX),
        next_offset: preview.next_offset,
        exhaustion_warning: preview.exhaustion_warning,
        prior_campaigns: prior_campaigns(&state, &caller, &used, None).await?,
        sample_domains: preview.sample.iter().map(ToString::to_string).collect(),
    };
    Ok(Answer::ok(DiscoveryPreviewResponse {
        success: true,
        request_id: caller.request_id.to_string(),
        data,
    }))
}
