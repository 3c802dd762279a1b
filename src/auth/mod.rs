//! Log-in, sessions and API keys: passwords, tokens, and the tables that hold what must never be in the log.
//!
//! The `user` aggregate decides who may come in and keeps the history; here are the secrets that it never sees.
//! `credentials` holds a bcrypt hash per user, `sessions` the SHA-256 of each live session's id, `api_keys` that of each
//! key: who reads the tables can log in with none of it. `failed_log_ins` counts wrong passwords by account and address, and by account where there is no user to count them for. Called by
//! the REST interface and by the command line. The invariants: no secret leaves this folder except the token in the
//! answer of a log-in and the key in the answer of its making; what an event says of a password or a session is stored in the transaction of that event, so that
//! neither is there without the other.

mod administer;
mod admit;
mod api_keys;
mod attempt;
mod change_password;
mod erase;
mod error;
mod key;
mod log_in;
mod neighbourhood;
mod origin;
mod own_sessions;
mod password;
mod register;
mod session;
mod setup;
mod standing;
mod stranger;
mod tally;
mod token;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use self::password::Passwords;
pub use self::{
    administer::administer,
    admit::{Admitted, Credential},
    api_keys::{KeptKey, MadeKey, WantedKey},
    error::Error,
    key::PREFIX as KEY_PREFIX,
    log_in::LoggedIn,
    origin::Origin,
    own_sessions::{Ending, KeptSession},
    register::register,
    setup::{FirstUser, SetupToken},
    token::Secret,
};
pub(crate) use self::{neighbourhood::neighbourhood, token::hex};

/// How log-in works. The secret is decided by the configuration.
#[derive(Clone)]
pub struct Settings {
    /// What session tokens are signed with; every process that serves must have the same.
    pub secret: Secret,
    /// bcrypt's cost: the work doubles with each step.
    pub bcrypt_cost: u32,
    /// How long a session lasts that is not used.
    pub session_idle: Duration,
    /// How long a session lasts from its log-in, however much it is used.
    pub session_longest: Duration,
    /// Whether browsers may send the cookie over TLS only.
    pub secure_cookie: bool,
}

impl Settings {
    /// bcrypt's cost where nobody says otherwise.
    pub const BCRYPT_COST: u32 = 12;
    /// How long a session lasts unused where nobody says otherwise.
    pub const SESSION_IDLE: Duration = Duration::from_secs(12 * 60 * 60);
    /// How long a session lasts at all where nobody says otherwise.
    pub const SESSION_LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// Makes the settings of a production server without TLS of its own.
    #[must_use]
    pub const fn new(secret: Secret) -> Self {
        Self {
            secret,
            bcrypt_cost: Self::BCRYPT_COST,
            session_idle: Self::SESSION_IDLE,
            session_longest: Self::SESSION_LONGEST,
            secure_cookie: false,
        }
    }
}

/// Log-in and sessions. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    settings: Arc<Settings>,
    passwords: Passwords,
}

impl Auth {
    /// Prepares log-in: hashes the password that unknown users are compared with, at the same cost.
    ///
    /// # Errors
    /// [`Error::Password`] when the cost is none that bcrypt knows (4 to 31).
    pub async fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            passwords: Passwords::new(settings.bcrypt_cost).await?,
            settings: Arc::new(settings),
        })
    }

    /// Says whether browsers may send the cookie over TLS only.
    #[must_use]
    pub fn secure_cookie(&self) -> bool {
        self.settings.secure_cookie
    }

    /// Returns the secret that every process that serves has.
    pub(crate) fn secret(&self) -> &Secret {
        &self.settings.secret
    }

    /// Returns how long a session lasts, however much it is used.
    #[must_use]
    pub fn session_longest(&self) -> Duration {
        self.settings.session_longest
    }
}
