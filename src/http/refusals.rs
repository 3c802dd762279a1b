//! What each aggregate's refusal is on the wire: the one place where rules meet status codes.

use aggregates::{
    campaign::{self, PhaseState},
    keyword_set::{self, KeywordSet},
    names, pattern,
    persona::{self, Persona},
    proxy::{self, Proxy},
    proxy_pool::{self, ProxyPool},
    scoring_profile::{self, ScoringProfile},
    settings, suppression, user,
};
use event_store::ExecuteError;

use super::{
    campaigns::MISSING,
    error::{ControlConflict, Error},
    owned::Owned as _,
};
use crate::{commands::pin, credentials, work::compilers};

/// An aggregate's error that has a place in the interface.
pub trait Refusal: std::error::Error + Send + Sync {
    /// Returns what the interface answers.
    fn into_http(self) -> Error;
}

impl<E: Refusal> From<ExecuteError<E>> for Error {
    fn from(error: ExecuteError<E>) -> Self {
        match error {
            ExecuteError::Rejected(refusal) => refusal.into_http(),
            ExecuteError::Conflict { .. } => concurrent_change(),
            ExecuteError::VersionMismatch { expected, actual } => {
                Self::PreconditionFailed { expected, actual }
            }
            ExecuteError::Log(error) => Self::internal(error),
        }
    }
}

/// Says that somebody else was faster.
pub(super) fn concurrent_change() -> Error {
    Error::Conflict {
        code: "CONCURRENT_CHANGE",
        message: "somebody else changed it at the same moment".to_owned(),
    }
}

fn conflict(error: &impl std::error::Error, code: &'static str) -> Error {
    Error::Conflict {
        code,
        message: error.to_string(),
    }
}

impl Refusal for persona::Error {
    fn into_http(self) -> Error {
        match self {
            Self::NotFound => Persona::MISSING,
            Self::Exists => conflict(&self, "ALREADY_EXISTS"),
            // The configuration names its fields from inside.
            Self::Invalid { field, message } if field == "name" => {
                Error::unprocessable(field, message)
            }
            Self::Invalid { field, message } => {
                Error::unprocessable(format!("configDetails.{field}"), message)
            }
        }
    }
}

impl Refusal for keyword_set::Error {
    fn into_http(self) -> Error {
        match self {
            Self::NotFound => KeywordSet::MISSING,
            Self::Exists => conflict(&self, "ALREADY_EXISTS"),
            Self::Invalid { field, message } => Error::unprocessable(field, message),
        }
    }
}

impl Refusal for proxy::Error {
    fn into_http(self) -> Error {
        match self {
            Self::NotFound => Proxy::MISSING,
            Self::Exists => conflict(&self, "ALREADY_EXISTS"),
            Self::Invalid { field, message } => Error::unprocessable(field, message),
        }
    }
}

impl Refusal for settings::Error {
    fn into_http(self) -> Error {
        let Self::Invalid { field, message } = self;
        Error::unprocessable(field, message)
    }
}

impl Refusal for suppression::Error {
    fn into_http(self) -> Error {
        match self {
            Self::NotFound => super::suppression::MISSING,
            Self::Exists => conflict(&self, "ALREADY_EXISTS"),
            Self::Invalid { field, message } => Error::unprocessable(field, message),
        }
    }
}

impl From<suppression::Error> for Error {
    fn from(refused: suppression::Error) -> Self {
        refused.into_http()
    }
}

impl Refusal for proxy_pool::Error {
    fn into_http(self) -> Error {
        match self {
            Self::NotFound => ProxyPool::MISSING,
            Self::NoSuchMember => Error::no_such("proxy in the pool", "proxyId"),
            Self::Exists => conflict(&self, "ALREADY_EXISTS"),
            Self::Full => Error::unprocessable("proxyId", self),
            Self::Invalid { field, message } => Error::unprocessable(field, message),
        }
    }
}

impl From<credentials::Error> for Error {
    fn from(error: credentials::Error) -> Self {
        match error {
            credentials::Error::NoKey(_) | credentials::Error::Unopened(_) => {
                Self::unprocessable("password", error)
            }
            credentials::Error::Database(error) => Self::internal(error),
        }
    }
}

impl Refusal for scoring_profile::Error {
    fn into_http(self) -> Error {
        match &self {
            Self::NotFound => ScoringProfile::MISSING,
            Self::Exists => conflict(&self, "ALREADY_EXISTS"),
            Self::VersionMismatch { .. } => Error::StaleVersion(self.to_string()),
            Self::Name | Self::Weights(_) => {
                Error::unprocessable(self.field().unwrap_or_default(), self.to_string())
            }
        }
    }
}

impl Refusal for user::Error {
    fn into_http(self) -> Error {
        match self {
            Self::NotFound => Error::no_such("user", "userId"),
            Self::Exists | Self::TooManyKeys => conflict(&self, "CONFLICT"),
            Self::NoSuchKey => Error::no_such("api key", "keyId"),
            Self::Deactivated => Error::Unauthorized("the user is deactivated"),
            Self::LockedOut { until } => super::auth::locked_out(until),
            Self::Invalid { field, message } => Error::unprocessable(field, message),
        }
    }
}

impl Refusal for pattern::Error {
    fn into_http(self) -> Error {
        conflict(&self, "PATTERN_EXHAUSTED")
    }
}

impl Refusal for campaign::Error {
    fn into_http(self) -> Error {
        let message = self.to_string();
        let control = |code, current: &str, action: &str| {
            ControlConflict::new(code, current, action, message.clone())
        };
        let answer = match self {
            Self::NotFound => return MISSING,
            Self::Exists => return conflict(&self, "ALREADY_EXISTS"),
            Self::RunIsOver => return conflict(&self, "RUN_IS_OVER"),
            Self::Invalid { field, message } => return Error::unprocessable(field, message),
            Self::NoSuchPhase { .. } => control(
                "INVALID_PHASE_TRANSITION",
                PhaseState::NotStarted.name(),
                "start",
            ),
            Self::NoNames => control("NO_CONTROL_PHASE", PhaseState::Configured.name(), "start"),
            Self::NotPending => return conflict(&self, "NOT_PENDING"),
            Self::InvalidTransition {
                current, action, ..
            } => control("INVALID_PHASE_TRANSITION", current.name(), action.name()),
            Self::Blocked {
                current, blocking, ..
            }
            | Self::TooEarly {
                current, blocking, ..
            } => ControlConflict {
                blocking_phase: Some(blocking.name().to_owned()),
                ..control("INVALID_PHASE_TRANSITION", current.name(), "start")
            },
            Self::MissingPhases {
                current, missing, ..
            } => ControlConflict {
                missing_phases: missing
                    .into_iter()
                    .map(|phase| phase.name().to_owned())
                    .collect(),
                ..control("INVALID_PHASE_TRANSITION", current.name(), "start")
            },
            Self::RerunRefused {
                current, message, ..
            } => ControlConflict {
                reason: Some(message.to_owned()),
                ..control("RERUN_PRECONDITION_FAILED", current.name(), "start")
            },
            Self::NamesStay { current } => ControlConflict {
                reason: Some(Self::NAMES_STAY.to_owned()),
                ..control("RERUN_PRECONDITION_FAILED", current.name(), "configure")
            },
            Self::RerunTooEarly {
                current, blocking, ..
            } => ControlConflict {
                blocking_phase: Some(blocking.name().to_owned()),
                reason: Some(message.clone()),
                ..control("RERUN_PRECONDITION_FAILED", current.name(), "restart")
            },
            Self::ExpectedStateMismatch {
                current,
                expected,
                action,
                ..
            } => ControlConflict {
                expected_state: Some(expected.name().to_owned()),
                ..control("EXPECTED_STATE_MISMATCH", current.name(), action.name())
            },
            Self::NothingUnderWay => control("NO_CONTROL_PHASE", "idle", "stop"),
        };
        Error::Control(Box::new(answer))
    }
}

impl From<compilers::Busy> for Error {
    fn from(busy: compilers::Busy) -> Self {
        Self::TooManyRequests {
            message: busy.to_string(),
            retry_after_seconds: 5,
        }
    }
}

impl From<pin::Error> for Error {
    fn from(error: pin::Error) -> Self {
        let message = error.to_string();
        match error {
            pin::Error::NotConfigured(phase) => Self::Control(Box::new(ControlConflict {
                missing_phases: vec![phase.name().to_owned()],
                ..ControlConflict::new(
                    "INVALID_PHASE_TRANSITION",
                    PhaseState::NotStarted.name(),
                    "start",
                    message,
                )
            })),
            pin::Error::Reference { field, message } => Self::unprocessable(field, message),
            pin::Error::Busy(busy) => busy.into(),
            pin::Error::Log(error) => Self::internal(error),
        }
    }
}

impl From<names::Error> for Error {
    fn from(error: names::Error) -> Self {
        Self::bad(error.field(), error.reason())
    }
}
