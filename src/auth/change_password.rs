//! Changing one's password.

use aggregates::{Metadata, ids::UserId, user};

use super::{Auth, Error, administer::replace_hash, password};
use crate::{app::App, commands::Done};

impl Auth {
    /// Replaces the password of somebody who knows the old one. All sessions of the user end in the transaction of the
    /// event, the one that it came with among them.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`] and lock-out as at a log-in; [`Error::UnusablePassword`] for the new one.
    pub async fn change_password(
        &self,
        app: &App,
        user_id: UserId,
        (old, new): (&str, &str),
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        password::check(new)?;
        let mut proven = self.prove(app, user_id, old, metadata).await?;
        let hash = self.passwords.hash(new).await?;
        replace_hash(proven.connection(), user_id, &hash).await?;
        let command = user::Command::ChangePassword(user::ChangePassword);
        proven.record(app, user_id, command, metadata).await
    }
}
