//! What the operator does to users, by their mail addresses.

use aggregates::{
    Actor, Metadata,
    ids::UserId,
    personal::ERASED,
    user::{self, User},
};
use chrono::Utc;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, register};
use crate::{app::App, commands::Recorded};

const FIND: &str = "SELECT user_id FROM user_emails WHERE email = $1";
/// A log that was imported has users without addresses that anybody could log in with.
const TAKE_ADDRESS: &str =
    "INSERT INTO user_emails (email, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
/// A log that was imported has users without passwords.
const REPLACE: &str = "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2) \
    ON CONFLICT (user_id) DO UPDATE SET password_hash = EXCLUDED.password_hash, changed_at = now()";

/// Gives the operator's command to a user.
///
/// # Errors
/// [`Error::NoSuchUser`], what the rules refuse, or a failing database.
pub async fn administer(app: &App, email: &str, command: user::Command) -> Result<UserId, Error> {
    let user_id = known(app, email).await?;
    let metadata = Metadata::new(Actor::Operator, Uuid::now_v7().to_string());
    app.execute::<User>(&user_id.to_string(), command, &metadata, None)
        .await?;
    Ok(user_id)
}

impl Auth {
    /// Sets a user's password without the old one; all of his sessions end. Takes the turn of an attempt, so that no log-in with
    /// the old password is under way that would outlast it.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`], [`Error::UnusablePassword`], what the rules refuse, or a failing database.
    pub async fn set_password(&self, app: &App, email: &str, new: &str) -> Result<UserId, Error> {
        let user_id = known(app, email).await?;
        let hash = register::hashed(self, new).await?;
        let aggregate_id = user_id.to_string();
        let metadata = Metadata::new(Actor::Operator, Uuid::now_v7().to_string());
        let command = user::Command::ChangePassword(user::ChangePassword { at: Utc::now() });
        let (mut transaction, slot) = self.turn(app, &aggregate_id).await?;
        sqlx::query(TAKE_ADDRESS)
            .bind(email.trim().to_lowercase())
            .bind(user_id.0)
            .execute(transaction.connection())
            .await
            .map_err(Error::database("take an address"))?;
        replace_hash(transaction.connection(), user_id, &hash).await?;
        let committed = transaction
            .execute::<User>(&aggregate_id, command, &metadata)
            .await?;
        transaction.commit().await?;
        drop(slot);
        app.settle::<User>(Recorded {
            aggregate_id,
            committed,
        })
        .await?;
        Ok(user_id)
    }
}

/// Replaces the hash of a user's password, in the transaction of the event that says so.
pub(super) async fn replace_hash(
    connection: &mut PgConnection,
    user_id: UserId,
    hash: &str,
) -> Result<(), Error> {
    sqlx::query(REPLACE)
        .bind(user_id.0)
        .bind(hash)
        .execute(connection)
        .await
        .map_err(Error::database("replace a password hash"))?;
    Ok(())
}

async fn known(app: &App, email: &str) -> Result<UserId, Error> {
    let email = email.trim().to_lowercase();
    let found: Option<Uuid> = sqlx::query_scalar(FIND)
        .bind(&email)
        .fetch_optional(app.database.pool())
        .await
        .map_err(Error::database("find a user"))?;
    if let Some(found) = found {
        return Ok(UserId(found));
    }
    // Of a log that was imported, in which addresses are sealed, only the read model knows them.
    let shown = projections::users::by_email(app.database.pool(), &email).await;
    let shown = shown.map_err(Error::database("find a user"))?;
    match shown.filter(|_| email != ERASED) {
        Some(user) => Ok(UserId(user.user_id)),
        None => Err(Error::NoSuchUser(email)),
    }
}
