//! How often sites are asked.

use aggregates::settings::{ChangePoliteness, Command, Politeness, Settings};
use axum::extract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validation::http::politeness::Rates;

use super::{Changed, change as give, settings};
use crate::http::{Answer, Caller, Error, ErrorEnvelope, IfMatch, Json, State};

/// How often a node asks sites over HTTP, in requests a second, evenly spaced.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolitenessSettings {
    /// Of a registrable domain, all of its names together.
    domain_requests_per_second: f64,
    /// Of an address, all sites there together.
    address_requests_per_second: f64,
    /// Of all sites together.
    requests_per_second: f64,
}

impl PolitenessSettings {
    /// Shows what is in force on this node where these are the settings.
    fn of(state: &State, settings: &Settings) -> Self {
        let Rates {
            domain,
            address,
            all,
        } = state.app.installation.rates_by(settings);
        Self {
            domain_requests_per_second: domain,
            address_requests_per_second: address,
            requests_per_second: all,
        }
    }
}

/// How often each node is to ask sites over HTTP, in requests a second; what is left out is as the node was started with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct PolitenessRequest {
    /// Of a registrable domain, all of its names together.
    #[schema(minimum = 0.001, maximum = 1000)]
    domain_requests_per_second: Option<f64>,
    /// Of an address, all sites there together.
    #[schema(minimum = 0.001, maximum = 1000)]
    address_requests_per_second: Option<f64>,
    /// Of all sites together.
    #[schema(minimum = 0.1, maximum = 100_000)]
    requests_per_second: Option<f64>,
}

/// Shows how often a node asks sites over HTTP; what that has come to is told by `GET /politeness`.
#[utoipa::path(get, path = "/config/politeness", tag = "config", responses((status = 200, body = PolitenessSettings)))]
pub(super) async fn show(
    extract::State(state): extract::State<State>,
) -> Result<Answer<PolitenessSettings>, Error> {
    let settings = settings(&state).await?;
    let shown = PolitenessSettings::of(&state, &settings);
    Ok(Answer::ok(shown).version(settings.version()))
}

/// Sets how often each node asks sites over HTTP, those of runs under way among them; for administrators. All of it is set at
/// once: what is left out is as each node was started with. Connections at once, and who is asked without limits, are options
/// of the start.
#[utoipa::path(put, path = "/config/politeness", tag = "config", request_body = PolitenessRequest,
    params(("If-Match" = Option<String>, Header)),
    responses((status = 200, body = PolitenessSettings), (status = 400, body = ErrorEnvelope),
        (status = 403, body = ErrorEnvelope), (status = 409, body = ErrorEnvelope), (status = 412, body = ErrorEnvelope),
        (status = 422, body = ErrorEnvelope)))]
pub(super) async fn change(
    extract::State(state): extract::State<State>,
    caller: Caller,
    IfMatch(version): IfMatch,
    Json(request): Json<PolitenessRequest>,
) -> Result<Answer<PolitenessSettings>, Error> {
    let politeness = Politeness {
        domain_rate: request.domain_requests_per_second,
        address_rate: request.address_requests_per_second,
        rate: request.requests_per_second,
    };
    let command = Command::ChangePoliteness(ChangePoliteness { politeness });
    let Changed { settings, done } = give(&state, &caller, command, version).await?;
    let shown = PolitenessSettings::of(&state, &settings);
    Ok(Answer::ok(shown).version(done.version).after(&done))
}
