//! Changing one's password.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user,
};
use chrono::Utc;

use super::{Auth, Error, administer::replace_hash, password, standing};
use crate::{app::App, commands::Done};

impl Auth {
    /// Replaces the password of somebody who knows the old one. All sessions of the user end in the transaction of the
    /// event, the one that it came with among them.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`] and lock-out as at a log-in; [`Error::UnusablePassword`] for the new one;
    /// [`Error::SessionOver`].
    pub async fn change_password(
        &self,
        app: &App,
        (user_id, session_id): (UserId, SessionId),
        (old, new): (&str, &str),
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        password::check(new)?;
        let mut proven = self.prove(app, user_id, old, metadata).await?;
        let hash = self.passwords.hash(new).await?;
        standing::must_be_live(proven.connection(), session_id).await?;
        replace_hash(proven.connection(), user_id, &hash).await?;
        let command = user::Command::ChangePassword(user::ChangePassword { at: Utc::now() });
        proven.record(app, user_id, command, metadata).await
    }
}
