//! Changing the way from phase to phase.

use aggregates::campaign::{ChangeMode, Command, Mode};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{access, after::after};
use crate::http::{Answer, Caller, Error, IfMatch, Json, Path, State, vocabulary};

/// The new mode.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignModeUpdateRequest {
    /// `full_sequence` or `step_by_step`.
    #[schema(value_type = vocabulary::CampaignModeEnum)]
    mode: Mode,
}

/// The mode of a campaign.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CampaignModeUpdateResponse {
    /// `full_sequence` or `step_by_step`.
    #[schema(value_type = vocabulary::CampaignModeEnum)]
    mode: &'static str,
    /// The campaign.
    campaign_id: Uuid,
    /// When the campaign last changed.
    updated_at: DateTime<Utc>,
}

/// Changes whether the next phase starts by itself, also while a phase runs.
#[utoipa::path(
    put, path = "/campaigns/{campaignId}/mode", tag = "campaigns", request_body = CampaignModeUpdateRequest,
    params(("campaignId" = Uuid, Path), ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 200, body = CampaignModeUpdateResponse), (status = 404))
)]
pub(super) async fn change_mode(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    Json(CampaignModeUpdateRequest { mode }): Json<CampaignModeUpdateRequest>,
) -> Result<Answer<CampaignModeUpdateResponse>, Error> {
    let campaign_id = access::owned(&state, &caller, id).await?;
    let command = Command::ChangeMode(ChangeMode { mode });
    let done = access::execute(&state, &caller, campaign_id, command, expected).await?;
    let campaign = after(&state, &done).await?.campaign;
    let body = CampaignModeUpdateResponse {
        mode: mode.name(),
        campaign_id: id,
        updated_at: campaign.updated_at,
    };
    Ok(Answer::ok(body).version(done.version).after(&done))
}
