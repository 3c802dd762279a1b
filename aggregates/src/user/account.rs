//! Changes a user's mail address or name.

use super::{Error, Event, User, register};

/// Changes mail address or name; absent fields stay.
#[derive(Clone, Debug, Default)]
pub struct ChangeDetails {
    /// The new mail address.
    pub email: Option<String>,
    /// The new name, 1 to 64 characters.
    pub username: Option<String>,
}

impl ChangeDetails {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        user.must_exist()?;
        let email = self.email.as_deref().map(register::email).transpose()?;
        let username = self
            .username
            .as_deref()
            .map(register::username)
            .transpose()?;
        let email = email.filter(|email| *email != user.email);
        let username = username.filter(|username| *username != user.username);
        if email.is_none() && username.is_none() {
            return Ok(Vec::new());
        }
        Ok(vec![Event::DetailsChanged { email, username }])
    }
}
