//! Streams end with the session or the API key that they were opened with.

use super::{KEEP_ALIVE, listeners::Bell};
use crate::{
    app::App,
    auth::{Admitted, Auth},
};

/// Waits until whoever was let in would not be any more: looks at once when something happened to its user, and else as often as connections
/// hear that they live.
pub(super) async fn over(auth: Auth, app: App, admitted: Admitted, bell: std::sync::Arc<Bell>) {
    loop {
        if bell.shut_out() {
            return;
        }
        match auth.is_admitted(&app, &admitted).await {
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
