//! Making a user.

use aggregates::{
    Actor, Metadata,
    ids::UserId,
    user::{self, Register, Role, User},
};
use event_store::Transaction;
use uuid::Uuid;

use super::{Auth, Error};
use crate::{
    app::App,
    commands::{Done, Recorded},
};

const TAKE: &str =
    "INSERT INTO user_emails (email, user_id) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING";
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
    take_address(&mut transaction, &command.email, user_id).await?;
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

/// Takes the address by which a user is found: in the event it is sealed. Whoever registers with it at the same moment is
/// waited for.
async fn take_address(
    transaction: &mut Transaction,
    email: &str,
    user_id: UserId,
) -> Result<(), Error> {
    let email = email.trim().to_lowercase();
    let taken = sqlx::query(TAKE)
        .bind(&email)
        .bind(user_id.0)
        .execute(transaction.connection())
        .await
        .map_err(Error::database("take an address"))?;
    match taken.rows_affected() {
        0 => Err(Error::EmailTaken(email)),
        _ => Ok(()),
    }
}
