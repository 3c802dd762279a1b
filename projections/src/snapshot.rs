//! One moment for several statements.

use sqlx::{PgPool, Postgres, Transaction};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Begins a reading transaction: all of its statements see the database as it is at the first of them.
///
/// Whoever asks may be dropped at any moment, as when a client goes away. sqlx rolls a dropped transaction back, but not
/// one that is dropped while it begins: its connection would go back to the pool inside a transaction that nobody knows
/// of. So it begins in a task of its own, which is not dropped.
///
/// # Errors
/// When the database does not answer.
pub async fn snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let begun = tokio::spawn(async move { pool.begin_with(BEGIN).await });
    begun.await.map_err(|_| sqlx::Error::WorkerCrashed)?
}
