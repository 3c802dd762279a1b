//! Who may do what: the one place where that is decided.
//!
//! Two questions are asked of every request behind the log-in. May its sender give commands at all, and about how he comes in? [`refuse_commands`]
//! asks that before the handler, of every operation. Whose objects does he reach? [`Caller::whose`] goes into every query
//! of what users own, and [`Caller::reaches`] is asked of every object before a command goes to it; what is not reached
//! is answered as what is not there. An administrator reaches everybody's objects, an auditor reads them. What holds for
//! everybody, such as the suppression list and the settings of the installation, is everybody's to read and an administrator's to change. What
//! tells of everybody is for administrators and auditors.

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
const OWN_ACCOUNT: [&str; 3] = ["/auth", "/change-password", "/me"];
/// What holds for everybody.
const INSTALLATION: [&str; 3] = ["/config", "/suppression", "/users"];
/// What tells of everybody.
const EVERYBODYS: [&str; 4] = ["/audit/{position}", "/metrics", "/monitoring", "/users"];
/// What has the engines send something, whatever the method.
const TRIALS: [&str; 1] = ["/extract"];

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

/// Tells whether what is asked for by a path has the engines send something, whatever the method.
pub(super) fn has_engines_work(path: &str) -> bool {
    let path = path.strip_prefix(BASE).unwrap_or_default();
    is_below(&TRIALS, path)
}

fn is_below(bases: &[&str], path: &str) -> bool {
    let below = |rest: &str| rest.is_empty() || rest.starts_with('/');
    let mut bases = bases.iter();
    bases.any(|base| path.strip_prefix(base).is_some_and(below))
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
    let asked = Asked::by(request.method(), path.as_str());
    judge(caller.role, caller.credential, asked)?;
    Ok(next.run(request).await)
}

/// What a request asks for, as far as its method and path tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// An answer, of which nothing remains.
    Query,
    /// An answer that tells what anybody did.
    EverybodysQuery,
    /// A change of how the caller himself comes in.
    OwnAccount,
    /// A change of what somebody owns, or work for the engines.
    Work,
    /// A change of what holds for everybody.
    Installation,
}

impl Asked {
    fn by(method: &Method, path: &str) -> Self {
        let path = path.strip_prefix(BASE).unwrap_or_default();
        let is_below = |bases: &[&str]| is_below(bases, path);
        if is_below(&TRIALS) {
            Self::Work
        } else if matches!(*method, Method::GET | Method::HEAD) {
            match is_below(&EVERYBODYS) {
                true => Self::EverybodysQuery,
                false => Self::Query,
            }
        } else if is_below(&OWN_ACCOUNT) {
            Self::OwnAccount
        } else if is_below(&INSTALLATION) {
            Self::Installation
        } else {
            Self::Work
        }
    }
}

fn judge(role: Role, credential: Credential, asked: Asked) -> Result<(), Error> {
    let refused = match (credential, asked) {
        (_, Asked::Query) => None,
        (_, Asked::EverybodysQuery) => match role {
            Role::Admin | Role::Auditor => None,
            Role::User => Some("only administrators and auditors see the events of everybody"),
        },
        (Credential::ApiKey(..), Asked::OwnAccount) => Some("an API key manages no way in"),
        (Credential::ApiKey(_, Scope::Read), _) => Some("the API key is for reading"),
        (Credential::Session(_) | Credential::ApiKey(..), _) => match (role, asked) {
            (Role::Admin, _)
            | (_, Asked::Query | Asked::EverybodysQuery | Asked::OwnAccount)
            | (Role::User, Asked::Work) => None,
            (Role::User, Asked::Installation) => {
                Some("only an administrator changes what holds for everybody")
            }
            (Role::Auditor, _) => Some("an auditor reads, and neither changes nor tries anything"),
        },
    };
    refused.map_or(Ok(()), |why| Err(Error::Forbidden(why)))
}
