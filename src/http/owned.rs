//! What users own: personas, proxies and their pools, keyword sets and scoring profiles are written alike, each through its aggregate.
//!
//! A handler makes the command and says what becomes of it: [`create`], or [`change`] and [`delete`], which take a
//! [`Mine`], so that no command goes to an object before its owner was asked for. An answer shows the object as the
//! command left it, not what somebody did to it a moment later, and comes with `ETag` and `X-Event-Cursor`.

use std::fmt;

use aggregates::{
    ids::UserId, keyword_set::KeywordSet, persona::Persona, proxy::Proxy, proxy_pool::ProxyPool,
    scoring_profile::ScoringProfile,
};
use cqrs_es::Aggregate;
use uuid::Uuid;

use super::{caller::Caller, error::Error, refusals::Refusal, respond::Answer};
use crate::{
    app::App,
    commands::{Done, Snapshot},
};

/// The longest description, characters.
const MAX_DESCRIPTION: usize = 10_000;

/// An aggregate that belongs to a user.
pub trait Owned: Aggregate<Services = (), Command: Clone + Send, Error: Refusal + 'static> {
    /// What is answered where there is none, or it is somebody else's; names the parameter of the path.
    const MISSING: Error;

    /// Returns whose it is; nobody's where it is not there.
    fn owner(&self) -> Option<UserId>;
}

impl Owned for Persona {
    const MISSING: Error = Error::no_such("persona", "id");

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

impl Owned for KeywordSet {
    const MISSING: Error = Error::no_such("keyword set", "setId");

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

impl Owned for Proxy {
    const MISSING: Error = Error::no_such("proxy", "proxyId");

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

impl Owned for ProxyPool {
    const MISSING: Error = Error::no_such("proxy pool", "poolId");

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

impl Owned for ScoringProfile {
    const MISSING: Error = Error::no_such("scoring profile", "profileId");

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

/// What the interface shows of an aggregate.
pub trait View<A>: Sized {
    /// Shows an aggregate as a command left it.
    ///
    /// # Errors
    /// When it cannot be written as the wire has it.
    fn of(id: Uuid, snapshot: &Snapshot<A>) -> Result<Self, Error>;
}

/// An object that the caller reaches. An owner never changes, so that he still does when the command decides.
#[derive(Clone, Debug)]
pub struct Mine<A> {
    id: String,
    aggregate: A,
}

impl<A: Owned> Mine<A> {
    /// Finds an object that the caller reaches. For the repeat of a command it is as that command left it: its key says that the
    /// caller reached the object, and it may be deleted by now, by that very command.
    ///
    /// # Errors
    /// [`Owned::MISSING`] for everybody who does not reach it.
    pub async fn find(app: &App, caller: &Caller, id: impl fmt::Display) -> Result<Self, Error> {
        let id = id.to_string();
        if let Some(done) = app.repeated::<A>(&caller.metadata).await? {
            let aggregate = app.after(&done).await?.aggregate;
            return Ok(Self { id, aggregate });
        }
        let (aggregate, _) = app.database.log().load::<A>(&id).await?;
        match aggregate.owner().is_some_and(|owner| caller.reaches(owner)) {
            true => Ok(Self { id, aggregate }),
            false => Err(A::MISSING),
        }
    }

    /// Returns the object as it was when it was found.
    pub const fn get(&self) -> &A {
        &self.aggregate
    }
}

/// Makes an object and answers 201 with it.
///
/// # Errors
/// What the aggregate refuses.
pub async fn create<A: Owned, V: View<A>>(
    app: &App,
    caller: &Caller,
    command: A::Command,
) -> Result<Answer<V>, Error> {
    let id = Uuid::now_v7().to_string();
    let done = app
        .execute::<A>(&id, command, &caller.metadata, None)
        .await?;
    Ok(Answer::created(shown(app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Changes an object and answers 200 with it; `version` is the one that the caller saw, where he says so.
///
/// # Errors
/// What the aggregate refuses, or [`Error::PreconditionFailed`].
pub async fn change<A: Owned, V: View<A>>(
    app: &App,
    caller: &Caller,
    object: &Mine<A>,
    command: A::Command,
    version: Option<u64>,
) -> Result<Answer<V>, Error> {
    let done = app
        .execute::<A>(&object.id, command, &caller.metadata, version)
        .await?;
    Ok(Answer::ok(shown(app, &done).await?)
        .version(done.version)
        .after(&done))
}

/// Deletes an object, by its own command for that, and answers 204.
///
/// # Errors
/// As [`change`].
pub async fn delete<A: Owned>(
    app: &App,
    caller: &Caller,
    object: &Mine<A>,
    command: A::Command,
    version: Option<u64>,
) -> Result<Answer<()>, Error> {
    let done = app
        .execute::<A>(&object.id, command, &caller.metadata, version)
        .await?;
    Ok(Answer::no_content().after(&done))
}

async fn shown<A: Owned, V: View<A>>(app: &App, done: &Done<A::Event>) -> Result<V, Error> {
    // A repeat under an idempotency key answers what its first request made.
    let id = done.aggregate_id.parse().map_err(Error::internal)?;
    V::of(id, &app.after(done).await?)
}

/// Refuses a description of any object that is too long to be one.
///
/// # Errors
/// [`Error::Unprocessable`] naming the field.
pub fn check_description(description: Option<&str>) -> Result<(), Error> {
    if description.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(Error::unprocessable(
            "description",
            format!("must have at most {MAX_DESCRIPTION} characters"),
        ));
    }
    Ok(())
}
