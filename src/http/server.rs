//! Serving the interface on a socket until the process ends.

use std::{net::SocketAddr, time::Duration};

use axum::extract::Request;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    idempotency,
    router::{State, router},
};

/// How often what is over is removed: sessions, and keys of old commands.
const HOUSEKEEPING: Duration = Duration::from_secs(60 * 60);

/// Serves until the token is cancelled, and then until the requests under way are answered.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: TcpListener,
    state: State,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let service = axum::ServiceExt::<Request>::into_make_service_with_connect_info::<SocketAddr>(
        router(state.clone()),
    );
    let housekeeping = keep_house(state, cancel.clone());
    let server = axum::serve(listener, service).with_graceful_shutdown(cancel.cancelled_owned());
    let (served, ()) = tokio::join!(server.into_future(), housekeeping);
    served
}

async fn keep_house(state: State, cancel: CancellationToken) {
    let mut tick = tokio::time::interval(HOUSEKEEPING);
    while cancel.run_until_cancelled(tick.tick()).await.is_some() {
        if let Err(error) = state.auth.sweep(&state.app).await {
            tracing::warn!(%error, "cannot remove sessions that are over");
        }
        if let Err(error) = idempotency::sweep(state.app.database.pool()).await {
            tracing::warn!(%error, "cannot remove old idempotency keys");
        }
    }
}
