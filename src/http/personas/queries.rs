//! Listing and showing personas.

use aggregates::{ids::PersonaId, persona::Persona};
use axum::extract;
use projections::personas::{self, Filter};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{PersonaResponse, PersonaType};
use crate::http::{
    Answer, Caller, Error, ErrorEnvelope, Path, Query, State, owned::Owned as _, query,
};

/// Which personas are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// The most of them, 1 to 500; 50 where this is not said.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
    /// How many are passed over.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
    /// Whether phases may use them.
    is_enabled: Option<bool>,
    /// What they are for.
    persona_type: Option<PersonaType>,
}

/// Lists the personas that the caller reaches.
#[utoipa::path(get, path = "/personas", tag = "personas", params(Wanted),
    responses((status = 200, body = [PersonaResponse]), (status = 400, body = ErrorEnvelope)))]
pub(super) async fn list(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<PersonaResponse>>, Error> {
    let page = query::page(wanted.limit, wanted.offset, 500, 50)?;
    let filter = Filter {
        persona_type: wanted
            .persona_type
            .map(|kind| aggregates::persona::Kind::from(kind).name().to_owned()),
        enabled: wanted.is_enabled,
    };
    let pool = state.app.database.pool();
    let (rows, total) =
        personas::list(pool, caller.whose(), &filter, page.limit, page.offset).await?;
    let personas = rows
        .into_iter()
        .map(TryInto::try_into)
        .collect::<Result<_, _>>()?;
    Ok(Answer::ok(personas).total(total))
}

/// Shows a persona.
#[utoipa::path(get, path = "/personas/{id}", tag = "personas", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PersonaResponse), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<PersonaId>,
) -> Result<Answer<PersonaResponse>, Error> {
    find(&state, &caller, id, None).await
}

/// Shows an HTTP persona.
#[utoipa::path(get, path = "/personas/http/{id}", tag = "personas", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PersonaResponse), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show_http(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<PersonaId>,
) -> Result<Answer<PersonaResponse>, Error> {
    find(&state, &caller, id, Some("http")).await
}

/// Shows a DNS persona.
#[utoipa::path(get, path = "/personas/dns/{id}", tag = "personas", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = PersonaResponse), (status = 404, body = ErrorEnvelope)))]
pub(super) async fn show_dns(
    extract::State(state): extract::State<State>,
    caller: Caller,
    Path(id): Path<PersonaId>,
) -> Result<Answer<PersonaResponse>, Error> {
    find(&state, &caller, id, Some("dns")).await
}

async fn find(
    state: &State,
    caller: &Caller,
    id: PersonaId,
    persona_type: Option<&str>,
) -> Result<Answer<PersonaResponse>, Error> {
    let row = personas::by_id(state.app.database.pool(), caller.whose(), id)
        .await?
        .filter(|row| persona_type.is_none_or(|wanted| row.persona_type == wanted))
        .ok_or(Persona::MISSING)?;
    let version = row.version;
    Ok(Answer::ok(row.try_into()?).row_version(version))
}
