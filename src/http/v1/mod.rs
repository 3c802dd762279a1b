//! Typed campaigns: the same campaigns as in the other interface, those that are for less than everything.
//!
//! A type is part of the path, and a campaign is found below its own type alone. One file an endpoint, or a few that belong
//! together; commands, read models and engines are those of the other interface. Errors are answered as
//! `{code, message, field}` ([`super::error`]).

mod access;
mod change;
mod control;
mod create;
mod history;
mod list;
mod records;
mod results;
mod retry;
mod settings;
mod upload;
mod view;

use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) use self::upload::may_upload;
use crate::http::State;

/// Where the paths of typed campaigns begin.
pub const BASE: &str = "/api/v1";

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(list::list, create::create))
        .routes(routes!(change::get, change::update, change::delete))
        .routes(routes!(control::start))
        .routes(routes!(control::pause))
        .routes(routes!(control::resume))
        .routes(routes!(control::cancel))
        .routes(routes!(records::domains))
        .routes(routes!(records::leads))
        .routes(routes!(results::results))
        .routes(routes!(retry::retry))
        .routes(routes!(history::history))
        .merge(upload::routes())
}
