//! Live sessions: finding, prolonging and ending them.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user::{self, Role, User},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Auth, Error, Origin, token::SessionKey};
use crate::{
    app::App,
    commands::{Done, Recorded},
};

/// How long a session can be prolonged after its log-in.
const LONGEST: TimeDelta = TimeDelta::days(30);

/// A live session.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, as events name it.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the user may do.
    pub role: Role,
    /// When it ends unless it is prolonged.
    pub expires_at: DateTime<Utc>,
}

#[derive(FromRow)]
struct Row {
    session_id: Uuid,
    user_id: Uuid,
    expires_at: DateTime<Utc>,
    role: String,
}

/// What the user may do is asked of a table that his events' own transactions write: a read model may be behind.
const FIND: &str = "
SELECT s.session_id, s.user_id, s.expires_at, a.role
FROM sessions s JOIN user_access a ON a.user_id = s.user_id
WHERE s.session_hash = $1 AND s.expires_at > now() AND a.active";
const IS_LIVE: &str = "
SELECT EXISTS (SELECT FROM sessions s JOIN user_access a ON a.user_id = s.user_id
WHERE s.session_id = $1 AND s.expires_at > now() AND a.active AND a.role = $2)";
const BEGIN: &str = "INSERT INTO sessions (session_hash, session_id, user_id, expires_at, ip, user_agent) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const PROLONG: &str = "UPDATE sessions SET expires_at = least($2, created_at + $3) \
    WHERE session_id = $1 AND expires_at > now() RETURNING expires_at";
const END: &str = "DELETE FROM sessions WHERE session_id = $1";
const SWEEP: &str = "DELETE FROM sessions WHERE expires_at <= now()";

impl Auth {
    /// Finds the live session of a token.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session(&self, app: &App, token: &str) -> Result<Option<Session>, Error> {
        let Some(key) = SessionKey::from_token(token, &self.settings.secret) else {
            return Ok(None);
        };
        let found: Option<Row> = sqlx::query_as(FIND)
            .bind(key.hash())
            .fetch_optional(app.database.pool())
            .await
            .map_err(Error::database("find a session"))?;
        let Some(row) = found else {
            return Ok(None);
        };
        Ok(Some(Session {
            session_id: SessionId(row.session_id),
            user_id: UserId(row.user_id),
            role: row.role.parse()?,
            expires_at: row.expires_at,
        }))
    }

    /// Says whether a session is live and its user may do what he might when it was found: streams to clients end with
    /// their sessions, and with what they were opened as.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn is_live(
        &self,
        app: &App,
        session_id: SessionId,
        role: Role,
    ) -> Result<bool, Error> {
        sqlx::query_scalar(IS_LIVE)
            .bind(session_id.0)
            .bind(role.name())
            .fetch_one(app.database.pool())
            .await
            .map_err(Error::database("look at a session"))
    }

    /// Prolongs a session; nothing where it is over. Thirty days after the log-in it ends all the same.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn prolong(
        &self,
        app: &App,
        session_id: SessionId,
    ) -> Result<Option<DateTime<Utc>>, Error> {
        sqlx::query_scalar(PROLONG)
            .bind(session_id.0)
            .bind(self.end_of_session())
            .bind(LONGEST)
            .fetch_optional(app.database.pool())
            .await
            .map_err(Error::database("prolong a session"))
    }

    /// Ends a session and records it, both or neither. The session is over before anybody hears so.
    ///
    /// # Errors
    /// When the database or the log fails.
    pub async fn log_out(
        &self,
        app: &App,
        user_id: UserId,
        session_id: SessionId,
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        let aggregate_id = user_id.to_string();
        let command = user::Command::LogOut(user::LogOut { session_id });
        let mut transaction = app.database.begin().await?;
        sqlx::query(END)
            .bind(session_id.0)
            .execute(transaction.connection())
            .await
            .map_err(Error::database("end a session"))?;
        let committed = transaction
            .execute::<User>(&aggregate_id, command, metadata)
            .await?;
        transaction.commit().await?;
        Ok(app
            .settle::<User>(Recorded {
                aggregate_id,
                committed,
            })
            .await?)
    }

    /// Removes the sessions that are over.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep(&self, app: &App) -> Result<u64, Error> {
        self.sweep_strangers(app).await?;
        let swept = sqlx::query(SWEEP)
            .execute(app.database.pool())
            .await
            .map_err(Error::database("remove sessions that are over"))?;
        Ok(swept.rows_affected())
    }

    pub(super) fn end_of_session(&self) -> DateTime<Utc> {
        let length = TimeDelta::from_std(self.settings.session_length).unwrap_or(LONGEST);
        Utc::now() + length.min(LONGEST)
    }
}

/// Writes a session in the transaction of its log-in; returns when it ends.
pub(super) async fn begin(
    connection: &mut PgConnection,
    key: &SessionKey,
    session_id: SessionId,
    user_id: UserId,
    expires_at: DateTime<Utc>,
    origin: &Origin,
) -> Result<(), Error> {
    sqlx::query(BEGIN)
        .bind(key.hash())
        .bind(session_id.0)
        .bind(user_id.0)
        .bind(expires_at)
        .bind(&origin.ip)
        .bind(&origin.user_agent)
        .execute(connection)
        .await
        .map_err(Error::database("begin a session"))?;
    Ok(())
}
