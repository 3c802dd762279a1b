//! Whether the server lives and can serve.

use std::time::Instant;

use chrono::{DateTime, Utc};
use projections::runtime::checkpoints;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Json,
    error::{Error, ErrorEnvelope},
    router::State,
    vocabulary,
};
use crate::suppression::Standing;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What a suppression list that is not level with the log is called among projections that stand still.
pub(super) const SUPPRESSION_LIST: &str = "suppression_list";
const PROBE: &str = "SELECT 1";

/// The state of the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthResponse {
    /// `ok`; a server that is not answers with an error.
    #[schema(value_type = vocabulary::HealthStatus)]
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// How long the server runs, such as `1h2m3s`.
    pub uptime: String,
    /// The server's clock.
    pub timestamp: DateTime<Utc>,
}

/// The answer to a ping.
#[derive(Debug, Serialize, ToSchema)]
pub struct PingResponse {
    /// `pong`.
    #[schema(value_type = vocabulary::Pong)]
    pub message: &'static str,
    /// The server's clock.
    pub timestamp: DateTime<Utc>,
    /// The program's version.
    pub version: &'static str,
}

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(health))
        .routes(routes!(ready))
        .routes(routes!(live))
        .routes(routes!(ping))
}

/// Says that the server can serve: the database answers.
#[utoipa::path(get, path = "/health", tag = "health", responses((status = 200, body = HealthResponse)))]
async fn health(
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<Json<HealthResponse>, Error> {
    sqlx::query(PROBE)
        .execute(state.app.database.pool())
        .await?;
    Ok(Json(of(state.started)))
}

/// Says that the server can serve, its read models move and it knows whom to leave alone: the database answers, no
/// projection stands still, and this node's suppression list is level with the log.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, body = HealthResponse),
    (status = 503, body = ErrorEnvelope, description = "a projection stands still, or `suppression_list` does")
))]
async fn ready(
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<Json<HealthResponse>, Error> {
    // The reasons name events, which is for the log and the operator's command line and not for whoever asks.
    let mut halted: Vec<String> = checkpoints(state.app.database.pool())
        .await?
        .into_iter()
        .filter(|checkpoint| checkpoint.halted.is_some())
        .map(|checkpoint| checkpoint.name)
        .collect();
    if state.app.suppression.standing() != Standing::Level {
        halted.push(SUPPRESSION_LIST.to_owned());
    }
    if halted.is_empty() {
        Ok(Json(of(state.started)))
    } else {
        Err(Error::NotReady(halted))
    }
}

/// Says that the process lives, whatever becomes of its database.
#[utoipa::path(get, path = "/health/live", tag = "health", responses((status = 200, body = HealthResponse)))]
async fn live(axum::extract::State(state): axum::extract::State<State>) -> Json<HealthResponse> {
    Json(of(state.started))
}

/// Answers.
#[utoipa::path(get, path = "/ping", tag = "ping", responses((status = 200, body = PingResponse)))]
async fn ping() -> Json<PingResponse> {
    Json(PingResponse {
        message: "pong",
        timestamp: Utc::now(),
        version: VERSION,
    })
}

fn of(started: Instant) -> HealthResponse {
    HealthResponse {
        status: "ok",
        version: VERSION,
        uptime: uptime(started),
        timestamp: Utc::now(),
    }
}

/// Writes how long the server runs.
pub(crate) fn uptime(started: Instant) -> String {
    let seconds = started.elapsed().as_secs();
    format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
