//! One attempt to prove a password. Attempts for one user are made one after the other, on all nodes together.
//!
//! Otherwise somebody could have a hundred passwords compared at the same moment, before the first failure is counted,
//! and a lock-out after five would let a hundred guesses through.

use std::time::Duration;

use aggregates::{
    Actor, Metadata,
    ids::{SessionId, UserId},
    user::{self, User},
};
use chrono::Utc;
use event_store::{ExecuteError, Transaction};
use sqlx::PgConnection;
use tokio::time::Instant;

use super::{Auth, Error, password::Slot, tally::Tally};
use crate::{
    app::App,
    commands::{Done, Recorded},
};

/// How long an attempt waits for its turn.
const TURN: Duration = Duration::from_secs(5);
/// How long between two looks whether it has come.
const PAUSE: Duration = Duration::from_millis(20);

const TAKE_TURN: &str = "SELECT pg_try_advisory_xact_lock(hashtext('password'), hashtext($1))";
const HASH: &str = "SELECT password_hash FROM credentials WHERE user_id = $1";

/// The turn of an attempt that succeeded; nobody else's attempt for this user runs before it is over.
pub(super) struct Proven<'a> {
    turn: Transaction,
    /// Held to the end, so that there are no more turns, and connections for them, than cores.
    slot: Slot<'a>,
}

impl Proven<'_> {
    /// Returns the turn's connection, for what is stored with the command's event or not at all.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.turn.connection()
    }

    /// Records that sessions were ended, where any were, in the turn's transaction.
    pub(super) async fn end_sessions(
        &mut self,
        user_id: UserId,
        session_ids: Vec<SessionId>,
        metadata: &Metadata,
    ) -> Result<(), Error> {
        if session_ids.is_empty() {
            return Ok(());
        }
        let command = user::Command::EndSessions(user::EndSessions { session_ids });
        let user = user_id.to_string();
        self.turn.execute::<User>(&user, command, metadata).await?;
        Ok(())
    }

    /// Records what the attempt was for in the turn's transaction, ends the turn, and only then waits until queries
    /// show it.
    pub(super) async fn record(
        mut self,
        app: &App,
        user_id: UserId,
        command: user::Command,
        metadata: &Metadata,
    ) -> Result<Done<user::Event>, Error> {
        let aggregate_id = user_id.to_string();
        let committed = self
            .turn
            .execute::<User>(&aggregate_id, command, metadata)
            .await?;
        self.turn.commit().await?;
        drop(self.slot);
        Ok(app
            .settle::<User>(Recorded {
                aggregate_id,
                committed,
            })
            .await?)
    }
}

impl Auth {
    /// Compares a password with the user's; a wrong one is counted as a failed log-in.
    ///
    /// # Errors
    /// [`Error::WrongCredentials`], a lock-out ([`user::Error::LockedOut`]), or [`Error::Busy`].
    pub(super) async fn prove(
        &self,
        app: &App,
        user_id: UserId,
        password: &str,
        metadata: &Metadata,
    ) -> Result<Proven<'_>, Error> {
        let id = user_id.to_string();
        let ip = metadata.ip.as_deref();
        let (mut turn, slot) = self.turn(app, &id).await?;
        let here = Tally::from_address(&id, ip);
        here.must_be_open(turn.connection()).await?;
        let (user, _) = turn.load::<User>(&id).await?;
        if let Some(until) = user.locked_out_at(Utc::now()) {
            return Err(ExecuteError::Rejected(user::Error::LockedOut { until }).into());
        }
        if !user.is_active() {
            drop((turn, slot));
            return Err(self.turn_away(app, &id, ip, password).await);
        }
        let hash: Option<String> = sqlx::query_scalar(HASH)
            .bind(user_id.0)
            .fetch_optional(turn.connection())
            .await
            .map_err(Error::database("read a password hash"))?;
        if self.passwords.matches(password, hash).await? {
            here.forget(turn.connection()).await?;
            return Ok(Proven { turn, slot });
        }
        here.count(turn.connection()).await?;
        let failed = user::Command::FailLogIn(user::FailLogIn { at: Utc::now() });
        let metadata = Metadata {
            actor: Actor::Anonymous,
            idempotency: None,
            ..metadata.clone()
        };
        turn.execute::<User>(&id, failed, &metadata).await?;
        turn.commit().await?;
        Err(Error::WrongCredentials)
    }

    /// Waits for a core and for the turn of whoever is named. The core comes first, so that attempts hold no more connections than
    /// there are cores.
    pub(super) async fn turn(
        &self,
        app: &App,
        who: &str,
    ) -> Result<(Transaction, Slot<'_>), Error> {
        let deadline = Instant::now() + TURN;
        loop {
            let slot = self.passwords.slot().await?;
            let mut turn = app.database.begin().await?;
            let taken: bool = sqlx::query_scalar(TAKE_TURN)
                .bind(who)
                .fetch_one(turn.connection())
                .await
                .map_err(Error::database("wait for an attempt's turn"))?;
            if taken {
                return Ok((turn, slot));
            }
            drop((turn, slot));
            if Instant::now() >= deadline {
                return Err(Error::Busy);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
