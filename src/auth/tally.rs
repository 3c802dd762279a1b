//! Counts of wrong passwords, kept as rows: of an account from one address, and, where there is no user whose events could
//! count, of an account from everywhere.
//!
//! An address is locked out after five in a row, for a quarter of an hour first and twice as long each time after; the account
//! for everybody only after fifty in a row from everywhere. So whoever knows an address of mail cannot keep its user out from
//! one place: the waits between fifty attempts add up to more than two days, and one log-in of the user begins the count
//! anew. An account that is nobody's is counted in the same way, so that a lock-out does not tell who has one.

use std::net::IpAddr;

use aggregates::user::{self, LOCK_OUT_AFTER, LOCK_OUT_FOR};
use chrono::{DateTime, TimeDelta, Utc};
use event_store::ExecuteError;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;

use super::{Auth, Error, neighbourhood::neighbourhood};
use crate::app::App;

/// How many wrong passwords in a row lock an address out of an account.
const ADDRESS_LOCK_OUT_AFTER: u32 = 5;
/// How often the time of a lock-out doubles: a quarter of an hour becomes sixteen hours.
const DOUBLINGS: i32 = 6;
/// How long a count is kept after the last attempt.
const KEPT: TimeDelta = TimeDelta::days(30);

const LOCKED_UNTIL: &str =
    "SELECT locked_until FROM failed_log_ins WHERE counted_hash = $1 AND locked_until > $2";
const COUNT: &str = "INSERT INTO failed_log_ins AS f (counted_hash, failures, last_at) VALUES ($1, 1, $2) \
    ON CONFLICT (counted_hash) DO UPDATE SET last_at = EXCLUDED.last_at, \
    failures = CASE WHEN f.failures + 1 >= $3 THEN 0 ELSE f.failures + 1 END, \
    lock_outs = f.lock_outs + CASE WHEN f.failures + 1 >= $3 THEN 1 ELSE 0 END, \
    locked_until = CASE WHEN f.failures + 1 >= $3 THEN $2 + $4 * (1 << least(f.lock_outs, $5)) ELSE f.locked_until END";
const FORGET: &str = "DELETE FROM failed_log_ins WHERE counted_hash = $1";
const SWEEP: &str = "DELETE FROM failed_log_ins WHERE last_at < $1";

/// Whose wrong passwords are counted together.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    hash: [u8; 32],
    lock_out_after: u32,
    doublings: i32,
}

impl Tally {
    /// Those to an account from one address; those whose address nobody knows are of one.
    pub(super) fn from_address(account: &str, ip: Option<&str>) -> Self {
        let address = ip.and_then(|ip| ip.parse::<IpAddr>().ok());
        let address = address.map(|address| neighbourhood(address).to_string());
        let hash = Sha256::new()
            .chain_update(account)
            .chain_update([0])
            .chain_update(address.unwrap_or_default());
        Self {
            hash: hash.finalize().into(),
            lock_out_after: ADDRESS_LOCK_OUT_AFTER,
            doublings: DOUBLINGS,
        }
    }

    /// Those to an account from everywhere, as the events of a user count them.
    pub(super) fn from_everywhere(account: &str) -> Self {
        Self {
            hash: Sha256::digest(account).into(),
            lock_out_after: LOCK_OUT_AFTER,
            doublings: 0,
        }
    }

    /// Refuses during a lock-out.
    ///
    /// # Errors
    /// [`user::Error::LockedOut`].
    pub(super) async fn must_be_open(&self, connection: &mut PgConnection) -> Result<(), Error> {
        let locked: Option<DateTime<Utc>> = sqlx::query_scalar(LOCKED_UNTIL)
            .bind(&self.hash[..])
            .bind(Utc::now())
            .fetch_optional(connection)
            .await
            .map_err(Error::database("read a lock-out"))?;
        match locked {
            Some(until) => Err(ExecuteError::Rejected(user::Error::LockedOut { until }).into()),
            None => Ok(()),
        }
    }

    /// Counts a wrong password.
    pub(super) async fn count(&self, connection: &mut PgConnection) -> Result<(), Error> {
        sqlx::query(COUNT)
            .bind(&self.hash[..])
            .bind(Utc::now())
            .bind(i64::from(self.lock_out_after))
            .bind(LOCK_OUT_FOR)
            .bind(self.doublings)
            .execute(connection)
            .await
            .map_err(Error::database("count a failed log-in"))?;
        Ok(())
    }

    /// Begins anew, after the right password.
    pub(super) async fn forget(&self, connection: &mut PgConnection) -> Result<(), Error> {
        sqlx::query(FORGET)
            .bind(&self.hash[..])
            .execute(connection)
            .await
            .map_err(Error::database("forget failed log-ins"))?;
        Ok(())
    }
}

impl Auth {
    /// Removes counts whose last attempt is long ago.
    pub(super) async fn sweep_tallies(&self, app: &App) -> Result<(), Error> {
        sqlx::query(SWEEP)
            .bind(Utc::now() - KEPT)
            .execute(app.database.pool())
            .await
            .map_err(Error::database("remove old counts of failed log-ins"))?;
        Ok(())
    }
}
