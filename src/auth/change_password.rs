//! Changing one's password.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user::{self, User},
};

use super::{Auth, Error, attempt::Proven, password, session};
use crate::{app::App, commands::Done};

const REPLACE: &str = "UPDATE credentials SET password_hash = $2, changed_at = now() WHERE user_id = $1";

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
        let Proven { mut turn, slot } = self.prove(app, user_id, old, metadata).await?;
        let hash = self.passwords.hash(new).await?;
        drop(slot);
        sqlx::query(REPLACE)
            .bind(user_id.0)
            .bind(hash)
            .execute(&mut *turn)
            .await
            .map_err(Error::database("replace a password hash"))?;
        session::end_others(&mut turn, user_id, session_id).await?;
        let command = user::Command::ChangePassword(user::ChangePassword);
        let done = app.execute::<User>(&user_id.to_string(), command, metadata, None).await?;
        turn.commit().await.map_err(Error::database("replace a password"))?;
        Ok(done)
    }
}
