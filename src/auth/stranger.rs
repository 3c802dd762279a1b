//! Attempts that nobody's password can be right for: the address is unknown, or the user is deactivated.
//!
//! They are counted, and locked out, like a user's own, so that guessing at an address does not tell whether it is
//! somebody's. The count is a row and not an event: there is no stream that it could be in.

use aggregates::user::{self, LOCK_OUT_AFTER, LOCK_OUT_FOR};
use chrono::{DateTime, TimeDelta, Utc};
use event_store::ExecuteError;
use sha2::{Digest as _, Sha256};

use super::{Auth, Error, token::hex};
use crate::app::App;

/// How long a count is kept after the last attempt; a user's own is for ever.
const KEPT: TimeDelta = TimeDelta::days(30);

const LOCKED_UNTIL: &str =
    "SELECT locked_until FROM failed_log_ins WHERE address_hash = $1 AND locked_until > $2";
const COUNT: &str = "INSERT INTO failed_log_ins AS f (address_hash, failures, last_at) VALUES ($1, 1, $2) \
    ON CONFLICT (address_hash) DO UPDATE SET last_at = EXCLUDED.last_at, \
    failures = CASE WHEN f.failures + 1 >= $3 THEN 0 ELSE f.failures + 1 END, \
    locked_until = CASE WHEN f.failures + 1 >= $3 THEN $4 ELSE f.locked_until END";
const SWEEP: &str = "DELETE FROM failed_log_ins WHERE last_at < $1";

impl Auth {
    /// Refuses an attempt after the work, and under the lock-out, that a user's wrong password would meet.
    pub(super) async fn turn_away(&self, app: &App, who: &str, password: &str) -> Error {
        match self.count_failure(app, who, password).await {
            Ok(()) => Error::WrongCredentials,
            Err(error) => error,
        }
    }

    async fn count_failure(&self, app: &App, who: &str, password: &str) -> Result<(), Error> {
        let address = Sha256::digest(who);
        let (mut turn, _slot) = self.turn(app, &hex(&address)).await?;
        let locked: Option<DateTime<Utc>> = sqlx::query_scalar(LOCKED_UNTIL)
            .bind(&address[..])
            .bind(Utc::now())
            .fetch_optional(turn.connection())
            .await
            .map_err(Error::database("read a lock-out"))?;
        if let Some(until) = locked {
            return Err(ExecuteError::Rejected(user::Error::LockedOut { until }).into());
        }
        self.passwords.matches(password, None).await?;
        let now = Utc::now();
        sqlx::query(COUNT)
            .bind(&address[..])
            .bind(now)
            .bind(i64::from(LOCK_OUT_AFTER))
            .bind(now + LOCK_OUT_FOR)
            .execute(turn.connection())
            .await
            .map_err(Error::database("count a failed log-in"))?;
        turn.commit().await?;
        Ok(())
    }

    /// Removes counts whose last attempt is long ago.
    pub(super) async fn sweep_strangers(&self, app: &App) -> Result<(), Error> {
        sqlx::query(SWEEP)
            .bind(Utc::now() - KEPT)
            .execute(app.database.pool())
            .await
            .map_err(Error::database("remove old counts of failed log-ins"))?;
        Ok(())
    }
}
