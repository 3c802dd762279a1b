//! Whose rows a query shows.

use aggregates::ids::UserId;
use uuid::Uuid;

/// Whose rows a query shows: what every query of what users own is asked with, so that none can forget it.
///
/// In SQL it is a parameter that is NULL for everybody's: `($1::uuid IS NULL OR owner = $1)`. PostgreSQL plans such a
/// statement for the value at hand, by the owner's index where there is one, for as long as that is cheaper than a plan
/// for all values; it is wherever the table is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// One user's.
    Of(UserId),
    /// Everybody's.
    Everybodys,
}

impl Whose {
    /// Tells whether what belongs to somebody is shown.
    #[must_use]
    pub fn includes(self, owner: UserId) -> bool {
        match self {
            Self::Of(user) => user == owner,
            Self::Everybodys => true,
        }
    }

    /// Returns the parameter of a statement.
    pub(crate) const fn owner(self) -> Option<Uuid> {
        match self {
            Self::Of(user) => Some(user.0),
            Self::Everybodys => None,
        }
    }
}

impl From<UserId> for Whose {
    fn from(user: UserId) -> Self {
        Self::Of(user)
    }
}
