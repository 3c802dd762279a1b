//! What holds for the whole installation and may be changed while it runs. Every user reads it, administrators change it
//! ([`super::access`]); a change is an event, and in force on this node when it is answered and on every other a fraction of a
//! second later.

mod features;
mod politeness;
mod reconciliation;
mod requests;
mod stealth;

use std::time::Duration;

use aggregates::settings::{Command, STREAM, Settings};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Caller, Error, State};
use crate::commands::{Done, READ_MODELS_WAIT, Snapshot};

/// Collects the routes.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(features::show))
        .routes(routes!(stealth::show, stealth::change))
        .routes(routes!(politeness::show, politeness::change))
        .routes(routes!(reconciliation::show, reconciliation::change))
        .routes(routes!(requests::show, requests::change))
}

/// Reads the settings as the log has them, with their version.
async fn settings(state: &State) -> Result<Settings, Error> {
    let log = state.app.database.log();
    let (settings, _) = log.load::<Settings>(STREAM).await?;
    Ok(settings)
}

/// A change that was recorded, with the settings as it left them.
struct Changed {
    settings: Settings,
    done: Done<aggregates::settings::Event>,
}

/// Gives a command and waits, for a moment, until this node goes by it.
async fn change(
    state: &State,
    caller: &Caller,
    command: Command,
    version: Option<u64>,
) -> Result<Changed, Error> {
    let app = &state.app;
    let done = app
        .execute::<Settings>(STREAM, command, &caller.metadata, version)
        .await?;
    in_force(state, &done, READ_MODELS_WAIT).await;
    let Snapshot { aggregate, .. } = app.after(&done).await?;
    Ok(Changed {
        settings: aggregate,
        done,
    })
}

async fn in_force<E>(state: &State, done: &Done<E>, limit: Duration) {
    if !state.app.installation.reaches(done.cursor, limit).await {
        tracing::warn!(
            cursor = done.cursor.get(),
            "the settings of this node are behind"
        );
    }
}
