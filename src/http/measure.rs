//! What became of requests, counted by operation.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State as Extract},
    middleware::Next,
    response::Response,
};

use super::router::State;

/// Counts what became of a request under its operation: the template of its path, never the path itself, which whoever asks
/// makes up.
pub(super) async fn measured(
    Extract(state): Extract<State>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let begun = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let requests = state.monitor.requests();
    requests.count(method.as_str(), path.as_str(), status, begun.elapsed());
    response
}
