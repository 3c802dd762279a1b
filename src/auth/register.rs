//! Making a user.

use aggregates::{
    Actor, Metadata,
    ids::UserId,
    user::{self, Register, Role, User},
};
use event_store::{ExecuteError, Transaction};
use uuid::Uuid;

use super::{Auth, Error};
use crate::{
    app::App,
    commands::{Done, Recorded},
};

const IS_TAKEN: &str = "SELECT EXISTS (SELECT FROM user_emails WHERE email = $1)";
const KEEP: &str = "INSERT INTO credentials (user_id, password_hash) VALUES ($1, $2)";

/// Makes a user, as the operator does it: the password's hash and the event that there is a user are stored together.
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
    let hash = hashed(auth, password).await?;
    let command = Register {
        email: email.to_owned(),
        username: username.to_owned(),
        role,
    };
    let metadata = Metadata::new(Actor::Operator, Uuid::now_v7().to_string());
    let transaction = app.database.begin().await?;
    let (user_id, _) = record(app, transaction, &hash, command, &metadata).await?;
    Ok(user_id)
}

/// Hashes a password that is fit to be one.
pub(super) async fn hashed(auth: &Auth, password: &str) -> Result<String, Error> {
    let _slot = auth.passwords.slot().await?;
    auth.passwords.hash(password).await
}

/// Records a user with his password's hash, and with what else the transaction has, or nothing of it.
pub(super) async fn record(
    app: &App,
    mut transaction: Transaction,
    hash: &str,
    command: Register,
    metadata: &Metadata,
) -> Result<(UserId, Done<user::Event>), Error> {
    let user_id = UserId(Uuid::now_v7());
    let aggregate_id = user_id.to_string();
    let email = command.email.clone();
    sqlx::query(KEEP)
        .bind(user_id.0)
        .bind(hash)
        .execute(transaction.connection())
        .await
        .map_err(Error::database("keep a password hash"))?;
    let command = user::Command::Register(command);
    let registered = transaction
        .execute::<User>(&aggregate_id, command, metadata)
        .await;
    let committed = match registered {
        Ok(committed) => committed,
        Err(refused) => {
            transaction.rollback().await?;
            // Nobody else knows the new id, so that a conflict can only be about the address.
            if matches!(refused, ExecuteError::Conflict { .. }) && is_taken(app, &email).await? {
                return Err(Error::EmailTaken(email.trim().to_lowercase()));
            }
            return Err(refused.into());
        }
    };
    transaction.commit().await?;
    let recorded = Recorded {
        aggregate_id,
        committed,
    };
    Ok((user_id, app.settle::<User>(recorded).await?))
}

async fn is_taken(app: &App, email: &str) -> Result<bool, Error> {
    sqlx::query_scalar(IS_TAKEN)
        .bind(email.trim().to_lowercase())
        .fetch_one(app.database.pool())
        .await
        .map_err(Error::database("look an address up"))
}
