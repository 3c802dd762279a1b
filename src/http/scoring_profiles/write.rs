//! Making, changing and deleting scoring profiles.

use std::collections::BTreeMap;

use aggregates::{
    ids::ScoringProfileId,
    scoring_profile::{self, Change, Command, Create},
};
use axum::extract;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::ScoringProfile;
use crate::{
    app::App,
    commands::Done,
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{check_description, must_own},
    },
};

/// A scoring profile to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateScoringProfileRequest {
    /// Its name, 1 to 255 characters.
    name: String,
    description: Option<String>,
    /// The weights by component; at least one above 0, and no other names than the components'.
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
    /// All weights that it shall have.
    weights: Option<BTreeMap<String, f64>>,
    /// The version that the caller saw; another is 409.
    version: Option<u64>,
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
    check_description(request.description.as_ref())?;
    if request.version.is_some_and(|version| version != 1) {
        return Err(Error::unprocessable(
            "version",
            "a profile begins at version 1",
        ));
    }
    let command = Command::Create(Create {
        owner: caller.user_id,
        name: request.name,
        description: request.description,
        weights: request.weights,
    });
    let id = Uuid::now_v7().to_string();
    let done = execute(&state.app, &id, command, &caller, None).await?;
    Ok(Answer::created(shown(&state.app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Changes a scoring profile. Scores of earlier runs stay as they are.
#[utoipa::path(put, path = "/scoring-profiles/{profileId}", tag = "scoring-profiles",
    request_body = UpdateScoringProfileRequest,
    params(("profileId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
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
    must_own::<scoring_profile::ScoringProfile>(&state.app, &caller, id).await?;
    check_description(request.description.as_ref())?;
    let command = Command::Change(Change {
        expected_version: request.version,
        name: request.name,
        description: request.description,
        weights: request.weights,
    });
    let done = execute(&state.app, &id.to_string(), command, &caller, version).await?;
    Ok(Answer::ok(shown(&state.app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Deletes a scoring profile. Scores of earlier runs stay as they are.
#[utoipa::path(delete, path = "/scoring-profiles/{profileId}", tag = "scoring-profiles",
    params(("profileId" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<ScoringProfileId>,
) -> Result<Answer<()>, Error> {
    must_own::<scoring_profile::ScoringProfile>(&state.app, &caller, id).await?;
    let command = Command::Delete(scoring_profile::Delete::default());
    let done = execute(&state.app, &id.to_string(), command, &caller, version).await?;
    Ok(Answer::no_content().after(&done))
}

async fn execute(
    app: &App,
    id: &str,
    command: Command,
    caller: &Caller,
    version: Option<u64>,
) -> Result<Done<scoring_profile::Event>, Error> {
    Ok(app
        .execute::<scoring_profile::ScoringProfile>(id, command, &caller.metadata, version)
        .await?)
}

async fn shown(app: &App, done: &Done<scoring_profile::Event>) -> Result<ScoringProfile, Error> {
    ScoringProfile::of(&done.aggregate_id, &app.after(done).await?)
}
