//! Pools of proxies: which proxies a phase goes through, and how it chooses among them.

mod members;
mod queries;
mod view;
mod write;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::router::State;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(queries::list, write::create))
        .routes(routes!(queries::show, write::update, write::delete))
        .routes(routes!(members::add))
        .routes(routes!(members::remove))
}
