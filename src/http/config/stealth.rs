//! Stealth: whether names are sent for in no order and at no rhythm.

use aggregates::settings::{ChangeStealth, Command};
use axum::extract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Changed, change as give, settings};
use crate::http::{Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, State};

/// Whether names are sent for in no order and at no rhythm.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StealthSettings {
    /// Whether the names of a campaign are looked up and fetched in a random order, each after a pause of up to a second, and
    /// not one after the other. No limit is evaded by it: paces, politeness, robots.txt and the suppression list hold as they do.
    enabled: bool,
}

/// Stealth, to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StealthRequest {
    /// Whether names are to be sent for in no order and at no rhythm.
    enabled: bool,
}

/// Tells whether names are sent for in no order and at no rhythm.
#[utoipa::path(get, path = "/config/stealth", tag = "config", responses((status = 200, body = StealthSettings)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
) -> Result<Answer<StealthSettings>, Error> {
    let settings = settings(&state).await?;
    let enabled = settings.stealth();
    Ok(Answer::ok(StealthSettings { enabled }).version(settings.version()))
}

/// Sets whether names are sent for in no order and at no rhythm; for administrators. Work that is begun from then on goes by
/// it, on every node.
#[utoipa::path(put, path = "/config/stealth", tag = "config", request_body = StealthRequest,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = StealthSettings), (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn change(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Json(request): Json<StealthRequest>,
) -> Result<Answer<StealthSettings>, Error> {
    let enabled = request.enabled;
    let command = Command::ChangeStealth(ChangeStealth { enabled });
    let Changed { settings, done } = give(&state, &caller, command, version).await?;
    let enabled = settings.stealth();
    let answer = Answer::ok(StealthSettings { enabled });
    Ok(answer.version(done.version).after(&done))
}
