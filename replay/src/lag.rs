//! Lag: how far behind the log everything is that follows it.

use std::time::Duration;

use event_store::{Database, Position};
use projections::snapshot;
use sqlx::PgConnection;

use crate::Error;

/// How the tree over the log is called among those that follow it.
const TREE: &str = "tree";
/// How what waits for positions is called among those that follow the log.
pub const SEQUENCER: &str = "sequencer";

/// How far behind the log everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The last position.
    pub head: Position,
    /// Who gives positions, the tree, and every projection.
    pub followers: Vec<Follower>,
}

/// Something that follows the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// The projection, `tree`, or `sequencer`.
    pub name: &'static str,
    /// The last position that it has taken in; of the sequencer, the last that it has given.
    pub position: Position,
    /// How many events of the log come after it; of the sequencer, how many wait for a position.
    pub behind: u64,
    /// How long the first of them waits.
    pub age: Duration,
    /// Why it stands still, where it does.
    pub halted: Option<String>,
}

/// Tells how far behind everything is, at one moment.
///
/// # Errors
/// When the database fails.
pub async fn lag(database: &Database) -> Result<Lag, Error> {
    let mut snapshot = snapshot(database.pool()).await?;
    let (tree, head) = database.tree().size_and_head_in(&mut snapshot).await?;
    let mut followers = vec![
        sequencer(&mut snapshot, head).await?,
        at(&mut snapshot, TREE, tree, head).await?,
    ];
    for projection in projections::all() {
        let name = projection.name();
        let (position, halted) = checkpoint(&mut snapshot, name).await?;
        let follower = at(&mut snapshot, name, position, head).await?;
        followers.push(Follower { halted, ..follower });
    }
    snapshot.rollback().await?;
    let head = Position::new(head);
    Ok(Lag { head, followers })
}

/// How long ago a commit was noted, seconds. A moment that no calendar has was never.
const WAITING: &str = "
SELECT coalesce(sum(events), 0)::bigint,
       coalesce(max(CASE WHEN isfinite(noted_at) THEN extract(epoch FROM clock_timestamp() - noted_at) END), 0)::float8
FROM event_inbox";

async fn sequencer(connection: &mut PgConnection, head: u64) -> Result<Follower, sqlx::Error> {
    let (waiting, age): (i64, f64) = sqlx::query_as(WAITING).fetch_one(connection).await?;
    Ok(Follower {
        name: SEQUENCER,
        position: Position::new(head),
        behind: u64::try_from(waiting).unwrap_or(0),
        age: seconds(age),
        halted: None,
    })
}

/// How long ago the first commit after a position was given its positions, seconds.
const AGE: &str = "
SELECT CASE WHEN isfinite(committed_at) THEN extract(epoch FROM clock_timestamp() - committed_at)::float8 ELSE 0 END
FROM event_log WHERE base > $1 ORDER BY base LIMIT 1";

async fn at(
    connection: &mut PgConnection,
    name: &'static str,
    position: u64,
    head: u64,
) -> Result<Follower, sqlx::Error> {
    let position = Position::new(position);
    let age: Option<f64> = sqlx::query_scalar(AGE)
        .bind(position.as_i64())
        .fetch_optional(connection)
        .await?;
    Ok(Follower {
        name,
        position,
        behind: head.saturating_sub(position.get()),
        age: seconds(age.unwrap_or(0.0)),
        halted: None,
    })
}

const CHECKPOINT: &str = "SELECT position, halted FROM projection_checkpoints WHERE name = $1";

/// A projection that has taken in nothing yet has no row.
async fn checkpoint(
    connection: &mut PgConnection,
    name: &str,
) -> Result<(u64, Option<String>), sqlx::Error> {
    let found: Option<(i64, Option<String>)> = sqlx::query_as(CHECKPOINT)
        .bind(name)
        .fetch_optional(connection)
        .await?;
    let (position, halted) = found.unwrap_or_default();
    Ok((Position::from_i64(position).get(), halted))
}

/// A clock that was set back makes nobody late.
fn seconds(age: f64) -> Duration {
    Duration::try_from_secs_f64(age.max(0.0)).unwrap_or(Duration::MAX)
}
