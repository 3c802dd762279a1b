//! Live sessions: finding, prolonging and ending them.
//!
//! A session ends when it was not used for a while, which each use puts off, and some time after its log-in whatever
//! happens. How far its end was put off is written once a minute at most, so that a use costs a read.

use aggregates::{
    Metadata,
    ids::{SessionId, UserId},
    user::{self, Role, User},
};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{Admitted, Auth, Credential, Error, Origin, token::SessionKey};
use crate::{
    app::App,
    commands::{Done, Recorded},
};

#[derive(FromRow)]
struct Found {
    session_id: Uuid,
    user_id: Uuid,
    role: String,
    unnoted: bool,
}

/// What the user may do is asked of a table that his events' own transactions write: a read model may be behind.
const FIND: &str = "
SELECT s.session_id, s.user_id, a.role, s.last_used_at < now() - interval '1 minute' AS unnoted
FROM sessions s JOIN user_access a ON a.user_id = s.user_id
WHERE s.session_hash = $1 AND s.expires_at > now() AND a.active";
const IS_LIVE: &str = "
SELECT EXISTS (SELECT FROM sessions s JOIN user_access a ON a.user_id = s.user_id
WHERE s.session_id = $1 AND s.expires_at > now() AND a.active AND a.role = $2)";
const BEGIN: &str = "INSERT INTO sessions (session_hash, session_id, user_id, expires_at, ip, user_agent) \
    VALUES ($1, $2, $3, $4, $5, $6)";
const PROLONG: &str = "UPDATE sessions SET last_used_at = now(), expires_at = least(now() + $2, created_at + $3) \
    WHERE session_id = $1 AND expires_at > now() RETURNING expires_at";
const END: &str = "DELETE FROM sessions WHERE session_id = $1";
/// The most sessions of a user.
const MOST: i64 = 100;
const MAKE_ROOM: &str = "DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions \
    WHERE user_id = $1 AND expires_at > now() ORDER BY last_used_at DESC, session_id OFFSET $2) RETURNING session_id";
const SWEEP: &str = "DELETE FROM sessions WHERE expires_at <= now()";

impl Auth {
    /// Finds the user of a session's token, and notes that it was used.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn session(&self, app: &App, token: &str) -> Result<Option<Admitted>, Error> {
        let Some(key) = SessionKey::from_token(token, &self.settings.secret) else {
            return Ok(None);
        };
        let found: Option<Found> = sqlx::query_as(FIND)
            .bind(key.hash())
            .fetch_optional(app.database.pool())
            .await
            .map_err(Error::database("find a session"))?;
        let Some(found) = found else {
            return Ok(None);
        };
        let session_id = SessionId(found.session_id);
        if found.unnoted {
            self.prolong(app, session_id).await?;
        }
        Ok(Some(Admitted {
            user_id: UserId(found.user_id),
            role: found.role.parse()?,
            credential: Credential::Session(session_id),
        }))
    }

    /// Says whether a session is live and its user may do what he might when it was found.
    pub(super) async fn is_live(
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

    /// Puts the end of a session off, as a use of it does; nothing where it is over. Returns when it ends now.
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
            .bind(span(self.settings.session_idle))
            .bind(span(self.settings.session_longest))
            .fetch_optional(app.database.pool())
            .await
            .map_err(Error::database("prolong a session"))
    }

    /// Ends a session and records it, both or neither; nothing where somebody else ended it at the same moment. The session is
    /// over before anybody hears so.
    ///
    /// # Errors
    /// When the database or the log fails.
    pub async fn log_out(
        &self,
        app: &App,
        user_id: UserId,
        session_id: SessionId,
        metadata: &Metadata,
    ) -> Result<Option<Done<user::Event>>, Error> {
        let aggregate_id = user_id.to_string();
        let command = user::Command::LogOut(user::LogOut { session_id });
        let mut transaction = app.database.begin().await?;
        let ended = sqlx::query(END)
            .bind(session_id.0)
            .execute(transaction.connection())
            .await
            .map_err(Error::database("end a session"))?;
        if ended.rows_affected() == 0 {
            transaction.rollback().await?;
            return Ok(None);
        }
        let committed = transaction
            .execute::<User>(&aggregate_id, command, metadata)
            .await?;
        transaction.commit().await?;
        let recorded = Recorded {
            aggregate_id,
            committed,
        };
        Ok(Some(app.settle::<User>(recorded).await?))
    }

    /// Removes what is over: sessions, keys, and counts of wrong passwords.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sweep(&self, app: &App) -> Result<u64, Error> {
        self.sweep_tallies(app).await?;
        self.sweep_keys(app).await?;
        let swept = sqlx::query(SWEEP)
            .execute(app.database.pool())
            .await
            .map_err(Error::database("remove sessions that are over"))?;
        Ok(swept.rows_affected())
    }

    /// Returns when a session that begins now ends unless it is used.
    pub(super) fn end_of_session(&self) -> DateTime<Utc> {
        let idle = self.settings.session_idle;
        Utc::now() + span(idle.min(self.settings.session_longest))
    }
}

/// Writes a duration as the database takes it; one that is too long to be said is as long as can be.
fn span(duration: std::time::Duration) -> TimeDelta {
    const LONGEST: TimeDelta = TimeDelta::days(36_500);
    TimeDelta::from_std(duration).map_or(LONGEST, |span| span.min(LONGEST))
}

/// Ends the sessions of a user that were not used for longest, so that there is room for another; returns which.
pub(super) async fn make_room(
    connection: &mut PgConnection,
    user_id: UserId,
) -> Result<Vec<SessionId>, Error> {
    let ended: Vec<Uuid> = sqlx::query_scalar(MAKE_ROOM)
        .bind(user_id.0)
        .bind(MOST - 1)
        .fetch_all(connection)
        .await
        .map_err(Error::database("end sessions"))?;
    Ok(ended.into_iter().map(SessionId).collect())
}

/// Writes a session in the transaction of its log-in.
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
