//! Proxies: ways to pages, what they are told of who asks, and how they fare.
//!
//! What a proxy is told is written with the event that says so and never answered, but for the name. Checks really
//! connect; see [`crate::work::proxies`].

mod bulk;
mod checks;
mod engine;
mod login;
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
        .routes(routes!(bulk::update))
        .routes(routes!(bulk::delete))
        .routes(routes!(checks::test))
        .routes(routes!(checks::health_check))
        .routes(routes!(checks::bulk_test))
        .routes(routes!(checks::bulk_health_check))
        .routes(routes!(checks::status))
}
