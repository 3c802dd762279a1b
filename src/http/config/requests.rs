//! How much one may ask for.

use std::time::Duration;

use aggregates::settings::{ChangeRequestLimits, Command, RequestLimits, Settings};
use axum::extract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Changed, change as give, settings};
use crate::http::{Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, Rate, State};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// How much one may ask of a node; 0 is no limit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestLimitSettings {
    /// Requests a second of a user, of an API key, and of an address without either; twice as many at once.
    requests_per_second: u32,
    /// Log-ins a minute from an address.
    log_ins_per_minute: u32,
    /// Log-ins a minute to an account.
    account_log_ins_per_minute: u32,
}

impl RequestLimitSettings {
    /// Shows what is in force on this node where these are the settings.
    fn of(state: &State, settings: &Settings) -> Self {
        let limits = state.settings.limits.with(settings.request_limits());
        Self {
            requests_per_second: Rate::number_in(limits.requests, SECOND),
            log_ins_per_minute: Rate::number_in(limits.log_ins, MINUTE),
            account_log_ins_per_minute: Rate::number_in(limits.log_ins_of_account, MINUTE),
        }
    }
}

/// How much one may ask of a node, to be set; what is left out is as each node was started with, and 0 is no limit.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct RequestLimitRequest {
    /// Requests a second of a user, of an API key, and of an address without either; twice as many at once.
    #[schema(maximum = 1_000_000)]
    requests_per_second: Option<u32>,
    /// Log-ins a minute from an address.
    #[schema(maximum = 1_000_000)]
    log_ins_per_minute: Option<u32>,
    /// Log-ins a minute to an account.
    #[schema(maximum = 1_000_000)]
    account_log_ins_per_minute: Option<u32>,
}

/// Shows how much one may ask of a node.
#[utoipa::path(get, path = "/config/requests", tag = "config", responses((status = 200, body = RequestLimitSettings)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
) -> Result<Answer<RequestLimitSettings>, Error> {
    let settings = settings(&state).await?;
    let shown = RequestLimitSettings::of(&state, &settings);
    Ok(Answer::ok(shown).version(settings.version()))
}

/// Sets how much one may ask of each node; for administrators. All of it is set at once: what is left out is as each node was
/// started with.
#[utoipa::path(put, path = "/config/requests", tag = "config", request_body = RequestLimitRequest,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = RequestLimitSettings), (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn change(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Json(request): Json<RequestLimitRequest>,
) -> Result<Answer<RequestLimitSettings>, Error> {
    let limits = RequestLimits {
        requests_per_second: request.requests_per_second,
        log_ins_per_minute: request.log_ins_per_minute,
        account_log_ins_per_minute: request.account_log_ins_per_minute,
    };
    let command = Command::ChangeRequestLimits(ChangeRequestLimits { limits });
    let Changed { settings, done } = give(&state, &caller, command, version).await?;
    let shown = RequestLimitSettings::of(&state, &settings);
    Ok(Answer::ok(shown).version(done.version).after(&done))
}
