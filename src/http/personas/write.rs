//! Making, changing and deleting personas.

use aggregates::{
    ids::PersonaId,
    persona::{self, Change, Command, Create, Kind, Persona},
};
use axum::extract;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{PersonaResponse, PersonaType, config};
use crate::{
    app::App,
    commands::Done,
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{check_description, must_own},
    },
};

/// A persona to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CreatePersonaRequest {
    /// Its name, 1 to 255 characters.
    name: String,
    /// What it is for.
    persona_type: PersonaType,
    description: Option<String>,
    /// Its configuration.
    config_details: Map<String, Value>,
    /// Whether phases may use it; they may where this is not said.
    is_enabled: Option<bool>,
}

/// What is to be changed; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct UpdatePersonaRequest {
    /// The new name, 1 to 255 characters.
    name: Option<String>,
    description: Option<String>,
    /// The new configuration, as a whole.
    config_details: Option<Map<String, Value>>,
    /// Whether phases may use it.
    is_enabled: Option<bool>,
}

/// Makes a persona. A setting that the engines cannot honour is refused by its name.
#[utoipa::path(post, path = "/personas", tag = "personas", request_body = CreatePersonaRequest,
    responses((status = 201, body = PersonaResponse), (status = 400, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn create(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Json(request): Json<CreatePersonaRequest>,
) -> Result<Answer<PersonaResponse>, Error> {
    check_description(request.description.as_ref())?;
    let command = Command::Create(Create {
        owner: caller.user_id,
        name: request.name,
        description: request.description,
        config: config::read(
            request.persona_type.into(),
            request.config_details,
            &state.app.network,
        )?,
        enabled: request.is_enabled.unwrap_or(true),
    });
    let id = Uuid::now_v7().to_string();
    let done = state
        .app
        .execute::<Persona>(&id, command, &caller.metadata, None)
        .await?;
    Ok(Answer::created(shown(&state.app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Changes a persona. Runs under way keep the configuration that they started with.
#[utoipa::path(put, path = "/personas/{id}", tag = "personas", request_body = UpdatePersonaRequest,
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = PersonaResponse), (status = 400, body = ErrorEnvelope),
        (status = 404, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope),
        (status = 412, body = ErrorEnvelope), (status = 422, body = ErrorEnvelope)))]
pub(super) async fn update(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<PersonaId>,
    Json(request): Json<UpdatePersonaRequest>,
) -> Result<Answer<PersonaResponse>, Error> {
    must_own::<Persona>(&state.app, &caller, id).await?;
    check_description(request.description.as_ref())?;
    let command = Command::Change(Change {
        expected_version: None,
        name: request.name,
        description: request.description,
        config: match request.config_details {
            Some(details) => {
                let kind = kind(&state.app, id).await?;
                Some(config::read(kind, details, &state.app.network)?)
            }
            None => None,
        },
        enabled: request.is_enabled,
    });
    let done = state
        .app
        .execute::<Persona>(&id.to_string(), command, &caller.metadata, version)
        .await?;
    Ok(Answer::ok(shown(&state.app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Deletes a persona. Runs that started with it go on.
#[utoipa::path(delete, path = "/personas/{id}", tag = "personas",
    params(("id" = Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<PersonaId>,
) -> Result<Answer<()>, Error> {
    must_own::<Persona>(&state.app, &caller, id).await?;
    let command = Command::Delete(persona::Delete::default());
    let done = state
        .app
        .execute::<Persona>(&id.to_string(), command, &caller.metadata, version)
        .await?;
    Ok(Answer::no_content().after(&done))
}

/// Reads the kind of a persona, which it keeps for life.
async fn kind(app: &App, id: PersonaId) -> Result<Kind, Error> {
    let (persona, _) = app.database.log().load::<Persona>(&id.to_string()).await?;
    Ok(persona.config().ok_or(Error::NotFound("persona"))?.kind())
}

async fn shown(app: &App, done: &Done<persona::Event>) -> Result<PersonaResponse, Error> {
    PersonaResponse::of(&done.aggregate_id, &app.after(done).await?)
}
