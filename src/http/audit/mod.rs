//! What a compliance officer asks: who did what, when, from where, why, and what it changed; and evidence of it.
//!
//! `filters` reads which entries are wanted, `view` is what an entry shows, `download` writes any number of them. The
//! histories of campaigns and of domains are asked for and answered alike, so they use these too.

pub(in crate::http) mod download;
pub(in crate::http) mod filters;
pub(in crate::http) mod list;
mod proof;
pub(in crate::http) mod view;
pub(in crate::http) mod words;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::State;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(list::entries))
        .routes(routes!(proof::proof))
}
