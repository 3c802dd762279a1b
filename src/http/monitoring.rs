//! What a node says of itself to those who watch it: administrators and auditors, and whoever reaches the address that the
//! operator set aside for it.

use axum::{
    Router, extract,
    http::header,
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Error, ErrorEnvelope, State};
use crate::{
    app::App,
    monitoring::{Monitor, OfOperation, Process},
    sse::Streams,
};

/// The text format of Prometheus, version 0.0.4.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(metrics))
        .routes(routes!(performance))
}

/// Serves the metrics of a node alone, to whoever reaches the listener, until the token is cancelled.
pub async fn serve_metrics(
    listener: TcpListener,
    (monitor, app): (Monitor, App),
    streams: Option<Streams>,
    cancel: CancellationToken,
) {
    let answer = async move || in_text(monitor.exposition(&app, streams.as_ref()).await);
    let router: Router = Router::new().route("/metrics", get(answer));
    let served = axum::serve(listener, router).with_graceful_shutdown(cancel.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "the metrics are not served any more");
    }
}

fn in_text(exposition: String) -> Response {
    ([(header::CONTENT_TYPE, TEXT_FORMAT)], exposition).into_response()
}

/// Shows what this node counts, and how everything stands that it rests on, in the text format of Prometheus; for
/// administrators and auditors, whose API keys may be the bearer of a scrape. How it stands is as of a second ago at most.
#[utoipa::path(get, path = "/metrics", tag = "monitoring",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = ErrorEnvelope)))]
pub(super) async fn metrics(extract::State(state): extract::State<State>) -> Response {
    let State {
        monitor,
        app,
        streams,
        ..
    } = &state;
    in_text(monitor.exposition(app, Some(streams)).await)
}

/// What a node says of itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PerformanceMetrics {
    /// How long the server runs, such as `1h2m3s`.
    uptime: String,
    process: ProcessMetrics,
    database: DatabaseMetrics,
    /// The last position of the log; absent where the database does not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    log_position: Option<u64>,
    /// Whatever follows the log: `sequencer`, `tree`, and every projection.
    followers: Vec<FollowerMetrics>,
    work_orders: OrderMetrics,
    /// What should be moving and is not, in words.
    standstills: Vec<String>,
    streams: StreamMetrics,
    /// Requests to this node since it began, by operation.
    operations: Vec<OperationMetrics>,
}

/// What the process takes of the machine; absent where the system does not tell.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessMetrics {
    /// Resident memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
    /// Processor time, user and system.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds: Option<f64>,
}

/// The database, from here.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DatabaseMetrics {
    /// Whether it answers.
    up: bool,
    /// Whether its schema is the one that this program is for.
    migrated: bool,
    /// Connections of this node.
    connections: u32,
    /// Those of them that nobody uses.
    idle: usize,
    /// Connections that there may be.
    most: u32,
}

/// Something that follows the log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FollowerMetrics {
    /// What it is called.
    name: &'static str,
    /// The last position that it has taken in; of the sequencer, the last that it has given.
    position: u64,
    /// How many events come after it; of the sequencer, how many wait for a position.
    behind: u64,
    /// How long the first of them waits, in seconds.
    behind_seconds: f64,
    /// Why it stands still, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    halted: Option<String>,
}

/// Work orders of runs under way that are not done.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderMetrics {
    /// Any worker may take them.
    waiting: i64,
    /// They failed, and rest.
    resting: i64,
    /// A worker has them.
    leased: i64,
    /// A worker had them and did not renew its lease.
    expired: i64,
}

/// Streams to clients.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StreamMetrics {
    /// Those that are open.
    active_connections: usize,
    /// Messages that were sent.
    total_events_sent: u64,
}

/// What became of the requests of one operation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationMetrics {
    method: String,
    /// The path, with parameters in braces.
    path: String,
    /// How many were answered.
    answered: u64,
    /// Those of them that were refused (4xx).
    refused: u64,
    /// Those of them that failed (5xx).
    failed: u64,
    /// How long they took to the heads of their answers, on average.
    average_ms: f64,
    /// The longest of that.
    longest_ms: f64,
}

impl From<(String, String, OfOperation)> for OperationMetrics {
    fn from((method, path, of): (String, String, OfOperation)) -> Self {
        let answered = u32::try_from(of.answered).unwrap_or(u32::MAX).max(1);
        Self {
            method,
            path,
            answered: of.answered,
            refused: of.refused,
            failed: of.failed,
            average_ms: (of.taken / answered).as_secs_f64() * 1_000.0,
            longest_ms: of.longest.as_secs_f64() * 1_000.0,
        }
    }
}

/// Shows what this node has done since it began and how everything stands that it rests on; for administrators and auditors.
/// How it stands is as of a second ago at most.
#[utoipa::path(get, path = "/monitoring/performance/metrics", tag = "monitoring",
    responses((status = 200, body = PerformanceMetrics), (status = 403, body = ErrorEnvelope)))]
pub(super) async fn performance(
    extract::State(state): extract::State<State>,
) -> Result<Answer<PerformanceMetrics>, Error> {
    let status = state.monitor.status().await;
    let Process {
        memory,
        cpu_seconds,
    } = Process::now();
    let pool = state.app.database.pool();
    let followers = status.lag.iter().flat_map(|lag| &lag.followers);
    let followers = followers.map(|follower| FollowerMetrics {
        name: follower.name,
        position: follower.position.get(),
        behind: follower.behind,
        behind_seconds: follower.age.as_secs_f64(),
        halted: follower.halted.clone(),
    });
    let orders = status.orders;
    let (active_connections, total_events_sent) = state.streams.counts();
    let operations = state.monitor.requests().by_operation().into_iter();
    Ok(Answer::ok(PerformanceMetrics {
        uptime: super::health::uptime(state.started),
        process: ProcessMetrics {
            memory_bytes: memory,
            cpu_seconds,
        },
        database: DatabaseMetrics {
            up: status.unreachable.is_none(),
            migrated: status.migrated,
            connections: pool.size(),
            idle: pool.num_idle(),
            most: pool.options().get_max_connections(),
        },
        log_position: status.lag.as_ref().map(|lag| lag.head.get()),
        followers: followers.collect(),
        work_orders: OrderMetrics {
            waiting: orders.waiting,
            resting: orders.resting,
            leased: orders.leased,
            expired: orders.expired,
        },
        standstills: status.standstills.iter().map(ToString::to_string).collect(),
        streams: StreamMetrics {
            active_connections,
            total_events_sent,
        },
        operations: operations.map(OperationMetrics::from).collect(),
    }))
}
