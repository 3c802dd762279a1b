//! Streams end with the session that they were opened with.

use aggregates::{ids::SessionId, user::Role};

use super::{KEEP_ALIVE, listeners::Bell};
use crate::{app::App, auth::Auth};

/// Waits until a session is over: looks at once when something happened to its user, and else as often as connections
/// hear that they live.
pub(super) async fn over(
    auth: Auth,
    app: App,
    (session_id, role): (SessionId, Role),
    bell: std::sync::Arc<Bell>,
) {
    loop {
        if bell.shut_out() {
            return;
        }
        match auth.is_live(&app, session_id, role).await {
            Ok(true) => {}
            Ok(false) => return,
            // A database that does not answer ends no session; what it does to the stream is the stream's affair.
            Err(error) => tracing::warn!(%error, "cannot tell whether a stream's session is live"),
        }
        tokio::select! {
            () = bell.rung() => {}
            () = tokio::time::sleep(KEEP_ALIVE) => {}
        }
    }
}
