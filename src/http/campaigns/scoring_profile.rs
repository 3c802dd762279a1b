//! Naming the scoring profile of a campaign's analysis.

use aggregates::{
    campaign::{AssignScoringProfile, Campaign, Command},
    ids::ScoringProfileId,
    scoring_profile::ScoringProfile,
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::access;
use crate::http::{
    Answer, Caller, Error, IfMatch, Json, Path, State,
    owned::{Mine, Owned as _},
};

/// The profile that the analysis shall work with.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AssociateScoringProfileRequest {
    /// One of the profiles of the campaign's owner.
    profile_id: Uuid,
}

/// Names the scoring profile that the analysis works with from its next run on. Scores stay as they are until the
/// campaign is rescored.
#[utoipa::path(
    post, path = "/campaigns/{campaignId}/scoring-profile", tag = "campaigns",
    request_body = AssociateScoringProfileRequest,
    params(("campaignId" = Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "the ETag that was seen")),
    responses((status = 204), (status = 404), (status = 409))
)]
pub(super) async fn assign(
    axum::extract::State(state): axum::extract::State<State>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    Json(AssociateScoringProfileRequest { profile_id }): Json<AssociateScoringProfileRequest>,
) -> Result<Answer<()>, Error> {
    let id = access::owned(&state, &caller, id).await?;
    let profile = Mine::<ScoringProfile>::find(&state.app, &caller, profile_id).await?;
    let log = state.app.database.log();
    let (campaign, _) = log.load::<Campaign>(&id.to_string()).await?;
    // Whoever reaches everybody's still cannot give one user's to another.
    if campaign.owner().is_some() && campaign.owner() != profile.get().owner() {
        return Err(ScoringProfile::MISSING);
    }
    let scoring_profile = ScoringProfileId(profile_id);
    let command = Command::AssignScoringProfile(AssignScoringProfile { scoring_profile });
    let done = access::execute(&state, &caller, id, command, expected).await?;
    Ok(Answer::no_content().version(done.version).after(&done))
}
