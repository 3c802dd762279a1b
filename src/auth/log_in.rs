//! Logging in.

use aggregates::{
    Actor,
    ids::{SessionId, UserId},
    user,
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Auth, Error, Origin, session, token::SessionKey};
use crate::{app::App, commands::Done};

/// A log-in that succeeded.
#[derive(Debug)]
pub struct LoggedIn {
    /// The user.
    pub user_id: UserId,
    /// The session's token: the only copy there is.
    pub token: String,
    /// When the session ends unless it is prolonged.
    pub expires_at: DateTime<Utc>,
    /// What was recorded.
    pub done: Done<user::Event>,
}

const FIND: &str = "SELECT user_id FROM user_emails WHERE email = $1";

impl Auth {
    /// Lets somebody in who knows the password, and begins a session.
    ///
    /// An unknown user, a wrong password and a deactivated user are answered alike, the lock-out after too many attempts
    /// included. Each takes a turn, compares a hash and commits; what is committed differs (an event of a user's stream,
    /// a row for a stranger), so the times are close and not the same. A stranger's count ends after 30 days.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], a lock-out, or a failing database.
    pub async fn log_in(
        &self,
        app: &App,
        email: &str,
        password: &str,
        origin: &Origin,
    ) -> Result<LoggedIn, Error> {
        let email = email.trim().to_lowercase();
        let found: Option<Uuid> = sqlx::query_scalar(FIND)
            .bind(&email)
            .fetch_optional(app.database.pool())
            .await
            .map_err(Error::database("find a user"))?;
        let Some(user_id) = found.map(UserId) else {
            let ip = origin.ip.as_deref();
            return Err(self.turn_away(app, &email, ip, password).await);
        };
        let metadata = origin.metadata(Actor::User(user_id));
        let mut proven = self.prove(app, user_id, password, &metadata).await?;
        let crowded_out = session::make_room(proven.connection(), user_id).await?;
        proven.end_sessions(user_id, crowded_out, &metadata).await?;
        let key = SessionKey::random();
        let session_id = SessionId(Uuid::now_v7());
        let expires_at = self.end_of_session();
        session::begin(
            proven.connection(),
            &key,
            session_id,
            user_id,
            expires_at,
            origin,
        )
        .await?;
        let command = user::Command::LogIn(user::LogIn {
            session_id,
            at: Utc::now(),
        });
        let done = proven.record(app, user_id, command, &metadata).await?;
        Ok(LoggedIn {
            user_id,
            token: key.token(&self.settings.secret),
            expires_at,
            done,
        })
    }
}
