//! Keywords of single pages: fetched and searched at once, outside any campaign, by what campaigns work with.

mod batch;
mod stream;
mod view;
mod wanted;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::router::State;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(batch::extract))
        .routes(routes!(stream::follow))
}
