//! Campaigns over REST: one file an endpoint, or a few that belong together.
//!
//! `settings` reads what users may set, `views` is what is answered. Every handler first finds the caller's campaign
//! (`access`): somebody else's is 404 like one that does not exist. Commands are decided by the campaign aggregate;
//! what is answered comes from the read models, counters and rows from one snapshot.

mod access;
mod after;
mod as_of;
mod breakdown;
mod classifications;
mod configs;
mod configure;
mod control;
mod create;
pub(in crate::http) mod cursor;
mod delete;
mod domain_history;
pub(in crate::http) mod domains;
mod duplicate;
mod execution_update;
mod executions;
pub(crate) mod export;
pub(in crate::http) mod filters;
mod form;
mod funnel;
mod history;
mod list;
mod list_of_names;
mod metrics;
mod mode;
mod momentum;
mod progress;
mod recommendations;
mod rejections;
mod rescore;
mod restart;
mod restart_analysis;
mod retry;
mod scoring_profile;
pub mod settings;
mod start;
mod state;
mod state_update;
mod status;
mod update;
mod upload;
pub mod views;

use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use self::access::{MISSING, campaign};
pub(in crate::http) use self::{
    access::execute,
    after::led_on,
    create::{check_pinned, import},
    form::Form,
    history::{HistoryQuery, history_of},
    retry::retry_wanted,
    upload::{MAX_FORM, UploadForm, UploadResponse, may_upload, take_in},
};
use crate::http::State;

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(list::list, create::create))
        .routes(routes!(list::get, update::update, delete::delete))
        .routes(routes!(list::enriched))
        .routes(routes!(configure::configure))
        .routes(routes!(mode::change_mode))
        .routes(routes!(start::start_next))
        .routes(routes!(start::start))
        .routes(routes!(control::pause))
        .routes(routes!(control::resume))
        .routes(routes!(control::stop))
        .routes(routes!(control::stop_campaign))
        .routes(routes!(restart::restart))
        .routes(routes!(restart_analysis::restart_analysis))
        .routes(routes!(retry::retry))
        .routes(routes!(duplicate::duplicate))
        .routes(routes!(scoring_profile::assign))
        .routes(routes!(rescore::rescore))
        .routes(routes!(status::status))
        .routes(routes!(status::phase_status))
        .routes(routes!(progress::progress))
        .routes(routes!(
            state::state,
            state_update::update,
            state_update::stop
        ))
        .routes(routes!(executions::executions))
        .routes(routes!(
            executions::execution,
            execution_update::update,
            execution_update::stop
        ))
        .routes(routes!(configs::configs))
        .routes(routes!(domains::domains))
        .routes(routes!(breakdown::score_breakdown))
        .routes(routes!(funnel::funnel))
        .routes(routes!(metrics::metrics))
        .routes(routes!(rejections::rejection_summary))
        .routes(routes!(classifications::classifications))
        .routes(routes!(momentum::momentum))
        .routes(routes!(recommendations::recommendations))
        .routes(routes!(history::history))
        .routes(routes!(domain_history::domain_history))
        .routes(routes!(export::export))
        .merge(upload::routes())
}
