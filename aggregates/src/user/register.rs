//! Makes a user.

use super::{Error, Event, Role, User};

/// Makes a user; the password is stored beside the log.
#[derive(Clone, Debug)]
pub struct Register {
    /// The mail address; kept in lower case.
    pub email: String,
    /// The name, 1 to 64 characters.
    pub username: String,
    /// What the user may do.
    pub role: Role,
}

impl Register {
    pub(super) fn decide(self, user: &User) -> Result<Vec<Event>, Error> {
        if user.registered {
            return Err(Error::Exists);
        }
        Ok(vec![Event::Registered {
            email: email(&self.email)?,
            username: username(&self.username)?,
            role: self.role,
        }])
    }
}

/// Brings a mail address into the form in which users are told apart. Whether it exists only a mail to it can tell.
pub(super) fn email(given: &str) -> Result<String, Error> {
    let email = given.trim().to_lowercase();
    let plausible = email.len() <= 254
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email.rsplit_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && local.len() <= 64 && !host.is_empty()
        });
    if plausible {
        return Ok(email);
    }
    Err(Error::Invalid {
        field: "email",
        message: "is no mail address",
    })
}

pub(super) fn username(given: &str) -> Result<String, Error> {
    let username = given.trim();
    let length = username.chars().count();
    if length == 0 || length > 64 || username.contains(char::is_control) {
        return Err(Error::Invalid {
            field: "username",
            message: "must have 1 to 64 printable characters",
        });
    }
    Ok(username.to_owned())
}
