//! Changing one's password.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user,
};

use super::{Auth, Error, password, session};
use crate::{app::App, commands::Done};

const REPLACE: &str =
    "UPDATE credentials SET password_hash = $2, changed_at = now() WHERE user_id = $1";

impl Auth {
    /// Replaces the password of somebody who knows the old one, and ends the user's other sessions.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`] and lock-out as at a log-in; [`Error::UnusablePassword`] for the new one.
    pub async fn change_password(
        &self,
        app: &App,
        user_id: UserId,
        session_id: SessionId,
        (old, new): (&str, &str),
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        password::check(new)?;
        let mut proven = self.prove(app, user_id, old, metadata).await?;
        let hash = self.passwords.hash(new).await?;
        sqlx::query(REPLACE)
            .bind(user_id.0)
            .bind(hash)
            .execute(proven.connection())
            .await
            .map_err(Error::database("replace a password hash"))?;
        session::end_others(proven.connection(), user_id, session_id).await?;
        let command = user::Command::ChangePassword(user::ChangePassword);
        proven.record(app, user_id, command, metadata).await
    }
}
