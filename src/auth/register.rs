//! Making a user.

use aggregates::{
    Actor, Metadata,
    ids::UserId,
    user::{self, Register, Role, User},
};
use event_store::ExecuteError;
use uuid::Uuid;

use super::{Auth, Error};
use crate::app::App;

const IS_TAKEN: &str = "SELECT EXISTS (SELECT FROM user_emails WHERE email = $1)";
const KEEP: &str = "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2)";
const FORGET: &str = "DELETE FROM credentials WHERE user_id = $1";

/// Makes a user, as the operator does it.
///
/// # Errors
/// [`Error::EmailTaken`], [`Error::UnusablePassword`], a refused field, or a failing database.
pub async fn register(
    app: &App,
    auth: &Auth,
    email: &str,
    username: &str,
    password: &str,
    role: Role,
) -> Result<UserId, Error> {
    let hash = {
        let _slot = auth.passwords.slot().await?;
        auth.passwords.hash(password).await?
    };
    let user_id = UserId(Uuid::now_v7());
    let pool = app.database.pool();
    // The hash first: without its user it is worth nothing, while a user without one could not come in.
    sqlx::query(KEEP)
        .bind(user_id.0)
        .bind(hash)
        .execute(pool)
        .await
        .map_err(Error::database("keep a password hash"))?;
    let command = user::Command::Register(Register {
        email: email.to_owned(),
        username: username.to_owned(),
        role,
    });
    let metadata = Metadata::new(Actor::Operator, Uuid::now_v7().to_string());
    let registered = app
        .execute::<User>(&user_id.to_string(), command, &metadata, None)
        .await;
    let Err(refused) = registered else {
        return Ok(user_id);
    };
    sqlx::query(FORGET)
        .bind(user_id.0)
        .execute(pool)
        .await
        .map_err(Error::database("forget a password hash"))?;
    // Nobody else knows the new id, so that a conflict can only be about the address.
    if matches!(refused, ExecuteError::Conflict { .. }) && is_taken(app, email).await? {
        return Err(Error::EmailTaken(email.trim().to_lowercase()));
    }
    Err(refused.into())
}

async fn is_taken(app: &App, email: &str) -> Result<bool, Error> {
    sqlx::query_scalar(IS_TAKEN)
        .bind(email.trim().to_lowercase())
        .fetch_one(app.database.pool())
        .await
        .map_err(Error::database("look an address up"))
}
