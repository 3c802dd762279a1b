//! What can happen to a user. Field and variant names are forever; see `tests/golden/user`. No event holds a secret. What tells
//! who a user is, is sealed where it is stored; see [`crate::personal`].

use std::str::FromStr;

use chrono::{DateTime, Utc};
use cqrs_es::DomainEvent;
use serde::{Deserialize, Serialize};

use crate::ids::{ApiKeyId, SessionId};

/// What a user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, with everybody's objects.
    Admin,
    /// Reading everybody's objects, and changing nothing but how he himself comes in.
    Auditor,
    /// Everything with his own objects.
    #[default]
    User,
}

impl Role {
    /// Returns the role's name in the log, the read models and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::User => "user",
        }
    }
}

/// A text that names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: expected admin, auditor or user")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Admin, Self::Auditor, Self::User]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or(UnknownRole)
    }
}

/// What an API key may do of what its user may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Queries.
    Read,
    /// Queries and commands.
    Write,
}

impl Scope {
    /// Returns the scope's name in the log, the tables and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A text that names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: expected read or write")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        [Self::Read, Self::Write]
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or(UnknownScope)
    }
}

/// An event of a user's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The user exists.
    Registered {
        /// The mail address, in lower case.
        email: String,
        /// The name.
        username: String,
        /// What the user may do.
        role: Role,
    },
    /// Mail address or name were changed; absent fields stay.
    DetailsChanged {
        /// The new mail address, in lower case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// The new name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        username: Option<String>,
    },
    /// The right password came, and a session began.
    LoggedIn {
        /// The session.
        session_id: SessionId,
        /// When.
        at: DateTime<Utc>,
    },
    /// A wrong password came.
    LoginFailed {
        /// When.
        at: DateTime<Utc>,
    },
    /// Too many wrong passwords came in a row.
    LockedOut {
        /// When the next attempt is taken.
        until: DateTime<Utc>,
    },
    /// A session was ended.
    LoggedOut {
        /// The session.
        session_id: SessionId,
    },
    /// The password was changed.
    PasswordChanged {},
    /// What the user may do was changed.
    RoleChanged {
        /// What he may do now.
        role: Role,
    },
    /// An API key was made; the key itself is known to the user alone.
    ApiKeyIssued {
        /// The key's id.
        key_id: ApiKeyId,
        /// What the user calls it.
        name: String,
        /// When it ends, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
        /// What it may do; not said by events of before there were scopes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<Scope>,
    },
    /// An API key was taken back.
    ApiKeyRevoked {
        /// The key's id.
        key_id: ApiKeyId,
    },
    /// The user was shut out.
    Deactivated {},
    /// The user was let in again.
    Reactivated {},
    /// The user was forgotten: whatever tells who he was reads as erased.
    Erased {},
}

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Registered { .. } => "Registered",
            Self::DetailsChanged { .. } => "DetailsChanged",
            Self::LoggedIn { .. } => "LoggedIn",
            Self::LoginFailed { .. } => "LoginFailed",
            Self::LockedOut { .. } => "LockedOut",
            Self::LoggedOut { .. } => "LoggedOut",
            Self::PasswordChanged {} => "PasswordChanged",
            Self::RoleChanged { .. } => "RoleChanged",
            Self::ApiKeyIssued { .. } => "ApiKeyIssued",
            Self::ApiKeyRevoked { .. } => "ApiKeyRevoked",
            Self::Deactivated {} => "Deactivated",
            Self::Reactivated {} => "Reactivated",
            Self::Erased {} => "Erased",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}
