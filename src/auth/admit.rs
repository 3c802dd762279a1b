//! Who a request comes from, by what it brings.

use aggregates::{
    ids::{ApiKeyId, SessionId, UserId},
    user::{Role, Scope},
};

use super::{Auth, Error, key};
use crate::app::App;

/// What somebody was let in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session, begun by a log-in.
    Session(SessionId),
    /// An API key, with what it may do.
    ApiKey(ApiKeyId, Scope),
}

/// Somebody who was let in.
#[derive(Clone, Copy, Debug)]
pub struct Admitted {
    /// The user.
    pub user_id: UserId,
    /// What the user may do.
    pub role: Role,
    /// What he was let in by.
    pub credential: Credential,
}

impl Auth {
    /// Finds who brings a bearer token: a session's token or an API key; nobody where it is not, or no longer, one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn bearer(&self, app: &App, token: &str) -> Result<Option<Admitted>, Error> {
        match token.starts_with(key::PREFIX) {
            true => self.api_key(app, token).await,
            false => self.session(app, token).await,
        }
    }

    /// Says whether somebody would be let in as he was: streams to clients end with what they were opened by, and with
    /// what their user might do then.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_admitted(&self, app: &App, admitted: &Admitted) -> Result<bool, Error> {
        match admitted.credential {
            Credential::Session(id) => self.is_live(app, id, admitted.role).await,
            Credential::ApiKey(id, _) => self.accepts(app, id, admitted.role).await,
        }
    }
}
