//! Answers with the headers that belong to them.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use event_store::Position;
use serde::Serialize;

use super::headers::{EVENT_CURSOR, PROJECTION_LAG, TOTAL_COUNT};
use crate::commands::Done;

/// An answer: a status, a body where there is one, and what the headers say about both.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    status: StatusCode,
    body: Option<T>,
    version: Option<u64>,
    cursor: Option<Position>,
    lag: Option<u64>,
    total: Option<u64>,
}

impl<T> Answer<T> {
    const fn new(status: StatusCode, body: Option<T>) -> Self {
        Self {
            status,
            body,
            version: None,
            cursor: None,
            lag: None,
            total: None,
        }
    }

    /// Answers 200 with a body.
    pub const fn ok(body: T) -> Self {
        Self::new(StatusCode::OK, Some(body))
    }

    /// Answers 201 with what was made.
    pub const fn created(body: T) -> Self {
        Self::new(StatusCode::CREATED, Some(body))
    }

    /// Answers 202 with what was begun.
    pub const fn accepted(body: T) -> Self {
        Self::new(StatusCode::ACCEPTED, Some(body))
    }

    /// Sets `ETag` to the version of the one resource that the body shows.
    #[must_use]
    pub const fn version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// Sets `ETag` to a version as the read models keep it.
    #[must_use]
    pub fn row_version(self, version: i64) -> Self {
        self.version(u64::try_from(version).unwrap_or(0))
    }

    /// Sets `X-Event-Cursor` and `X-Projection-Lag` to what a command came to.
    #[must_use]
    pub fn after<E>(mut self, done: &Done<E>) -> Self {
        self.cursor = Some(done.cursor);
        self.lag = done.lag;
        self
    }

    /// Sets `X-Event-Cursor` and `X-Projection-Lag` to where the last of several commands came to.
    #[must_use]
    pub const fn at(mut self, cursor: Position, lag: Option<u64>) -> Self {
        self.cursor = Some(cursor);
        self.lag = lag;
        self
    }

    /// Sets `X-Total-Count`.
    #[must_use]
    pub fn total(mut self, total: i64) -> Self {
        self.total = u64::try_from(total).ok();
        self
    }
}

impl Answer<()> {
    /// Answers 204.
    #[must_use]
    pub const fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT, None)
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(version) = self.version
            && let Ok(etag) = HeaderValue::try_from(format!("\"{version}\""))
        {
            headers.insert(header::ETAG, etag);
        }
        let numbers = [
            (EVENT_CURSOR, self.cursor.map(Position::get)),
            (PROJECTION_LAG, self.lag),
            (TOTAL_COUNT, self.total),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                headers.insert(name, HeaderValue::from(number));
            }
        }
        match self.body {
            Some(body) => (self.status, headers, axum::Json(body)).into_response(),
            None => (self.status, headers).into_response(),
        }
    }
}
