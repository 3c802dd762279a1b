//! How streams are let in and answered: every one counts, ends with the session that it was opened with and with the
//! process, and says that it lives.

use std::{convert::Infallible, pin::pin, sync::Arc};

use aggregates::ids::UserId;
use async_stream::stream;
use axum::http::{HeaderName, HeaderValue, header};
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use chrono::Utc;
use futures::{Stream, StreamExt as _};
use serde::Serialize;
use serde_json::json;
use tokio::time::timeout;

use super::{
    KEEP_ALIVE,
    listeners::{Bell, Listener},
    outbox, session,
    streams::Shared,
};
use crate::http::{Caller, Error, State};

/// Keeps proxies in between from gathering what should flow.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A message that is of no event in the log.
pub(crate) struct Message {
    wire: String,
}

impl Message {
    /// Writes a message.
    pub(crate) fn new(kind: &str, payload: impl Serialize) -> Self {
        Self {
            wire: outbox::body(kind, Utc::now(), payload),
        }
    }

    fn keep_alive() -> Self {
        Self::new("keep_alive", json!({}))
    }
}

/// Counts a stream in.
///
/// # Errors
/// [`Error::TooManyRequests`] where as many are open as may be.
pub(super) fn admit(shared: &Shared, user: UserId) -> Result<Listener, Error> {
    let listener = shared.listeners.add(user);
    listener.ok_or_else(|| Error::TooManyRequests {
        message: "as many streams are open as this server takes, or as one user may have"
            .to_owned(),
        retry_after_seconds: 5,
    })
}

/// Answers with pieces of text until there are no more, or the caller's session or the process ends.
pub(super) fn of_pieces(
    state: &State,
    caller: &Caller,
    bell: Arc<Bell>,
    pieces: impl Stream<Item = Bytes> + Send + 'static,
) -> Response {
    let cancelled = state.streams.shared().cancel.clone().cancelled_owned();
    let over = session::over(
        state.auth.clone(),
        state.app.clone(),
        caller.admitted(),
        bell,
    );
    let end = Box::pin(async move {
        tokio::select! {
            () = over => {}
            () = cancelled => {}
        }
    });
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-transform"),
        ),
        (BUFFERING, HeaderValue::from_static("no")),
    ];
    let pieces = pieces.map(Ok::<Bytes, Infallible>).take_until(end);
    (headers, Body::from_stream(pieces)).into_response()
}

/// Answers with messages that are of no event in the log, between signs of life. What makes them is dropped where the
/// client leaves.
///
/// # Errors
/// As [`admit`].
pub(crate) fn of_messages(
    state: &State,
    caller: &Caller,
    messages: impl Stream<Item = Message> + Send + 'static,
) -> Result<Response, Error> {
    let shared = Arc::clone(state.streams.shared());
    let listener = admit(&shared, caller.user_id)?;
    let bell = Arc::clone(&listener.bell);
    let pieces = stream! {
        let _listener = listener;
        let mut messages = pin!(messages);
        let mut next = Some(Message::keep_alive());
        while let Some(message) = next {
            shared.listeners.note_sent(1);
            yield Bytes::from(message.wire);
            next = match timeout(KEEP_ALIVE, messages.next()).await {
                Ok(message) => message,
                Err(_) => Some(Message::keep_alive()),
            };
        }
    };
    Ok(of_pieces(state, caller, bell, pieces))
}
