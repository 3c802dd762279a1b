//! Making, changing and deleting scoring profiles.

use std::collections::BTreeMap;

use aggregates::{
    ids::{ScoringProfileId, UserId},
    scoring_profile::{self, Change, Command, Create, Delete},
};
use axum::extract;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ScoringProfile;
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
    owned::{self, Mine, check_description},
};

/// A scoring profile to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateScoringProfileRequest {
    /// Its name, 1 to 255 characters.
    name: String,
    description: Option<String>,
    /// The weights by component, each a number of at least 0, at least one above 0; a score normalises them to sum 1,
    /// and a component that is not named counts nothing. The components, with their weights where a campaign has no
    /// profile: `keyword_density` (0.35), `unique_keyword_coverage` (0.25), `non_parked` (0.10),
    /// `content_length_quality` (0.10), `title_keyword` (0.10), `freshness` (0.10), `tf_lite` (0).
    weights: BTreeMap<String, f64>,
    /// 1 where it is given: a profile begins there.
    version: Option<u64>,
}

/// What is to be changed; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateScoringProfileRequest {
    /// The new name, 1 to 255 characters.
    name: Option<String>,
    description: Option<String>,
    /// All weights that it shall have, by component as when it was made.
    weights: Option<BTreeMap<String, f64>>,
    /// The version that the caller saw; another is 409.
    version: Option<u64>,
}

impl CreateScoringProfileRequest {
    fn command(self, owner: UserId) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        if self.version.is_some_and(|version| version != 1) {
            return Err(Error::unprocessable(
                "version",
                "a profile begins at version 1",
            ));
        }
        Ok(Command::Create(Create {
            owner,
            name: self.name,
            description: self.description,
            weights: self.weights,
        }))
    }
}

impl UpdateScoringProfileRequest {
    fn command(self) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        Ok(Command::Change(Change {
            expected_version: self.version,
            name: self.name,
            description: self.description,
            weights: self.weights,
        }))
    }
}

/// Makes a scoring profile. A weight that belongs to no component is refused by its name.
#[utoipa::path(post, path = "/scoring-profiles", tag = "scoring-profiles", request_body = CreateScoringProfileRequest,
    responses((status = 201, body = ScoringProfile), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn create(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<CreateScoringProfileRequest>,
) -> Result<Answer<ScoringProfile>, Error> {
    let command = request.command(caller.user_id)?;
    owned::create(&state.app, &caller, command).await
}

/// Changes a scoring profile. Scores of earlier runs stay as they are.
#[utoipa::path(put, path = "/scoring-profiles/{profileId}", tag = "scoring-profiles",
    request_body = UpdateScoringProfileRequest,
    params(("profileId" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = ScoringProfile), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn update(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ScoringProfileId>,
    Json(request): Json<UpdateScoringProfileRequest>,
) -> Result<Answer<ScoringProfile>, Error> {
    let profile = Mine::<scoring_profile::ScoringProfile>::find(&state.app, &caller, id).await?;
    let command = request.command()?;
    owned::change(&state.app, &caller, &profile, command, version).await
}

/// Deletes a scoring profile. Scores of earlier runs stay as they are.
#[utoipa::path(delete, path = "/scoring-profiles/{profileId}", tag = "scoring-profiles",
    params(("profileId" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ScoringProfileId>,
) -> Result<Answer<()>, Error> {
    let profile = Mine::<scoring_profile::ScoringProfile>::find(&state.app, &caller, id).await?;
    let command = Command::Delete(Delete::default());
    owned::delete(&state.app, &caller, &profile, command, version).await
}
