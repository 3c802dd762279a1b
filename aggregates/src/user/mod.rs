//! Users: who may come in, what they may do, and every time they tried.
//!
//! Commands come from the API's log-in and key handling and from the operator's command line. Passwords, session tokens
//! and API keys are checked and kept elsewhere; the log names sessions and keys by id and never holds a secret. The
//! lock-out is decided here: fifty wrong passwords in a row lock the user out for fifteen minutes, and since each failure
//! is an event under the expected version, failures on several machines at once are counted like failures on one.

mod access;
mod account;
mod api_key;
mod erase;
mod error;
mod event;
mod log_in;
mod register;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use self::{
    access::{ChangePassword, ChangeRole, Deactivate, Reactivate},
    account::ChangeDetails,
    api_key::{IssueApiKey, RevokeApiKey},
    erase::Erase,
    error::Error,
    event::{Event, Role, Scope, UnknownRole, UnknownScope},
    log_in::{EndSessions, FailLogIn, LogIn, LogOut},
    register::Register,
};
use crate::{ids::ApiKeyId, personal::ERASED};

/// How many wrong passwords in a row, from wherever they come, lock a user out everywhere. Whoever asks keeps a closer count
/// of each address.
pub const LOCK_OUT_AFTER: u32 = 50;
/// For how long a user is locked out.
pub const LOCK_OUT_FOR: TimeDelta = TimeDelta::minutes(15);
/// The most API keys that a user has at a time, and the most of those that ended that are remembered.
pub const MAX_API_KEYS: usize = 50;
/// The shortest time that an API key is made for.
pub const SHORTEST_KEY: TimeDelta = TimeDelta::hours(1);
/// The longest time that an API key is made for, and the time of one for which none is named.
pub const LONGEST_KEY: TimeDelta = TimeDelta::days(366);

/// What can be asked of a user.
#[derive(Clone, Debug)]
pub enum Command {
    /// Makes the user.
    Register(Register),
    /// Changes mail address or name.
    ChangeDetails(ChangeDetails),
    /// Records that the right password came.
    LogIn(LogIn),
    /// Records that a wrong password came.
    FailLogIn(FailLogIn),
    /// Ends a session.
    LogOut(LogOut),
    /// Ends several sessions.
    EndSessions(EndSessions),
    /// Records that the password was changed.
    ChangePassword(ChangePassword),
    /// Changes what the user may do.
    ChangeRole(ChangeRole),
    /// Records that an API key was made.
    IssueApiKey(IssueApiKey),
    /// Takes an API key back.
    RevokeApiKey(RevokeApiKey),
    /// Shuts the user out.
    Deactivate(Deactivate),
    /// Lets the user in again.
    Reactivate(Reactivate),
    /// Forgets the user.
    Erase(Erase),
}

/// The state of a user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct User {
    version: u64,
    registered: bool,
    #[serde(default)]
    erased: bool,
    email: String,
    username: String,
    role: Role,
    deactivated: bool,
    failures: u32,
    locked_until: Option<DateTime<Utc>>,
    api_keys: BTreeMap<ApiKeyId, Option<DateTime<Utc>>>,
}

impl User {
    /// Counts the events of the stream; what `If-Match` is compared with.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Says whether there is such a user; not one who was erased.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.registered && !self.erased
    }

    /// Says whether the user may come in at all; false where there is none.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.registered && !self.deactivated && !self.erased
    }

    /// Returns the mail address, in lower case; sealed as the log has it.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Returns the name; sealed as the log has it.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// Returns what the user may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Counts the wrong passwords since the last right one or the last lock-out.
    #[must_use]
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns the end of the lock-out, where the user is locked out at that time. Asked before a password is checked.
    #[must_use]
    pub fn locked_out_at(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.locked_until.filter(|until| at < *until)
    }

    /// Says whether an API key may be used at that time.
    #[must_use]
    pub fn accepts_key_at(&self, key: ApiKeyId, at: DateTime<Utc>) -> bool {
        self.is_active()
            && self
                .api_keys
                .get(&key)
                .is_some_and(|expires| expires.is_none_or(|expires| at < expires))
    }

    /// Lists the keys that are good at a time.
    fn keys_lasting_at(&self, at: DateTime<Utc>) -> impl Iterator<Item = ApiKeyId> {
        let keys = self.api_keys.iter();
        keys.filter(move |(_, expires)| expires.is_none_or(|expires| at < expires))
            .map(|(key_id, _)| *key_id)
    }

    fn must_exist(&self) -> Result<(), Error> {
        if self.registered && !self.erased {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    fn must_be_active(&self) -> Result<(), Error> {
        self.must_exist()?;
        if self.deactivated {
            Err(Error::Deactivated)
        } else {
            Ok(())
        }
    }
}

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = Command;
    type Event = Event;
    type Error = Error;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Error> {
        let events = match command {
            Command::Register(command) => command.decide(self)?,
            Command::ChangeDetails(command) => command.decide(self)?,
            Command::LogIn(command) => command.decide(self)?,
            Command::FailLogIn(command) => command.decide(self)?,
            Command::LogOut(command) => command.decide(self)?,
            Command::EndSessions(command) => command.decide(self)?,
            Command::ChangePassword(command) => command.decide(self)?,
            Command::ChangeRole(command) => command.decide(self)?,
            Command::IssueApiKey(command) => command.decide(self)?,
            Command::RevokeApiKey(command) => command.decide(self)?,
            Command::Deactivate(command) => command.decide(self)?,
            Command::Reactivate(command) => command.decide(self)?,
            Command::Erase(command) => command.decide(self)?,
        };
        for event in events {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.version = self.version.saturating_add(1);
        match event {
            Event::Registered {
                email,
                username,
                role,
            } => {
                self.registered = true;
                self.email = email;
                self.username = username;
                self.role = role;
            }
            Event::DetailsChanged { email, username } => {
                if let Some(email) = email {
                    self.email = email;
                }
                if let Some(username) = username {
                    self.username = username;
                }
            }
            Event::LoggedIn { .. } => {
                self.failures = 0;
                self.locked_until = None;
            }
            Event::LoginFailed { .. } => self.failures = self.failures.saturating_add(1),
            Event::LockedOut { until } => {
                self.failures = 0;
                self.locked_until = Some(until);
            }
            Event::LoggedOut { .. } => {}
            // Whoever proved who he is by changing his password need not wait for the end of a lock-out.
            Event::PasswordChanged {} => {
                self.failures = 0;
                self.locked_until = None;
            }
            Event::RoleChanged { role } => self.role = role,
            Event::ApiKeyIssued {
                key_id, expires_at, ..
            } => {
                self.api_keys.insert(key_id, expires_at);
            }
            Event::ApiKeyRevoked { key_id } => {
                self.api_keys.remove(&key_id);
            }
            Event::Deactivated {} => self.deactivated = true,
            Event::Reactivated {} => self.deactivated = false,
            Event::Erased {} => {
                self.erased = true;
                ERASED.clone_into(&mut self.email);
                ERASED.clone_into(&mut self.username);
                self.api_keys.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests;
