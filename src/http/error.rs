//! The one error of the REST interface, and the envelope in which it is answered.
//!
//! A handler returns [`Error`]; the middleware of [`super::request_id`] writes the envelope, because only it knows the
//! request's id and path. What goes wrong inside is logged there, once, and answered without particulars.

use std::{fmt, sync::Arc};

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use event_store::{Outage, describe};
use serde::Serialize;
use utoipa::ToSchema;

use super::vocabulary;

/// Seconds after which it is worth another try where an answer came too late, or the database or a read model stands still.
const AFTER_TOO_LATE: u64 = 5;

/// One field that is to blame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Detail {
    /// The field as the wire names it, such as `configDetails.resolvers[1]`; a header or parameter by its name.
    pub field: String,
    /// What kind of fault it is.
    pub code: &'static str,
    /// What is wrong with it.
    pub message: String,
}

/// A command on a phase that the campaign's rules refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ControlConflict {
    /// `INVALID_PHASE_TRANSITION`, `RERUN_PRECONDITION_FAILED`, `NO_CONTROL_PHASE` or `EXPECTED_STATE_MISMATCH`.
    #[schema(value_type = vocabulary::ControlCode)]
    pub code: &'static str,
    /// Where the phase stands.
    pub current_state: String,
    /// What was wanted.
    pub attempted_action: String,
    /// The same in a sentence.
    pub message: String,
    /// Why a rerun is not possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The phase that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocking_phase: Option<String>,
    /// What the caller expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_state: Option<String>,
    /// The phases that lack a configuration.
    #[serde(rename = "missingPhases", skip_serializing_if = "Vec::is_empty")]
    pub missing_phases: Vec<String>,
}

impl ControlConflict {
    /// Says what was wanted of what state, and why not; nothing more particular.
    #[must_use]
    pub fn new(code: &'static str, current: &str, action: &str, message: String) -> Self {
        Self {
            code,
            current_state: current.to_owned(),
            attempted_action: action.to_owned(),
            message,
            reason: None,
            blocking_phase: None,
            expected_state: None,
            missing_phases: Vec::new(),
        }
    }
}

/// Why a request was not answered as asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request does not read: syntax, types, ranges (400).
    #[error("{}", .0.first().map_or("bad request", |detail| detail.message.as_str()))]
    BadRequest(Vec<Detail>),
    /// The request reads and cannot be done: a value that the rules refuse (422).
    #[error("{}", .0.first().map_or("not acceptable", |detail| detail.message.as_str()))]
    Unprocessable(Vec<Detail>),
    /// Nobody is logged in (401).
    #[error("{0}")]
    Unauthorized(&'static str),
    /// A command came with the session's cookie and nothing that shows where it comes from (403).
    #[error("a command with the session cookie needs X-Requested-With or a same-origin Origin")]
    Foreign,
    /// The sender may not do that, whatever it is done to (403).
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such thing, or it is somebody else's (404).
    #[error("no such {what}")]
    NotFound {
        /// What there is none of.
        what: &'static str,
        /// The parameter that names it.
        field: &'static str,
    },
    /// The path has no such method (405).
    #[error("the resource has no such method")]
    MethodNotAllowed,
    /// The state is another than the request needs (409).
    #[error("{message}")]
    Conflict {
        /// The kind of conflict.
        code: &'static str,
        /// What is in the way.
        message: String,
    },
    /// The rules of phases refuse it (409, with a shape of its own).
    #[error("{}", .0.message)]
    Control(Box<ControlConflict>),
    /// The body's `version` is another than the resource's (409).
    #[error("{0}")]
    StaleVersion(String),
    /// `If-Match` names another version (412).
    #[error("the resource is at version {actual}, If-Match names {expected}")]
    PreconditionFailed {
        /// What the caller saw.
        expected: u64,
        /// What is there.
        actual: u64,
    },
    /// The body did not go on in time (408).
    #[error("the body did not go on in time")]
    BodyStoodStill,
    /// The answer did not begin in time (503).
    #[error("this takes too long; what was begun may still be carried out")]
    TooLate,
    /// The body, or the file in it, is larger than the operation takes (413).
    #[error("the {field} is too large")]
    TooLarge {
        /// `body` or `file`.
        field: &'static str,
        /// The most that is taken, bytes.
        limit: usize,
    },
    /// The body is of another type than the operation takes (415).
    #[error("the body must be {0}")]
    UnsupportedMediaType(&'static str),
    /// Not now (429).
    #[error("{message}")]
    TooManyRequests {
        /// Why.
        message: String,
        /// When to come back.
        retry_after_seconds: u64,
    },
    /// Read models stand still (503): the named projections cannot apply an event, or the list of whom to leave alone is not
    /// level with the log.
    #[error("these projections stand still: {}", .0.join(", "))]
    NotReady(Vec<String>),
    /// What the server cannot do without does not work (503).
    #[error("not able to serve: {}", .0.join(", "))]
    Unhealthy(Vec<&'static str>),
    /// The database does not serve for now (503).
    #[error("{}", .0.sentence())]
    Unavailable(Outage),
    /// Our fault (500).
    #[error("internal error")]
    Internal(Arc<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Refuses a field that does not read (400).
    pub fn bad(field: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::BadRequest(vec![Detail::new(field, message)])
    }

    /// Refuses a field whose value the rules do not allow (422).
    pub fn unprocessable(field: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::Unprocessable(vec![Detail::new(field, message)])
    }

    /// Says that there is no such thing as a parameter names, or that it is somebody else's (404).
    pub const fn no_such(what: &'static str, field: &'static str) -> Self {
        Self::NotFound { what, field }
    }

    /// Wraps what no caller can help: an outage of the database, or our fault.
    pub fn internal(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        match Outage::of(&source) {
            Some(outage) => {
                tracing::warn!(error = %describe(&source), "the database does not serve");
                Self::Unavailable(outage)
            }
            None => Self::Internal(Arc::new(source)),
        }
    }

    /// Says whether it is no fault of what was asked.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Internal(_) | Self::Unavailable(_))
    }

    /// Returns the status that the error is answered with.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Foreign | Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict { .. } | Self::Control(_) | Self::StaleVersion(_) => {
                StatusCode::CONFLICT
            }
            Self::PreconditionFailed { .. } => StatusCode::PRECONDITION_FAILED,
            Self::BodyStoodStill => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotReady(_) | Self::TooLate | Self::Unavailable(_) | Self::Unhealthy(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "BAD_REQUEST",
            Self::Unprocessable(_) => "VALIDATION_ERROR",
            Self::Unauthorized(_) => "UNAUTHORIZED",
            Self::Foreign | Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::Conflict { code, .. } => code,
            Self::Control(conflict) => conflict.code,
            Self::StaleVersion(_) => "VERSION_MISMATCH",
            Self::PreconditionFailed { .. } => "PRECONDITION_FAILED",
            Self::BodyStoodStill => "REQUEST_TIMEOUT",
            Self::TooLate => "TIMEOUT",
            Self::TooLarge { .. } => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType(_) => "UNSUPPORTED_MEDIA_TYPE",
            Self::TooManyRequests { .. } => "RATE_LIMITED",
            Self::NotReady(_) => "NOT_READY",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Unhealthy(_) => "UNHEALTHY",
            Self::Internal(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// Returns after how many seconds it is worth another try, where that can be said.
    const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyRequests {
                retry_after_seconds,
                ..
            } => Some(*retry_after_seconds),
            Self::TooLate | Self::NotReady(_) | Self::Unavailable(_) | Self::Unhealthy(_) => {
                Some(AFTER_TOO_LATE)
            }
            _ => None,
        }
    }

    /// Returns the fields that are to blame.
    fn details(&self) -> Vec<Detail> {
        let one = |field: &str, code, message| {
            vec![Detail {
                field: field.to_owned(),
                code,
                message,
            }]
        };
        match self {
            Self::BadRequest(details) | Self::Unprocessable(details) => details.clone(),
            Self::NotFound { field, .. } => one(field, "NOT_FOUND", self.to_string()),
            Self::TooLarge { field, limit } => one(
                field,
                "TOO_LARGE",
                format!("must have at most {limit} bytes"),
            ),
            Self::UnsupportedMediaType(_) => one("Content-Type", "UNSUPPORTED", self.to_string()),
            Self::PreconditionFailed { .. } => one("If-Match", "STALE", self.to_string()),
            Self::Foreign => one("X-Requested-With", "MISSING", self.to_string()),
            Self::StaleVersion(_) => one("version", "STALE", self.to_string()),
            _ => Vec::new(),
        }
    }

    /// Writes the body for a request of typed campaigns.
    pub(super) fn field_body(&self) -> Vec<u8> {
        let first = self.details().into_iter().next();
        let written = serde_json::to_vec(&FieldError {
            code: self.code(),
            message: match &first {
                Some(detail) => detail.message.clone(),
                None => self.to_string(),
            },
            field: first.map(|detail| detail.field),
        });
        written.unwrap_or_default()
    }

    /// Writes the body for a request.
    pub(super) fn body(&self, request_id: &str, path: &str, now: DateTime<Utc>) -> Vec<u8> {
        let written = match self {
            Self::Control(error) => serde_json::to_vec(&ControlEnvelope {
                success: false,
                error,
                request_id,
            }),
            other => serde_json::to_vec(&ErrorEnvelope {
                success: false,
                error: ErrorBody {
                    code: other.code(),
                    message: other.to_string(),
                    details: other.details(),
                    timestamp: now,
                    path: path.to_owned(),
                },
                request_id: request_id.to_owned(),
            }),
        };
        written.unwrap_or_default()
    }
}

impl Detail {
    /// Names a field and what is wrong with it.
    pub fn new(field: impl Into<String>, message: impl fmt::Display) -> Self {
        Self {
            field: field.into(),
            code: "INVALID",
            message: message.to_string(),
        }
    }
}

/// How every error but a control conflict is answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorEnvelope {
    /// Always false.
    pub success: bool,
    /// What went wrong.
    pub error: ErrorBody,
    /// The request's id.
    pub request_id: String,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// The kind of error.
    pub code: &'static str,
    /// The same in a sentence.
    pub message: String,
    /// The fields that are to blame.
    pub details: Vec<Detail>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// The path of the request.
    pub path: String,
}

/// How every error of typed campaigns is answered.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldError {
    /// The kind of error.
    code: &'static str,
    /// The same in a sentence.
    message: String,
    /// The field that is to blame, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

/// How a refusal by the rules of phases is answered.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ControlEnvelope<'a> {
    /// Always false.
    success: bool,
    /// What is refused, and why.
    error: &'a ControlConflict,
    /// The request's id.
    request_id: &'a str,
}

/// An error on its way to the middleware that writes it.
#[derive(Clone, Debug)]
pub(super) struct Failure(pub(super) Error);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self, Self::Unauthorized(_)) {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Failure(self));
        response
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::internal(error)
    }
}

impl From<event_store::Error> for Error {
    fn from(error: event_store::Error) -> Self {
        Self::internal(error)
    }
}
