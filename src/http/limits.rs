//! How much one may ask for: users and API keys each, strangers by their address, and log-ins by address and by account.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use aggregates::{
    ids::{ApiKeyId, UserId},
    settings::RequestLimits,
};
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Request, State as Extract},
    http::Extensions,
    middleware::Next,
    response::Response,
};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::{
    body::{MAX_OPEN, MostOfBody, unread},
    caller::Caller,
    error::Error,
    peer::ClientAddress,
    rate::{Buckets, Rate},
    router::State,
};
use crate::{auth::Credential, installation::Installation};

/// How much one may ask for; what is absent has no limit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Requests of a user, of an API key, and of an address that is nobody's.
    pub requests: Option<Rate>,
    /// Log-ins from an address.
    pub log_ins: Option<Rate>,
    /// Log-ins to an account.
    pub log_ins_of_account: Option<Rate>,
}

/// Who is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    User(UserId),
    ApiKey(ApiKeyId),
    Address(Option<IpAddr>),
    /// The same asking how the server is: whatever else comes from where an orchestrator asks, it hears.
    Health(Option<IpAddr>),
}

/// What is left of the limits.
#[derive(Debug)]
pub(super) struct Allowances {
    started_with: Limits,
    installation: Installation,
    requests: Buckets<Who>,
    log_ins: Buckets<Option<IpAddr>>,
    log_ins_of_account: Buckets<[u8; 32]>,
}

impl Limits {
    /// Puts what administrators have set over what they have not.
    pub(super) fn with(self, set: RequestLimits) -> Self {
        let second = |set: Option<u32>, standing| set.map_or(standing, Rate::a_second);
        let minute = |set: Option<u32>, standing| set.map_or(standing, Rate::a_minute);
        Self {
            requests: second(set.requests_per_second, self.requests),
            log_ins: minute(set.log_ins_per_minute, self.log_ins),
            log_ins_of_account: minute(set.account_log_ins_per_minute, self.log_ins_of_account),
        }
    }
}

impl Allowances {
    /// Begins with everything left; `started_with` holds where no administrator says otherwise.
    pub(super) fn new(started_with: Limits, installation: Installation) -> Self {
        Self {
            started_with,
            installation,
            requests: Buckets::new(),
            log_ins: Buckets::new(),
            log_ins_of_account: Buckets::new(),
        }
    }

    /// Returns the limits of the moment.
    fn limits(&self) -> Limits {
        self.started_with.with(self.installation.request_limits())
    }

    /// Lets an attempt to log in through, unless there were too many from its address or to its account.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(super) fn log_in(&self, from: Option<ClientAddress>, account: &str) -> Result<(), Error> {
        self.come_in(from)?;
        let account = Sha256::digest(account.trim().to_lowercase());
        self.log_ins_of_account
            .take(
                account.into(),
                self.limits().log_ins_of_account,
                Instant::now(),
            )
            .map_err(|wait| too_many("log-ins", wait))
    }

    /// Lets an attempt to come in through, unless there were too many from its address.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(super) fn come_in(&self, from: Option<ClientAddress>) -> Result<(), Error> {
        self.log_ins
            .take(
                from.map(ClientAddress::neighbourhood),
                self.limits().log_ins,
                Instant::now(),
            )
            .map_err(|wait| too_many("log-ins", wait))
    }

    /// Lets a request of a stranger's through, unless there were too many from its address.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(super) fn stranger(&self, extensions: &Extensions) -> Result<(), Error> {
        self.request(Who::Address(neighbourhood(extensions)))
    }

    /// Looks whether a request of a stranger's would be let through, and counts none.
    ///
    /// # Errors
    /// [`Error::TooManyRequests`].
    pub(super) fn stranger_may(&self, extensions: &Extensions) -> Result<(), Error> {
        let who = Who::Address(neighbourhood(extensions));
        let looked = self
            .requests
            .look(&who, self.limits().requests, Instant::now());
        looked.map_err(|wait| too_many("requests", wait))
    }

    fn request(&self, who: Who) -> Result<(), Error> {
        let taken = self
            .requests
            .take(who, self.limits().requests, Instant::now());
        taken.map_err(|wait| too_many("requests", wait))
    }
}

fn neighbourhood(extensions: &Extensions) -> Option<IpAddr> {
    let address = extensions.get::<ClientAddress>().copied();
    address.map(ClientAddress::neighbourhood)
}

fn too_many(what: &str, wait: Duration) -> Error {
    Error::TooManyRequests {
        message: format!("too many {what}"),
        retry_after_seconds: wait.as_secs().saturating_add(1),
    }
}

/// Lets a request of somebody who was let in through, unless there were too many of his.
///
/// # Errors
/// [`Error::TooManyRequests`].
pub(super) async fn limit_callers(
    Extract(state): Extract<State>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    state.allowances.request(match caller.credential {
        Credential::Session(_) => Who::User(caller.user_id),
        Credential::ApiKey(id, _) => Who::ApiKey(id),
    })?;
    Ok(next.run(request).await)
}

/// Lets a request that needs no user through, unless there were too many from its address; with as much of a body as
/// one may have whom nobody knows, and as much time for it.
///
/// # Errors
/// [`Error::TooManyRequests`], [`Error::TooLarge`] or [`Error::BodyStoodStill`].
pub(super) async fn limit_strangers(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    state.allowances.stranger(request.extensions())?;
    let request = arrived(request, state.settings.bounds.body).await?;
    Ok(next.run(request).await)
}

/// The same for whoever asks how the server is, who is counted apart from all others at his address.
///
/// # Errors
/// As [`limit_strangers`].
pub(super) async fn limit_probes(
    Extract(state): Extract<State>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    let who = Who::Health(neighbourhood(request.extensions()));
    state.allowances.request(who)?;
    let request = arrived(request, state.settings.bounds.body).await?;
    Ok(next.run(request).await)
}

/// Waits for the body of a stranger's request.
async fn arrived(mut request: Request, longest: Duration) -> Result<Request, Error> {
    MostOfBody(MAX_OPEN).hold(&mut request);
    let (parts, body) = request.into_parts();
    let mut arriving = Request::new(body);
    arriving.extensions_mut().clone_from(&parts.extensions);
    let read = timeout(longest, Bytes::from_request(arriving, &())).await;
    let body = read.map_err(|_| Error::BodyStoodStill)?;
    let body = body.map_err(|rejection| unread(&rejection, MAX_OPEN))?;
    Ok(Request::from_parts(parts, Body::from(body)))
}
