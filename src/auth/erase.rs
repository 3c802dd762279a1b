//! Forgetting a user: the event and the end of everything by which he comes in, in one transaction.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user::{self, User},
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, standing};
use crate::{app::App, commands::Done};

/// Held until the transaction ends, so that two administrators do not erase each other.
const ADMINISTRATORS: &str =
    "SELECT user_id FROM user_access WHERE role = 'admin' AND active ORDER BY user_id FOR UPDATE";
const IN_THE_CLEAR: &str =
    "SELECT EXISTS (SELECT FROM personal_keys WHERE person = $1 AND in_the_clear)";

impl Auth {
    /// Erases somebody who proves by his password that it is he.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`] and lock-out as at a log-in, [`Error::SessionOver`], and as [`erase`](Self::erase).
    pub async fn erase_oneself(
        &self,
        app: &App,
        (user_id, session_id): (UserId, SessionId),
        password: &str,
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        let mut proven = self.prove(app, user_id, password, metadata).await?;
        standing::must_be_live(proven.connection(), session_id).await?;
        must_be_erasable(proven.connection(), user_id).await?;
        let command = user::Command::Erase(user::Erase);
        proven.record(app, user_id, command, metadata).await
    }

    /// Erases a user.
    ///
    /// # Errors
    /// [`Error::LastAdministrator`], [`Error::InTheClear`], [`user::Error::NotFound`], or a failing database.
    pub async fn erase(
        &self,
        app: &App,
        user_id: UserId,
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        let mut transaction = app.database.begin().await?;
        must_be_erasable(transaction.connection(), user_id).await?;
        let (command, user) = (user::Command::Erase(user::Erase), user_id.to_string());
        Ok(app
            .execute_in::<User>(transaction, &user, command, metadata, None)
            .await?)
    }
}

/// Refuses where nobody would be left who could do anything about users, and where it would erase nothing.
async fn must_be_erasable(connection: &mut PgConnection, user_id: UserId) -> Result<(), Error> {
    let failed = || Error::database("look whether a user can be erased");
    let administrators: Vec<Uuid> = sqlx::query_scalar(ADMINISTRATORS)
        .fetch_all(&mut *connection)
        .await
        .map_err(failed())?;
    if administrators == [user_id.0] {
        return Err(Error::LastAdministrator);
    }
    let in_the_clear: bool = sqlx::query_scalar(IN_THE_CLEAR)
        .bind(user_id.0)
        .fetch_one(connection)
        .await
        .map_err(failed())?;
    match in_the_clear {
        true => Err(Error::InTheClear),
        false => Ok(()),
    }
}
