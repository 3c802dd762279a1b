//! Making, changing and deleting personas.

use aggregates::{
    ids::{PersonaId, UserId},
    persona::{Change, Command, Create, Delete, Kind, Persona},
};
use axum::extract;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{PersonaResponse, PersonaType, config, details::PersonaConfigDetails};
use crate::{
    http::{
        Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Path, State,
        owned::{self, Mine, Owned as _, check_description},
    },
    work::Network,
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
    #[schema(value_type = PersonaConfigDetails)]
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
    #[schema(value_type = Option<PersonaConfigDetails>)]
    config_details: Option<Map<String, Value>>,
    /// Whether phases may use it.
    is_enabled: Option<bool>,
}

impl CreatePersonaRequest {
    fn command(self, owner: UserId, network: &Network) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        let config = config::read(self.persona_type.into(), self.config_details, network)?;
        Ok(Command::Create(Create {
            owner,
            name: self.name,
            description: self.description,
            config,
            enabled: self.is_enabled.unwrap_or(true),
        }))
    }
}

impl UpdatePersonaRequest {
    /// Makes the command for a persona of a kind, which it keeps for life.
    fn command(self, kind: Kind, network: &Network) -> Result<Command, Error> {
        check_description(self.description.as_deref())?;
        let read = |details| config::read(kind, details, network);
        Ok(Command::Change(Change {
            name: self.name,
            description: self.description,
            config: self.config_details.map(read).transpose()?,
            enabled: self.is_enabled,
        }))
    }
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
    let command = request.command(caller.user_id, &state.app.defaults.network)?;
    owned::create(&state.app, &caller, command).await
}

/// Changes a persona. Runs under way keep the configuration that they started with.
#[utoipa::path(put, path = "/personas/{id}", tag = "personas", request_body = UpdatePersonaRequest,
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
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
    let persona = Mine::<Persona>::find(&state.app, &caller, id).await?;
    let kind = persona.get().config().ok_or(Persona::MISSING)?.kind();
    let command = request.command(kind, &state.app.defaults.network)?;
    owned::change(&state.app, &caller, &persona, command, version).await
}

/// Deletes a persona. Runs that started with it go on.
#[utoipa::path(delete, path = "/personas/{id}", tag = "personas",
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 404, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope)))]
pub(super) async fn delete(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Path(id): Path<PersonaId>,
) -> Result<Answer<()>, Error> {
    let persona = Mine::<Persona>::find(&state.app, &caller, id).await?;
    let command = Command::Delete(Delete);
    owned::delete(&state.app, &caller, &persona, command, version).await
}
