//! Whose an object is. What belongs to somebody else is answered like what is not there.

use aggregates::{
    ids::UserId, keyword_set::KeywordSet, persona::Persona, scoring_profile::ScoringProfile,
};
use cqrs_es::Aggregate;

use super::{caller::Caller, error::Error};
use crate::app::App;

/// The longest description, characters.
const MAX_DESCRIPTION: usize = 4_000;

/// An aggregate that belongs to a user.
pub trait Owned: Aggregate {
    /// What the interface calls it.
    const NAME: &'static str;

    /// Returns whose it is; nobody's where it is not there.
    fn owner(&self) -> Option<UserId>;
}

impl Owned for Persona {
    const NAME: &'static str = "persona";

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

impl Owned for KeywordSet {
    const NAME: &'static str = "keyword set";

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

impl Owned for ScoringProfile {
    const NAME: &'static str = "scoring profile";

    fn owner(&self) -> Option<UserId> {
        self.owner()
    }
}

/// Lets only the owner pass. An owner never changes, so that what is asked here still holds when the command decides.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub async fn must_own<A: Owned>(
    app: &App,
    caller: &Caller,
    id: impl std::fmt::Display,
) -> Result<(), Error> {
    let (aggregate, _) = app.database.log().load::<A>(&id.to_string()).await?;
    if aggregate.owner() == Some(caller.user_id) {
        Ok(())
    } else {
        Err(Error::NotFound(A::NAME))
    }
}

/// Refuses a description that is too long to be one.
///
/// # Errors
/// [`Error::Unprocessable`] naming the field.
pub fn check_description(description: Option<&String>) -> Result<(), Error> {
    if description.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(Error::unprocessable(
            "description",
            format!("must have at most {MAX_DESCRIPTION} characters"),
        ));
    }
    Ok(())
}
