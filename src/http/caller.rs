//! Who sent a request.

use std::{convert::Infallible, sync::Arc};

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user::Role,
};
use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, header, request::Parts},
};

use super::{error::Error, peer::ClientAddress, request_id::RequestId};
use crate::auth::{Admitted, Credential, Origin};

/// The most of a user agent that is kept, characters.
const MAX_USER_AGENT: usize = 256;

/// The user behind a request; put there by [`super::authenticate`], so that a handler that asks for it has one.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user.
    pub user_id: UserId,
    /// What the user may do.
    pub role: Role,
    /// What the request was let in by.
    pub credential: Credential,
    /// The request's id.
    pub request_id: Arc<str>,
    /// What goes with the events of the one command that the request gives; holds the idempotency key.
    pub metadata: Metadata,
}

impl Caller {
    /// Returns the session that the request came with.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key, which has none.
    pub const fn session(&self) -> Result<SessionId, Error> {
        match self.credential {
            Credential::Session(id) => Ok(id),
            Credential::ApiKey(..) => Err(Error::Forbidden("an API key has no session")),
        }
    }

    /// Returns who was let in, by what, as what.
    #[must_use]
    pub const fn admitted(&self) -> Admitted {
        Admitted {
            user_id: self.user_id,
            role: self.role,
            credential: self.credential,
        }
    }

    /// Returns the metadata for a command beside the one that the request is about, such as the reservation of names
    /// before a start: an idempotency key goes with one transaction only.
    #[must_use]
    pub fn secondary_metadata(&self) -> Metadata {
        Metadata {
            idempotency: None,
            request_hash: None,
            ..self.metadata.clone()
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Error::Unauthorized("log in first"))
    }
}

/// Reads where a request came from.
#[must_use]
pub(super) fn origin(extensions: &Extensions, headers: &HeaderMap) -> Origin {
    Origin {
        request_id: extensions
            .get::<RequestId>()
            .map_or_else(|| Arc::from(""), |id| id.0.clone()),
        ip: extensions
            .get::<ClientAddress>()
            .map(|client| client.0.to_string()),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(MAX_USER_AGENT).collect()),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(origin(&parts.extensions, &parts.headers))
    }
}
