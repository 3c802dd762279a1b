//! What a user may do, and whether he may come in.

use chrono::{DateTime, Utc};

use super::{Error, Event, Role, User};

/// Records that the password was changed; the new hash is stored beside the log. Whoever knew the old one may have made
/// API keys with it, so that all of them are taken back that are still good.
#[derive(Clone, Copy, Debug)]
pub struct ChangePassword {
    /// When; keys that have ended by then need not be taken back.
    pub at: DateTime<Utc>,
}

/// Changes what the user may do.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRole {
    /// What he may do from now on.
    pub role: Role,
}

/// Shuts the user out: no session and no key of his is accepted any more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deactivate;

/// Lets the user in again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reactivate;

impl ChangePassword {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_be_active()?;
        let keys = user.keys_lasting_at(self.at);
        let revoked = keys.map(|key_id| Event::ApiKeyRevoked { key_id });
        Ok([Event::PasswordChanged {}]
            .into_iter()
            .chain(revoked)
            .collect())
    }
}

impl ChangeRole {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        if user.role == self.role {
            return Ok(Vec::new());
        }
        Ok(vec![Event::RoleChanged { role: self.role }])
    }
}

impl Deactivate {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        if user.deactivated {
            return Ok(Vec::new());
        }
        Ok(vec![Event::Deactivated {}])
    }
}

impl Reactivate {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        if !user.deactivated {
            return Ok(Vec::new());
        }
        Ok(vec![Event::Reactivated {}])
    }
}
