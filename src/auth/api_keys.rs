//! API keys: made, listed, taken back, and accepted.

use aggregates::{
    Metadata,
    ids::{ApiKeyId, SessionId, UserId},
    user::{self, IssueApiKey, LONGEST_KEY, RevokeApiKey, Role, Scope, User},
};
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Admitted, Auth, Credential, Error, key::Key, standing};
use crate::{app::App, commands::Done};

/// What a user wants of a new key.
#[derive(Clone, Debug)]
pub struct WantedKey {
    /// What he calls it.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it is to end; in 366 days where nothing is said.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key that was made. No `Debug`: it holds the key.
pub struct MadeKey {
    /// Its id, as events name it.
    pub key_id: ApiKeyId,
    /// The key: the only copy there is.
    pub key: String,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// What was recorded.
    pub done: Done<user::Event>,
}

/// What is kept of a key.
#[derive(Clone, Debug, FromRow)]
pub struct KeptKey {
    /// Its id, as events name it.
    pub key_id: Uuid,
    /// What its user calls it.
    pub name: String,
    /// What it may do, `read` or `write`.
    pub scope: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends or ended; keys of former times may have no end.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to a minute; never where absent.
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct Found {
    key_id: Uuid,
    user_id: Uuid,
    scope: String,
    role: String,
    unnoted: bool,
}

const KEEP: &str = "INSERT INTO api_keys (key_id, key_hash, user_id, name, scope, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const FIND: &str = "
SELECT k.key_id, k.user_id, k.scope, a.role,
       coalesce(k.last_used_at < now() - interval '1 minute', true) AS unnoted
FROM api_keys k JOIN user_access a ON a.user_id = k.user_id
WHERE k.key_hash = $1 AND (k.expires_at IS NULL OR k.expires_at > now()) AND a.active";
const NOTE: &str = "UPDATE api_keys SET last_used_at = now() \
    WHERE key_id = $1 AND coalesce(last_used_at < now() - interval '1 minute', true)";
const ACCEPTS: &str = "
SELECT EXISTS (SELECT FROM api_keys k JOIN user_access a ON a.user_id = k.user_id
WHERE k.key_id = $1 AND (k.expires_at IS NULL OR k.expires_at > now()) AND a.active AND a.role = $2)";
const OF_USER: &str = "SELECT key_id, name, scope, created_at, expires_at, last_used_at FROM api_keys \
    WHERE user_id = $1 ORDER BY created_at, key_id LIMIT $2 OFFSET $3";
const COUNT: &str = "SELECT count(*) FROM api_keys WHERE user_id = $1";
/// Keys that ended are shown for a while, so that whoever wonders why one is refused finds it.
const SWEEP: &str = "DELETE FROM api_keys WHERE expires_at < now() - interval '30 days'";

impl Auth {
    /// Makes a key.
    ///
    /// # Errors
    /// What the rules refuse, [`Error::SessionOver`], or a failing database.
    pub async fn make_key(
        &self,
        app: &App,
        (user_id, session_id): (UserId, SessionId),
        wanted: WantedKey,
        metadata: &Metadata,
    ) -> Result<MadeKey, Error> {
        let (key, key_id, at) = (Key::random(), ApiKeyId(Uuid::now_v7()), Utc::now());
        let expires_at = wanted.expires_at.unwrap_or(at + LONGEST_KEY);
        let mut transaction = app.database.begin().await?;
        sqlx::query(KEEP)
            .bind(key_id.0)
            .bind(key.hash())
            .bind(user_id.0)
            .bind(wanted.name.trim())
            .bind(wanted.scope.name())
            .bind(at)
            .bind(expires_at)
            .execute(transaction.connection())
            .await
            .map_err(Error::database("keep the hash of an API key"))?;
        let command = user::Command::IssueApiKey(IssueApiKey {
            key_id,
            name: wanted.name,
            scope: wanted.scope,
            expires_at,
            at,
        });
        let user = user_id.to_string();
        let recorded =
            standing::record(transaction, (&user, session_id), command, metadata).await?;
        Ok(MadeKey {
            key_id,
            key: key.into_text(),
            expires_at,
            done: app.settle::<User>(recorded).await?,
        })
    }

    /// Takes a key back; its row goes with the event.
    ///
    /// # Errors
    /// [`user::Error::NoSuchKey`], or a failing database.
    pub async fn revoke_key(
        &self,
        app: &App,
        user_id: UserId,
        key_id: ApiKeyId,
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        let command = user::Command::RevokeApiKey(RevokeApiKey { key_id });
        Ok(app
            .execute::<User>(&user_id.to_string(), command, metadata, None)
            .await?)
    }

    /// Lists a user's keys in the order in which they were made, and counts them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn keys_of(
        &self,
        app: &App,
        user_id: UserId,
        (limit, offset): (i64, i64),
    ) -> Result<(Vec<KeptKey>, i64), Error> {
        let failed = || Error::database("list API keys");
        let keys = sqlx::query_as(OF_USER)
            .bind(user_id.0)
            .bind(limit)
            .bind(offset)
            .fetch_all(app.database.pool())
            .await
            .map_err(failed())?;
        let total = sqlx::query_scalar(COUNT)
            .bind(user_id.0)
            .fetch_one(app.database.pool())
            .await
            .map_err(failed())?;
        Ok((keys, total))
    }

    /// Finds whose key a text is, and notes that it was used.
    pub(super) async fn api_key(&self, app: &App, text: &str) -> Result<Option<Admitted>, Error> {
        let Some(key) = Key::parse(text) else {
            return Ok(None);
        };
        let found: Option<Found> = sqlx::query_as(FIND)
            .bind(key.hash())
            .fetch_optional(app.database.pool())
            .await
            .map_err(Error::database("find an API key"))?;
        let Some(found) = found else {
            return Ok(None);
        };
        if found.unnoted {
            sqlx::query(NOTE)
                .bind(found.key_id)
                .execute(app.database.pool())
                .await
                .map_err(Error::database("note that an API key was used"))?;
        }
        Ok(Some(Admitted {
            user_id: UserId(found.user_id),
            role: found.role.parse()?,
            credential: Credential::ApiKey(ApiKeyId(found.key_id), found.scope.parse()?),
        }))
    }

    /// Says whether a key is accepted and its user may do what he might when it was.
    pub(super) async fn accepts(
        &self,
        app: &App,
        key_id: ApiKeyId,
        role: Role,
    ) -> Result<bool, Error> {
        sqlx::query_scalar(ACCEPTS)
            .bind(key_id.0)
            .bind(role.name())
            .fetch_one(app.database.pool())
            .await
            .map_err(Error::database("look at an API key"))
    }

    /// Removes keys that ended long ago.
    pub(super) async fn sweep_keys(&self, app: &App) -> Result<(), Error> {
        sqlx::query(SWEEP)
            .execute(app.database.pool())
            .await
            .map_err(Error::database("remove API keys that are over"))?;
        Ok(())
    }
}
