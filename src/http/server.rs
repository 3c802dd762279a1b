//! Serving the interface on a socket until the process ends.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    connections::take_connections,
    idempotency,
    router::{State, router},
};
use crate::erasure;

/// How often what is over is removed: sessions, and keys of old commands.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// Serves until the token is cancelled, and then until the requests under way are answered.
pub async fn serve(listener: TcpListener, state: State, cancel: CancellationToken) {
    let (settings, router) = (state.settings.clone(), router(state.clone()));
    let connections = take_connections(listener, router, &settings, &cancel);
    tokio::join!(connections, keep_house(state, &cancel));
}

async fn keep_house(state: State, cancel: &CancellationToken) {
    let mut tick = tokio::time::interval(HOUSEKEEPING);
    while cancel.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = state.auth.sweep(&state.app).await {
            tracing::warn!(%error, "cannot remove sessions that are over");
        }
        if let Err(error) = erasure::clear_out(&state.app).await {
            tracing::warn!(%error, "cannot delete what erased users left");
        }
        if let Err(error) = idempotency::sweep(state.app.database.pool()).await {
            tracing::warn!(%error, "cannot remove old idempotency keys");
        }
    }
}
