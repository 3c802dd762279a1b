//! One moment for several statements.

use sqlx::{PgPool, Postgres, Transaction};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Begins a reading transaction: all of its statements see the database as it is at the first of them.
///
/// # Errors
/// When the database does not answer.
pub async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    pool.begin_with(BEGIN).await
}

/// For this transaction: what one campaign's rows say is read by an index, so that it costs what the campaign has, and not
/// what everybody's do.
pub(crate) const STAY_IN_THE_CAMPAIGN: &str = "SELECT set_config('enable_seqscan', 'off', true)";

/// Begins a [`snapshot`] for questions about one campaign's rows.
///
/// # Errors
/// When the database does not answer.
pub async fn snapshot_of_campaign(
    pool: &PgPool,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut snapshot = snapshot(pool).await?;
    sqlx::query(STAY_IN_THE_CAMPAIGN)
        .execute(&mut *snapshot)
        .await?;
    Ok(snapshot)
}
