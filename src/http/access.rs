//! Who may do what: the one place where that is decided.
//!
//! Two questions are asked of every request behind the log-in. May its sender give commands at all, and about how he comes in? [`refuse_commands`]
//! asks that before the handler, of every operation. Whose objects does he reach? [`Caller::whose`] goes into every query
//! of what users own, and [`Caller::reaches`] is asked of every object before a command goes to it; what is not reached
//! is answered as what is not there. An administrator reaches everybody's objects, an auditor reads them.

use aggregates::{
    ids::UserId,
    user::{Role, Scope},
};
use axum::{
    extract::{MatchedPath, Request},
    http::Method,
    middleware::Next,
    response::Response,
};
use projections::Whose;

use super::{caller::Caller, error::Error, router::BASE};
use crate::auth::Credential;

/// Where users manage how they themselves come in.
const OWN_ACCOUNT: [&str; 2] = ["/auth/", "/change-password"];

impl Caller {
    /// Tells whose objects the caller reaches.
    #[must_use]
    pub const fn whose(&self) -> Whose {
        match self.role {
            Role::Admin | Role::Auditor => Whose::Everybodys,
            Role::User => Whose::Of(self.user_id),
        }
    }

    /// Tells whether the caller reaches the objects of somebody.
    #[must_use]
    pub fn reaches(&self, owner: UserId) -> bool {
        self.whose().includes(owner)
    }
}

/// Refuses a command whose sender may give none.
///
/// # Errors
/// [`Error::Forbidden`].
pub(super) async fn refuse_commands(
    path: MatchedPath,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let asked = Asked {
        command: !matches!(*request.method(), Method::GET | Method::HEAD),
        own_account: is_own_account(path.as_str()),
    };
    judge(caller.role, caller.credential, asked)?;
    Ok(next.run(request).await)
}

/// What a request asks for, as far as its method and path tell.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// Whether it may change something.
    command: bool,
    /// Whether it is about how the caller himself comes in.
    own_account: bool,
}

fn is_own_account(path: &str) -> bool {
    path.strip_prefix(BASE)
        .is_some_and(|path| OWN_ACCOUNT.iter().any(|own| path.starts_with(own)))
}

fn judge(role: Role, credential: Credential, asked: Asked) -> Result<(), Error> {
    if let Credential::ApiKey(_, scope) = credential
        && asked.command
    {
        if asked.own_account {
            return Err(Error::Forbidden("an API key manages no way in"));
        }
        if scope == Scope::Read {
            return Err(Error::Forbidden("the API key is for reading"));
        }
    }
    match role {
        Role::Auditor if asked.command && !asked.own_account => {
            Err(Error::Forbidden("an auditor changes nothing"))
        }
        Role::Admin | Role::Auditor | Role::User => Ok(()),
    }
}
