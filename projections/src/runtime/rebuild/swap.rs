//! Putting the shadow in the live tables' place.
//!
//! Nobody is to look at the shadow with a snapshot from before it was level: after the swap such a reader, for whom the
//! live tables were fine, would miss the shadow's last rows, or all of them. So a swap waits until every older reader has
//! ended. One that takes minutes (a check, a dump) is waited for while the live projection goes on; those that came in
//! the moment of bringing the shadow level are few and short, and only for them it stands still. Called by the rebuild.

use std::time::{Duration, Instant};

use event_store::{Position, describe};
use sqlx::Connection as _;

use super::{HOLD, LET_GO, Rebuild};
use crate::runtime::{Error, checkpoint};

/// How long a swap is tried while readers are in its way: longer than a check or a dump of tens of millions of rows.
pub const SWAP_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// The pause between two tries, in which waiting readers get their turn and the live projection takes events in.
const TRY_PAUSE: Duration = Duration::from_millis(50);

/// How long the live projection stands still for readers at most.
const STANDSTILL: Duration = Duration::from_millis(500);

/// The pause after the first look at the readers; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

const MOMENT: &str = "SELECT clock_timestamp()::text";
/// Snapshots of this database from transactions that began before the moment. Not by the age of `backend_xmin`: one
/// writer that stays open makes those of all later readers old.
const OLDER_READERS: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
    AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND backend_xmin IS NOT NULL \
    AND xact_start < $1::timestamptz)";

/// A vacuum that the server runs by itself gives way to a lock, once the lock has waited for this long. The setting is a
/// superuser's, as the private server's role is; where it may not be set, a swap waits until the vacuum has ended.
const END_VACUUMS: &str = "DO $$ BEGIN PERFORM set_config('deadlock_timeout', '50ms', true); \
    EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

impl Rebuild {
    /// Puts the shadow in the live tables' place, not behind them, in one transaction; queries that run meanwhile wait
    /// for a moment and none fails. Readers that are in the way are waited for, `patience` at most. A swap that fails
    /// throws the shadow away.
    ///
    /// # Errors
    /// [`Error::Busy`] when readers never let go of the live tables; otherwise when an event cannot be applied or the
    /// database fails.
    pub async fn swap(mut self, patience: Duration) -> Result<Position, Error> {
        match self.keep_trying(patience).await {
            Ok(()) => {
                let (name, position) = (self.projection.name(), self.reached.position);
                if let Err(error) = self.release().await {
                    tracing::warn!(projection = name, error = %describe(&error), "the rebuild's session is left to the server");
                }
                Ok(position)
            }
            Err(error) => {
                let name = self.projection.name();
                if let Err(error) = self.discard().await {
                    tracing::warn!(projection = name, error = %describe(&error), "the shadow tables are left behind");
                }
                Err(error)
            }
        }
    }

    async fn keep_trying(&mut self, patience: Duration) -> Result<(), Error> {
        let name = self.projection.name();
        let deadline = Instant::now() + patience;
        self.forbid_vacuums(patience)
            .await
            .map_err(|error| match is_in_the_way(&error) {
                true => Error::Busy(name),
                false => error,
            })?;
        loop {
            self.outlast_older_readers(deadline).await?;
            // What came meanwhile, before the live projection is held for the rest.
            let live = self.live_position().await?;
            while self.step(live).await? {}
            sqlx::query(HOLD)
                .bind(name)
                .execute(&mut self.session)
                .await?;
            let tried = self.try_swap().await;
            let let_go = sqlx::query(LET_GO)
                .bind(name)
                .execute(&mut self.session)
                .await;
            match tried {
                // The lock ends with the session at the latest.
                Ok(()) => return Ok(()),
                Err(error) if !is_in_the_way(&error) => return Err(error),
                Err(_) if Instant::now() > deadline => return Err(Error::Busy(name)),
                Err(_) => {
                    let_go?;
                    tokio::time::sleep(TRY_PAUSE).await;
                }
            }
        }
    }

    /// Keeps the server from vacuuming the shadow from here on, as it did with the rows that died while the shadow was
    /// filled: a vacuum would stand in the way of a try. One that runs is ended, or waited for.
    async fn forbid_vacuums(&mut self, patience: Duration) -> Result<(), Error> {
        let most = u128::from(i32::MAX.unsigned_abs());
        let limit = patience.as_millis().clamp(1, most);
        let mut statements = vec![
            format!("SET LOCAL lock_timeout = {limit}"),
            END_VACUUMS.to_owned(),
        ];
        for table in self.projection.tables() {
            statements.push(format!(
                "ALTER TABLE {}.{table} SET (autovacuum_enabled = false)",
                self.schema
            ));
        }
        let mut transaction = self.session.begin().await?;
        for statement in &statements {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Swaps while the live projection is held still.
    async fn try_swap(&mut self) -> Result<(), Error> {
        let live = self.live_position().await?;
        while self.step(live).await? {}
        self.outlast_older_readers(Instant::now() + STANDSTILL)
            .await?;
        let schema = &self.schema;
        let tables = self.projection.tables();
        let all_of = |schema: &str| -> Vec<String> {
            tables
                .iter()
                .map(|table| format!("{schema}.{table}"))
                .collect()
        };
        let lock = |tables: Vec<String>| {
            format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "))
        };
        // All or none, and never waiting long: a swap that waits makes every later query wait behind it. Therefore the
        // live tables come last, when nothing else is left to wait for.
        let mut statements = vec![
            "SET LOCAL lock_timeout = '200ms'".to_owned(),
            END_VACUUMS.to_owned(),
            lock(all_of(schema)),
            lock(all_of("read")),
        ];
        for table in tables {
            statements.push(format!("DROP TABLE read.{table}"));
            statements.push(format!("ALTER TABLE {schema}.{table} SET SCHEMA read"));
            statements.push(format!(
                "ALTER TABLE read.{table} RESET (autovacuum_enabled)"
            ));
        }
        statements.push(format!("DROP SCHEMA {schema} CASCADE"));
        let mut transaction = self.session.begin().await?;
        for statement in &statements {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        let applied = i64::try_from(self.reached.applied).unwrap_or(i64::MAX);
        checkpoint::put(
            &mut transaction,
            self.projection.name(),
            self.reached.position,
            applied,
        )
        .await?;
        checkpoint::forget(&mut transaction, &self.shadow_name).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Waits until every reader that took its snapshot before this moment has ended.
    ///
    /// # Errors
    /// [`Error::Busy`] when one is left at the deadline.
    async fn outlast_older_readers(&mut self, deadline: Instant) -> Result<(), Error> {
        let moment: String = sqlx::query_scalar(MOMENT)
            .fetch_one(&mut self.session)
            .await?;
        let mut pause = FIRST_PAUSE;
        loop {
            let older: bool = sqlx::query_scalar(OLDER_READERS)
                .bind(&moment)
                .fetch_one(&mut self.session)
                .await?;
            if !older {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(Error::Busy(self.projection.name()));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Says whether only readers kept a try from succeeding, so that another may.
fn is_in_the_way(error: &Error) -> bool {
    // 55P03: the lock was not had in time; 40P01: two waited for each other and this one gave way.
    match error {
        Error::Busy(_) => true,
        Error::Database(sqlx::Error::Database(error)) => error
            .code()
            .is_some_and(|code| code == "55P03" || code == "40P01"),
        _ => false,
    }
}
