//! How far each projection has come.

use event_store::Position;
use sqlx::{PgConnection, PgPool};

/// How far a projection has come.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// The projection.
    pub name: String,
    /// The last position that it has taken in.
    pub position: i64,
    /// How many events of its types that were.
    pub applied: i64,
    /// The event that it cannot apply, when it stands still.
    pub halted: Option<String>,
}

const ALL: &str =
    "SELECT name, position, applied, halted FROM projection_checkpoints ORDER BY name";

/// Reads every projection's checkpoint.
///
/// # Errors
/// When the database does not answer.
pub async fn checkpoints(pool: &PgPool) -> Result<Vec<Checkpoint>, sqlx::Error> {
    sqlx::query_as(ALL).fetch_all(pool).await
}

const TRY_LEAD: &str = "SELECT pg_try_advisory_xact_lock(hashtext('projection'), hashtext($1))";
const MAKE: &str = "INSERT INTO projection_checkpoints (name) VALUES ($1) ON CONFLICT DO NOTHING";
const READ: &str = "SELECT position, applied FROM projection_checkpoints WHERE name = $1";
const MOVE: &str = "UPDATE projection_checkpoints SET position = $2, applied = applied + $3, halted = NULL, \
    updated_at = now() WHERE name = $1";
/// A projection whose first page fails has no row: the one that the step made was taken back with the page.
const HALT: &str = "INSERT INTO projection_checkpoints AS known (name, halted) VALUES ($1, $2) \
    ON CONFLICT (name) DO UPDATE SET halted = EXCLUDED.halted, updated_at = now() \
    WHERE known.halted IS DISTINCT FROM EXCLUDED.halted";
const PUT: &str = "INSERT INTO projection_checkpoints (name, position, applied) VALUES ($1, $2, $3) \
    ON CONFLICT (name) DO UPDATE SET position = EXCLUDED.position, applied = EXCLUDED.applied, halted = NULL, \
    updated_at = now()";
const FORGET: &str = "DELETE FROM projection_checkpoints WHERE name = $1";

pub(super) async fn try_lead(
    connection: &mut PgConnection,
    name: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(TRY_LEAD)
        .bind(name)
        .fetch_one(connection)
        .await
}

pub(super) async fn read(
    connection: &mut PgConnection,
    name: &str,
) -> Result<(Position, i64), sqlx::Error> {
    let found: Option<(i64, i64)> = sqlx::query_as(READ)
        .bind(name)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some((position, applied)) = found {
        return Ok((Position::from_i64(position), applied));
    }
    sqlx::query(MAKE).bind(name).execute(connection).await?;
    Ok((Position::START, 0))
}

pub(super) async fn advance(
    connection: &mut PgConnection,
    name: &str,
    to: Position,
    applied: usize,
) -> Result<(), sqlx::Error> {
    sqlx::query(MOVE)
        .bind(name)
        .bind(to.as_i64())
        .bind(i64::try_from(applied).unwrap_or(i64::MAX))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes why a projection stands still; answers whether that was not known yet.
pub(super) async fn halt(pool: &PgPool, name: &str, reason: &str) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query(HALT)
        .bind(name)
        .bind(reason)
        .execute(pool)
        .await?;
    Ok(noted.rows_affected() > 0)
}

pub(super) async fn put(
    connection: &mut PgConnection,
    name: &str,
    position: Position,
    applied: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(PUT)
        .bind(name)
        .bind(position.as_i64())
        .bind(applied)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn forget(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query(FORGET).bind(name).execute(connection).await?;
    Ok(())
}
