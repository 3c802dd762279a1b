//! A request is not waited for, and not worked on, for ever.
//!
//! Each part of its body has to come in time, and so has all of it; its answer has to begin in time after the last of them; how long a stream
//! or a download then takes is not limited. A body that stood still is answered as such, whatever its reader made of the
//! error. An answer that is too late is given up towards the client only: what was begun is carried through.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _, stream};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{bounds::Bounds, error::Error};

/// A body stood still.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body did not go on in time")]
struct StoodStill;

/// What is known of how a request comes in.
#[derive(Debug)]
struct Arrival {
    last: Mutex<Instant>,
    stood_still: AtomicBool,
}

impl Arrival {
    fn note(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nothing came for a while.
    async fn nothing_for(&self, limit: Duration) {
        loop {
            let last = self.last();
            sleep_until(last + limit).await;
            if self.last() == last {
                return;
            }
        }
    }
}

/// Gives a request up that stands still, or whose answer does not begin.
///
/// # Errors
/// [`Error::BodyStoodStill`] and [`Error::TooLate`].
pub(super) async fn with_patience(
    State(bounds): State<Bounds>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let arrival = Arc::new(Arrival {
        last: Mutex::new(Instant::now()),
        stood_still: AtomicBool::new(false),
    });
    let request = match request.body().is_end_stream() {
        true => request,
        false => request.map(|body| Body::from_stream(parts(body, arrival.clone(), bounds))),
    };
    let response = tokio::select! {
        response = next.run(request) => response,
        () = arrival.nothing_for(bounds.answer) => return Err(Error::TooLate),
    };
    match arrival.stood_still.load(Ordering::Acquire) && !response.status().is_success() {
        true => Err(Error::BodyStoodStill),
        false => Ok(response),
    }
}

/// Reads a body for as long as it goes on, and no longer than a whole body may take.
fn parts(
    body: Body,
    arrival: Arc<Arrival>,
    bounds: Bounds,
) -> impl Stream<Item = Result<Bytes, axum::Error>> {
    let latest = Instant::now() + bounds.whole_body;
    let parts = Some(body.into_data_stream());
    stream::unfold((parts, arrival), move |(parts, arrival)| async move {
        let mut parts: BodyDataStream = parts?;
        let until = latest.min(Instant::now() + bounds.body);
        match timeout_at(until, parts.next()).await {
            Ok(part) => {
                arrival.note();
                Some((part?, (Some(parts), arrival)))
            }
            Err(_) => {
                arrival.stood_still.store(true, Ordering::Release);
                Some((Err(axum::Error::new(StoodStill)), (None, arrival)))
            }
        }
    })
}
