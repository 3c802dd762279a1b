//! Whether the server lives and can serve.
//!
//! Anybody may ask, so that an answer costs the database nothing for a second after the last one
//! ([`Monitor`](crate::monitoring::Monitor)), and names neither events nor why something stands still: that is for
//! the log, the operator's command line, and `GET /monitoring/performance/metrics`.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    Json,
    error::{Error, ErrorEnvelope},
    router::State,
    vocabulary,
};
use crate::{monitoring::Status, suppression::Standing};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// What a suppression list that is not level with the log is called among projections that stand still.
pub(super) const SUPPRESSION_LIST: &str = "suppression_list";
/// The database, among what the server cannot do without.
const DATABASE: &str = "database";
/// Its schema.
const MIGRATIONS: &str = "migrations";
/// What the database has to say of everything else.
const STATUS: &str = "status";
/// Runs and phases, all together.
const WORK: &str = "work";

/// How long an event may wait for its position.
const MOST_UNSEQUENCED: Duration = Duration::from_secs(10);
/// How long an event may wait for a projection.
const MOST_BEHIND: Duration = Duration::from_secs(30);

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Condition {
    /// As it should.
    Ok,
    /// It works, later than it should.
    Degraded,
    /// It does not work.
    Failed,
}

/// How one thing stands that the server rests on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HealthCheck {
    /// `database`, `migrations`, `suppression_list`, `work`, `sequencer`, `tree`, or a projection; `status` where the database
    /// answers and is late to tell of the last four, of which some are absent then.
    name: &'static str,
    condition: Condition,
    /// Events that wait for it, or runs and phases that should be moving and are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<u64>,
    /// How long the first of them waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_seconds: Option<f64>,
}

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
    /// How everything stands that the server rests on: as the worst of it; absent where the answer is of the process alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
    /// The same one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<HealthCheck>>,
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

/// Tells how everything stands that the server rests on, as of a second ago at most. The answer is 200 as long as the
/// database answers and has the schema of this program: what is late or stands still is in `checks`.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, body = HealthResponse),
    (status = 503, body = ErrorEnvelope, description = "the database does not answer, or has another schema")
))]
async fn health(
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<Json<HealthResponse>, Error> {
    let checks = checks(&state).await;
    can_serve(&checks)?;
    Ok(Json(told(&state, checks)))
}

/// Says that the server can serve, its read models move and it knows whom to leave alone: the database answers and has
/// the schema of this program, no projection stands still as far as the database tells in time, and this node's suppression
/// list is level with the log.
#[utoipa::path(get, path = "/health/ready", tag = "health", responses(
    (status = 200, body = HealthResponse),
    (status = 503, body = ErrorEnvelope, description = "the database does not answer, or has another schema; a projection \
        stands still, or `suppression_list` does")
))]
async fn ready(
    axum::extract::State(state): axum::extract::State<State>,
) -> Result<Json<HealthResponse>, Error> {
    let checks = checks(&state).await;
    can_serve(&checks)?;
    let halted: Vec<String> = checks
        .iter()
        .filter(|check| check.condition == Condition::Failed)
        .map(|check| check.name.to_owned())
        .collect();
    if !halted.is_empty() {
        return Err(Error::NotReady(halted));
    }
    Ok(Json(told(&state, checks)))
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

/// Looks at everything that the server rests on.
async fn checks(state: &State) -> Vec<HealthCheck> {
    let status = state.monitor.status().await;
    let mut checks = of_status(&status);
    let list = match state.app.suppression.standing() {
        Standing::Level => Condition::Ok,
        Standing::Unread | Standing::Behind | Standing::Halted => Condition::Failed,
    };
    checks.push(check(SUPPRESSION_LIST, list));
    checks
}

fn of_status(status: &Status) -> Vec<HealthCheck> {
    let answers = status.unreachable.is_none();
    let mut checks = vec![check(DATABASE, works(answers))];
    if !answers {
        return checks;
    }
    checks.push(check(MIGRATIONS, works(status.migrated)));
    for follower in status.lag.iter().flat_map(|lag| &lag.followers) {
        let most = match follower.name {
            replay::SEQUENCER => MOST_UNSEQUENCED,
            _ => MOST_BEHIND,
        };
        let condition = match () {
            () if follower.halted.is_some() => Condition::Failed,
            () if follower.behind > 0 && follower.age > most => Condition::Degraded,
            () => Condition::Ok,
        };
        checks.push(HealthCheck {
            waiting: Some(follower.behind),
            waiting_seconds: Some(follower.age.as_secs_f64()),
            ..check(follower.name, condition)
        });
    }
    if status.unknown.is_some() {
        // What stands still is asked last.
        checks.push(check(STATUS, Condition::Degraded));
        return checks;
    }
    let still = status.standstills.len();
    let condition = match still {
        0 => Condition::Ok,
        _ => Condition::Degraded,
    };
    checks.push(HealthCheck {
        waiting: u64::try_from(still).ok(),
        ..check(WORK, condition)
    });
    checks
}

const fn works(works: bool) -> Condition {
    match works {
        true => Condition::Ok,
        false => Condition::Failed,
    }
}

const fn check(name: &'static str, condition: Condition) -> HealthCheck {
    HealthCheck {
        name,
        condition,
        waiting: None,
        waiting_seconds: None,
    }
}

/// Refuses where something failed that no request can be answered without.
fn can_serve(checks: &[HealthCheck]) -> Result<(), Error> {
    let failed: Vec<&'static str> = checks
        .iter()
        .filter(|check| check.condition == Condition::Failed)
        .map(|check| check.name)
        .filter(|name| [DATABASE, MIGRATIONS].contains(name))
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Error::Unhealthy(failed)),
    }
}

fn told(state: &State, checks: Vec<HealthCheck>) -> HealthResponse {
    HealthResponse {
        condition: checks.iter().map(|check| check.condition).max(),
        checks: Some(checks),
        ..of(state.started)
    }
}

fn of(started: Instant) -> HealthResponse {
    HealthResponse {
        status: "ok",
        version: VERSION,
        uptime: uptime(started),
        timestamp: Utc::now(),
        condition: None,
        checks: None,
    }
}

/// Writes how long the server runs.
pub(crate) fn uptime(started: Instant) -> String {
    let seconds = started.elapsed().as_secs();
    format!("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
