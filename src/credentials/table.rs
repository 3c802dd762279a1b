//! The table of credentials.

use std::{collections::HashMap, fmt};

use aggregates::ids::ProxyId;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Keys, NoKey, Sealed, Unopened};

const PUT: &str = "INSERT INTO proxy_credentials (proxy_id, username, key_id, nonce, password) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (proxy_id) DO UPDATE SET username = EXCLUDED.username, \
    key_id = EXCLUDED.key_id, nonce = EXCLUDED.nonce, password = EXCLUDED.password, changed_at = now()";
const KEPT: &str =
    "SELECT username, password IS NOT NULL FROM proxy_credentials WHERE proxy_id = $1 FOR UPDATE";
const RENAME: &str =
    "UPDATE proxy_credentials SET username = $2, changed_at = now() WHERE proxy_id = $1";
const REMOVE: &str = "DELETE FROM proxy_credentials WHERE proxy_id = $1";
const FIND: &str = "SELECT proxy_id, username, key_id, nonce, password FROM proxy_credentials \
    WHERE proxy_id = ANY($1)";

/// What is kept of a proxy's credentials, as far as whoever changes them may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The name.
    pub username: String,
    /// Whether there is a password.
    pub has_password: bool,
}

/// A name and a password, opened for an engine.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password; empty where there is none.
    pub password: Zeroizing<String>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// Why credentials cannot be kept or had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no key to seal under.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// A password does not open.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// The database failed.
    #[error("cannot reach the credentials of proxies")]
    Database(#[from] sqlx::Error),
}

/// Writes a proxy's credentials, in the transaction of the event that says so. Without a password the one that is kept
/// stays.
///
/// # Errors
/// [`Error::NoKey`] where there is a password, or [`Error::Database`].
pub async fn put(
    connection: &mut PgConnection,
    keys: &Keys,
    proxy: ProxyId,
    username: &str,
    password: Option<&str>,
) -> Result<(), Error> {
    if password.is_none() && kept(&mut *connection, proxy).await?.is_some() {
        sqlx::query(RENAME)
            .bind(proxy.0)
            .bind(username)
            .execute(connection)
            .await?;
        return Ok(());
    }
    // An empty password is none.
    let sealed = password
        .filter(|password| !password.is_empty())
        .map(|password| keys.seal(proxy, password))
        .transpose()?;
    let (key_id, nonce, password) = match sealed {
        Some(sealed) => (
            Some(sealed.key_id),
            Some(sealed.nonce),
            Some(sealed.password),
        ),
        None => (None, None, None),
    };
    sqlx::query(PUT)
        .bind(proxy.0)
        .bind(username)
        .bind(key_id)
        .bind(nonce)
        .bind(password)
        .execute(connection)
        .await?;
    Ok(())
}

/// Reads what is kept of a proxy's credentials, and holds it until the transaction ends.
///
/// # Errors
/// When the database does not answer.
pub async fn kept(
    connection: &mut PgConnection,
    proxy: ProxyId,
) -> Result<Option<Kept>, sqlx::Error> {
    let row: Option<(String, bool)> = sqlx::query_as(KEPT)
        .bind(proxy.0)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(username, has_password)| Kept {
        username,
        has_password,
    }))
}

/// Removes a proxy's credentials, in the transaction of the event that says so.
///
/// # Errors
/// When the database does not answer.
pub async fn remove(connection: &mut PgConnection, proxy: ProxyId) -> Result<(), sqlx::Error> {
    sqlx::query(REMOVE)
        .bind(proxy.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Opens a proxy's credentials; nothing where it has none.
///
/// # Errors
/// [`Error::Unopened`] or [`Error::Database`].
pub async fn login_of(pool: &PgPool, keys: &Keys, proxy: ProxyId) -> Result<Option<Login>, Error> {
    let mut found = logins_of(pool, keys, &[proxy]).await?;
    Ok(found.remove(&proxy).transpose()?)
}

/// Opens the credentials of some proxies; those that have none are left out.
///
/// # Errors
/// When the database does not answer. What does not open is told of its proxy alone.
pub async fn logins_of(
    pool: &PgPool,
    keys: &Keys,
    proxies: &[ProxyId],
) -> Result<HashMap<ProxyId, Result<Login, Unopened>>, sqlx::Error> {
    let ids: Vec<Uuid> = proxies.iter().map(|id| id.0).collect();
    let rows: Vec<Row> = sqlx::query_as(FIND).bind(ids).fetch_all(pool).await?;
    let opened = rows.into_iter().map(|row| {
        let proxy = ProxyId(row.proxy_id);
        (proxy, row.open(keys))
    });
    Ok(opened.collect())
}

#[derive(sqlx::FromRow)]
struct Row {
    proxy_id: Uuid,
    username: String,
    key_id: Option<String>,
    nonce: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
}

impl Row {
    fn open(self, keys: &Keys) -> Result<Login, Unopened> {
        let password = match (self.key_id, self.nonce, self.password) {
            (Some(key_id), Some(nonce), Some(password)) => {
                let sealed = Sealed {
                    key_id,
                    nonce,
                    password,
                };
                keys.open(ProxyId(self.proxy_id), &sealed)?
            }
            _ => Zeroizing::default(),
        };
        Ok(Login {
            username: self.username,
            password,
        })
    }
}
