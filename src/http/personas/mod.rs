//! Personas: how the engines ask over DNS and fetch over HTTP.

mod config;
mod details;
mod queries;
mod test;
mod test_view;
mod write;

use aggregates::persona::{Config, Kind, Persona};
use chrono::{DateTime, Utc};
use projections::personas::Row;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    error::Error,
    owned::{Owned as _, View},
    router::State,
};
use crate::commands::Snapshot;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(queries::list, write::create))
        .routes(routes!(queries::show, write::update, write::delete))
        .routes(routes!(queries::show_http))
        .routes(routes!(queries::show_dns))
        .routes(routes!(test::test))
}

/// What a persona is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum PersonaType {
    /// Asking over DNS.
    Dns,
    /// Fetching over HTTP.
    Http,
}

impl From<PersonaType> for Kind {
    fn from(persona_type: PersonaType) -> Self {
        match persona_type {
            PersonaType::Dns => Self::Dns,
            PersonaType::Http => Self::Http,
        }
    }
}

/// A persona.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonaResponse {
    id: Uuid,
    name: String,
    #[schema(value_type = PersonaType)]
    persona_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The configuration, with its `personaType`.
    #[schema(value_type = details::PersonaConfigDetails)]
    config_details: Box<RawValue>,
    is_enabled: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<Row> for PersonaResponse {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.persona_id,
            name: row.name,
            persona_type: row.persona_type,
            description: row.description,
            config_details: raw(&row.config)?,
            is_enabled: row.enabled,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl View<Persona> for PersonaResponse {
    fn of(id: Uuid, snapshot: &Snapshot<Persona>) -> Result<Self, Error> {
        let persona = &snapshot.aggregate;
        let config = persona.config().ok_or(Persona::MISSING)?;
        Ok(Self {
            id,
            name: persona.name().to_owned(),
            persona_type: config.kind().name().to_owned(),
            description: persona.description().map(str::to_owned),
            config_details: raw::<Config>(config)?,
            is_enabled: persona.is_enabled(),
            created_at: snapshot.created_at,
            updated_at: snapshot.updated_at,
        })
    }
}

fn raw<T: Serialize>(value: &T) -> Result<Box<RawValue>, Error> {
    serde_json::value::to_raw_value(value).map_err(Error::internal)
}
