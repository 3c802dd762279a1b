//! Logging in and out, and who one is.

mod api_keys;
mod log_in;
mod me;
mod session;
mod sessions;
mod setup;

use axum::http::HeaderValue;
use chrono::{DateTime, SecondsFormat, Utc};
use utoipa_axum::{router::OpenApiRouter, routes};

pub use self::me::UserPublicResponse;
pub(super) use self::{api_keys::ApiKeyView, session::without_cookie, sessions::SessionView};
use super::{error::Error, router::State};
use crate::auth;

/// Collects the routes that need no user.
pub fn public() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(log_in::log_in))
        .routes(routes!(setup::set_up))
}

/// Collects the routes that need one.
pub fn private() -> OpenApiRouter<State> {
    OpenApiRouter::default()
        .routes(routes!(session::log_out))
        .routes(routes!(session::refresh))
        .routes(routes!(me::me))
        .routes(routes!(me::me_alias))
        .routes(routes!(session::change_password))
        .routes(routes!(session::change_password_alias))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(api_keys::list, api_keys::make))
        .routes(routes!(api_keys::revoke))
}

/// Tells somebody who is locked out when to come back.
pub(super) fn locked_out(until: DateTime<Utc>) -> Error {
    let seconds = (until - Utc::now()).num_seconds().saturating_add(1);
    Error::TooManyRequests {
        message: format!(
            "too many wrong passwords; locked out until {}",
            until.to_rfc3339_opts(SecondsFormat::Secs, true)
        ),
        retry_after_seconds: u64::try_from(seconds).unwrap_or(1).max(1),
    }
}

impl From<auth::Error> for Error {
    fn from(error: auth::Error) -> Self {
        match error {
            auth::Error::WrongCredentials => {
                Self::Unauthorized("the mail address or the password is wrong")
            }
            auth::Error::Busy => Self::TooManyRequests {
                message: error.to_string(),
                retry_after_seconds: 1,
            },
            auth::Error::EmailTaken(_) => Self::Conflict {
                code: "EMAIL_TAKEN",
                message: error.to_string(),
            },
            auth::Error::LastAdministrator => Self::Conflict {
                code: "LAST_ADMINISTRATOR",
                message: error.to_string(),
            },
            auth::Error::InTheClear => Self::Conflict {
                code: "RECORDED_IN_THE_CLEAR",
                message: error.to_string(),
            },
            auth::Error::AlreadySetUp => Self::Conflict {
                code: "ALREADY_SET_UP",
                message: error.to_string(),
            },
            auth::Error::SessionOver => Self::Unauthorized("the session is over"),
            auth::Error::WrongSetupToken => Self::Unauthorized("the set-up token is wrong or over"),
            auth::Error::UnusablePassword(message) => Self::bad("password", message),
            auth::Error::Refused(refused) => refused.into(),
            other => Self::internal(other),
        }
    }
}

/// Writes the cookie that carries a token, or, with no time left, the one that removes it.
fn cookie(token: &str, seconds: u64, secure: bool) -> Option<HeaderValue> {
    let name = super::authenticate::COOKIE;
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::try_from(format!(
        "{name}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}"
    ))
    .ok()
}

#[cfg(test)]
mod tests {
    use event_store::ExecuteError;

    use super::*;

    #[test]
    fn a_command_that_lost_against_another_is_answered_like_every_other_command() {
        let conflict = ExecuteError::Conflict {
            aggregate_type: "user",
            aggregate_id: "1".to_owned(),
        };
        assert!(matches!(
            Error::from(auth::Error::Refused(conflict)),
            Error::Conflict { .. }
        ));
        let mismatch = ExecuteError::VersionMismatch {
            expected: 1,
            actual: 2,
        };
        assert!(matches!(
            Error::from(auth::Error::Refused(mismatch)),
            Error::PreconditionFailed { .. }
        ));
    }
}
