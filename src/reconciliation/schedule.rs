//! Who looks, and when.

use std::time::Duration;

use event_store::Database;
use sqlx::{Postgres, Transaction};

use super::look::Found;

const TRY_LEAD: &str = "SELECT pg_try_advisory_xact_lock(hashtext('reconciliation'), 0)";
const IS_DUE: &str =
    "SELECT ended_at + make_interval(secs => $1) <= now() FROM reconciliation WHERE id";
const END: &str = "UPDATE reconciliation SET ended_at = clock_timestamp(), campaigns = $1, drifted = $2, counters = $3, \
    corrections = $4 WHERE id";

/// The right to look, until it is ended or dropped: a transaction that holds a lock and, between its statements, nothing
/// that others wait for.
pub(super) struct Schedule(Transaction<'static, Postgres>);

impl Schedule {
    /// Takes the right to look where that is due and nobody else has it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn lead(
        database: &Database,
        interval: Duration,
    ) -> Result<Option<Self>, sqlx::Error> {
        if !is_due(database.pool(), interval).await? {
            return Ok(None);
        }
        let mut transaction = database.pool().begin().await?;
        let leads: bool = sqlx::query_scalar(TRY_LEAD)
            .fetch_one(&mut *transaction)
            .await?;
        // Somebody may have looked between the first question and the lock.
        let leads = leads && is_due(&mut *transaction, interval).await?;
        if !leads {
            transaction.rollback().await?;
            return Ok(None);
        }
        Ok(Some(Self(transaction)))
    }

    /// Notes what was found, from when on the next interval counts.
    ///
    /// # Errors
    /// When the database does not answer; then somebody looks again.
    pub(super) async fn end(mut self, found: Found) -> Result<(), sqlx::Error> {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        sqlx::query(END)
            .bind(number(found.campaigns))
            .bind(number(found.drifted))
            .bind(number(found.counters))
            .bind(number(found.corrections))
            .execute(&mut *self.0)
            .await?;
        self.0.commit().await
    }
}

async fn is_due(
    executor: impl sqlx::PgExecutor<'_>,
    interval: Duration,
) -> Result<bool, sqlx::Error> {
    let due: Option<bool> = sqlx::query_scalar(IS_DUE)
        .bind(interval.as_secs_f64())
        .fetch_optional(executor)
        .await?;
    Ok(due.unwrap_or(false))
}
