//! The first user of an installation: made by whoever knows the token that the server told where it was started.
//!
//! There is no password that anybody could know beforehand. The token is drawn at each start while there are no users,
//! takes the place of the one before, ends after a day, and ends with the first user, whoever made him.

use std::fmt;

use aggregates::{
    Actor,
    ids::UserId,
    user::{self, Register, Role},
};
use chrono::{DateTime, TimeDelta, Utc};
use event_store::Transaction;
use sha2::{Digest as _, Sha256};

use super::{Auth, Error, Origin, register, token::hex};
use crate::{app::App, commands::Done};

/// How long a token is good.
const LASTS: TimeDelta = TimeDelta::days(1);

const THERE_ARE_USERS: &str = "SELECT EXISTS (SELECT FROM user_emails)";
const KEEP: &str = "INSERT INTO setup_token (token_hash, expires_at) VALUES ($1, $2) \
    ON CONFLICT (only_one) DO UPDATE SET token_hash = EXCLUDED.token_hash, expires_at = EXCLUDED.expires_at";
const IS_GOOD: &str =
    "SELECT EXISTS (SELECT FROM setup_token WHERE token_hash = $1 AND expires_at > now())";
/// Waits for whoever registers at the moment.
const KEEP_OTHERS_OUT: &str = "LOCK TABLE user_emails IN SHARE ROW EXCLUSIVE MODE";
/// Whoever deletes it first has it.
const SPEND: &str =
    "DELETE FROM setup_token WHERE token_hash = $1 AND expires_at > now() RETURNING true";

/// A token by which the first user can be made.
pub struct SetupToken {
    text: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

impl SetupToken {
    /// Returns the token, for the one line that tells it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for SetupToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetupToken(…)")
    }
}

/// Who the first user is to be.
pub struct FirstUser<'a> {
    /// His mail address.
    pub email: &'a str,
    /// His name.
    pub username: &'a str,
    /// His password.
    pub password: &'a str,
}

impl Auth {
    /// Draws a token where there are no users; nothing where there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn offer_setup(&self, app: &App) -> Result<Option<SetupToken>, Error> {
        if there_are_users(app).await? {
            return Ok(None);
        }
        let text = hex(&rand::random::<[u8; 32]>());
        let expires_at = Utc::now() + LASTS;
        sqlx::query(KEEP)
            .bind(hash(&text))
            .bind(expires_at)
            .execute(app.database.pool())
            .await
            .map_err(Error::database("keep the hash of the set-up token"))?;
        Ok(Some(SetupToken { text, expires_at }))
    }

    /// Makes the first user, an administrator.
    ///
    /// # Errors
    /// [`Error::AlreadySetUp`] where there are users, [`Error::WrongSetupToken`], what [`register()`](super::register())
    /// refuses, or a failing database.
    pub async fn set_up(
        &self,
        app: &App,
        token: &str,
        first: &FirstUser<'_>,
        origin: &Origin,
    ) -> Result<(UserId, Done<user::Event>), Error> {
        if there_are_users(app).await? {
            return Err(Error::AlreadySetUp);
        }
        let is_good: bool = sqlx::query_scalar(IS_GOOD)
            .bind(hash(token))
            .fetch_one(app.database.pool())
            .await
            .map_err(Error::database("look at the set-up token"))?;
        if !is_good {
            return Err(Error::WrongSetupToken);
        }
        let password_hash = register::hashed(self, first.password).await?;
        let mut transaction = app.database.begin().await?;
        spend(&mut transaction, token).await?;
        must_be_first(&mut transaction).await?;
        let command = Register {
            email: first.email.to_owned(),
            username: first.username.to_owned(),
            role: Role::Admin,
        };
        let metadata = origin.metadata(Actor::Operator);
        register::record(app, transaction, &password_hash, command, &metadata).await
    }
}

async fn there_are_users(app: &App) -> Result<bool, Error> {
    sqlx::query_scalar(THERE_ARE_USERS)
        .fetch_one(app.database.pool())
        .await
        .map_err(Error::database("look whether there are users"))
}

/// Refuses where somebody else registered meanwhile, and keeps everybody from it until the transaction ends.
async fn must_be_first(transaction: &mut Transaction) -> Result<(), Error> {
    let failed = || Error::database("look whether there are users");
    sqlx::query(KEEP_OTHERS_OUT)
        .execute(transaction.connection())
        .await
        .map_err(failed())?;
    let is_late: bool = sqlx::query_scalar(THERE_ARE_USERS)
        .fetch_one(transaction.connection())
        .await
        .map_err(failed())?;
    match is_late {
        true => Err(Error::AlreadySetUp),
        false => Ok(()),
    }
}

async fn spend(transaction: &mut Transaction, token: &str) -> Result<(), Error> {
    let spent: Option<bool> = sqlx::query_scalar(SPEND)
        .bind(hash(token))
        .fetch_optional(transaction.connection())
        .await
        .map_err(Error::database("spend the set-up token"))?;
    spent.map(drop).ok_or(Error::WrongSetupToken)
}

fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
