//! What was begun is carried through, whether or not the client still waits.
//!
//! A server drops the work on a request when its client goes away, at whatever point it is. Where that point is the
//! beginning of a transaction, sqlx gives the connection back to the pool inside it, and what others write there later is
//! written to a transaction that nobody will commit. So requests are worked on in tasks of their own.

use std::panic::resume_unwind;

use axum::{extract::Request, middleware::Next, response::Response};
use tracing::Instrument as _;

use super::error::Error;

/// Works on a request in a task of its own; a panic in there goes on out here.
///
/// The task belongs to no tracker and ends on no token. The server's end waits for it only while its client waits too;
/// one whose client went away is dropped with the runtime, and its transaction ends with its connection.
///
/// # Errors
/// When the runtime ends in between.
pub(super) async fn carry_through(request: Request, next: Next) -> Result<Response, Error> {
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => Ok(response),
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(cancelled) => Err(Error::internal(cancelled)),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use axum::{Router, body::Body, middleware::from_fn, routing::get};
    use tokio::{sync::Notify, time::timeout};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn a_request_whose_client_went_away_is_carried_through() {
        let (begun, go_on, done) = (
            Arc::new(Notify::new()),
            Arc::new(Notify::new()),
            Arc::new(Notify::new()),
        );
        let signals = (begun.clone(), go_on.clone(), done.clone());
        let handler = async move || {
            let (begun, go_on, done) = signals.clone();
            begun.notify_one();
            go_on.notified().await;
            done.notify_one();
        };
        let router = Router::new()
            .route("/", get(handler))
            .layer(from_fn(carry_through));
        tokio::select! {
            _ = router.oneshot(Request::new(Body::empty())) => panic!("it waits to go on"),
            () = begun.notified() => {}
        }
        go_on.notify_one();
        timeout(Duration::from_secs(5), done.notified())
            .await
            .expect("it was carried through");
    }
}
