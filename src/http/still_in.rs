//! Whoever was let in is still in when his request is complete.
//!
//! The head of a request says who sends it, and its body may come much later: after a log-out, a new password, a key that was
//! taken back. So where the body has to be waited for, its sender is looked at once more before its last part is given on.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_stream::try_stream;
use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    middleware::Next,
    response::Response,
};
use futures::{FutureExt as _, Stream, StreamExt as _};

use super::{error::Error, router::State};
use crate::auth::Admitted;

/// Whoever sent the request is no longer in.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the sender is no longer let in")]
struct Gone;

/// Has a request worked on, whose sender is looked at again where its body has to be waited for.
///
/// # Errors
/// [`Error::Unauthorized`] where he is no longer in.
pub(super) async fn watched(
    state: &State,
    admitted: Admitted,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    if request.body().is_end_stream() {
        return Ok(next.run(request).await);
    }
    let gone = Arc::new(AtomicBool::new(false));
    let watched = (state.clone(), admitted, Arc::clone(&gone));
    let response = next.run(request.map(|body| watch(body, watched))).await;
    match gone.load(Ordering::Acquire) {
        true => Err(Error::Unauthorized("the session or the API key is over")),
        false => Ok(response),
    }
}

/// What is given on of a body.
type Watched = Pin<Box<dyn Stream<Item = Result<Bytes, axum::Error>> + Send>>;

fn watch(body: Body, (state, admitted, gone): (State, Admitted, Arc<AtomicBool>)) -> Body {
    let mut left = body.size_hint().exact();
    let mut parts = body.into_data_stream();
    let mut waited = false;
    let still_in = async move || -> Result<(), axum::Error> {
        let asked = state.auth.is_admitted(&state.app, &admitted).await;
        if asked.map_err(axum::Error::new)? {
            return Ok(());
        }
        gone.store(true, Ordering::Release);
        Err(axum::Error::new(Gone))
    };
    let watched = try_stream! {
        loop {
            let at_once = parts.next().now_or_never();
            waited |= at_once.is_none();
            let part = match at_once {
                Some(part) => part,
                None => parts.next().await,
            };
            let Some(part) = part.transpose()? else {
                break;
            };
            left = left.map(|left| left.saturating_sub(part.len() as u64));
            // Whoever reads a form may stop at its end and not at the body's.
            if waited && left == Some(0) {
                still_in().await?;
                waited = false;
            }
            yield part;
        }
        if waited {
            still_in().await?;
        }
    };
    Body::from_stream::<Watched>(Box::pin(watched))
}
