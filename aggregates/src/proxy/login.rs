//! What a proxy is told of who asks.

use std::fmt;

/// The longest user name or password, bytes: what SOCKS 5 has room for (RFC 1929, 2).
pub const MAX_LOGIN: usize = 255;

/// A user's name and password for a proxy, as an address brought them. They are for the table of credentials, never for
/// an event; the password does not show in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub username: String,
    /// The password, where there is one.
    pub password: Option<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
