//! A user's own sessions: listed, and ended one by one or together.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user::{self, EndSessions, User},
};
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Auth, Error};
use crate::{app::App, commands::Done};

/// A live session, as its user sees it.
#[derive(Clone, Debug, FromRow)]
pub struct KeptSession {
    /// Its id, as events name it.
    pub session_id: Uuid,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to a minute.
    pub last_used_at: DateTime<Utc>,
    /// When it ends unless it is used.
    pub expires_at: DateTime<Utc>,
    /// From where it was begun.
    pub ip: Option<String>,
    /// By what it was begun.
    pub user_agent: Option<String>,
}

const OF_USER: &str = "SELECT session_id, created_at, last_used_at, expires_at, ip, user_agent FROM sessions \
    WHERE user_id = $1 AND expires_at > now() ORDER BY last_used_at DESC, session_id LIMIT $2 OFFSET $3";
const COUNT: &str = "SELECT count(*) FROM sessions WHERE user_id = $1 AND expires_at > now()";
const END: &str = "DELETE FROM sessions WHERE user_id = $1 AND expires_at > now() \
    AND ($2::uuid IS NULL OR session_id = $2) AND ($3::uuid IS NULL OR session_id <> $3) RETURNING session_id";

/// Which of a user's sessions are to end.
#[derive(Clone, Copy, Debug)]
pub enum Ending {
    /// The one.
    This(SessionId),
    /// All but the one.
    AllBut(SessionId),
}

impl Auth {
    /// Lists a user's live sessions, the latest used first, and counts them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sessions_of(
        &self,
        app: &App,
        user_id: UserId,
        (limit, offset): (i64, i64),
    ) -> Result<(Vec<KeptSession>, i64), Error> {
        let failed = || Error::database("list sessions");
        let sessions = sqlx::query_as(OF_USER)
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
        Ok((sessions, total))
    }

    /// Ends sessions of a user and records each; nothing where [`Ending::This`] is none of his.
    ///
    /// # Errors
    /// When the database or the log fails.
    pub async fn end_sessions(
        &self,
        app: &App,
        user_id: UserId,
        ending: Ending,
        metadata: &Metadata,
    ) -> Result<Option<Done<user::Event>>, Error> {
        let (this, but) = match ending {
            Ending::This(id) => (Some(id.0), None),
            Ending::AllBut(id) => (None, Some(id.0)),
        };
        let mut transaction = app.database.begin().await?;
        let ended: Vec<Uuid> = sqlx::query_scalar(END)
            .bind(user_id.0)
            .bind(this)
            .bind(but)
            .fetch_all(transaction.connection())
            .await
            .map_err(Error::database("end sessions"))?;
        if this.is_some() && ended.is_empty() {
            transaction.rollback().await?;
            return Ok(None);
        }
        let session_ids = ended.into_iter().map(SessionId).collect();
        let command = user::Command::EndSessions(EndSessions { session_ids });
        let user = user_id.to_string();
        let done = app
            .execute_in::<User>(transaction, &user, command, metadata, None)
            .await?;
        Ok(Some(done))
    }
}
