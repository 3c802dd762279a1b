//! A tree that does not follow its log.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::Tree;
use crate::{Error, Position, moment::Moment};

/// How long a commit may wait for the tree: keepers are some half a second behind, and a minute behind a long burst.
const PATIENCE: Duration = Duration::from_secs(60);

/// What waits for the tree for longer than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overdue {
    /// The first position that the tree does not cover.
    pub position: Position,
    /// When it was given.
    pub since: DateTime<Utc>,
}

const FIND: &str = "
SELECT base, committed_at
FROM (SELECT base, committed_at FROM event_log WHERE base > (SELECT size FROM log_tree) ORDER BY base LIMIT 1) waits
WHERE committed_at < clock_timestamp() - make_interval(secs => $1)";

impl Tree {
    /// Tells whether events wait for the tree for longer than a minute: then nobody keeps it, or cannot.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn overdue(&self) -> Result<Option<Overdue>, Error> {
        let acquired = self.database.pool().acquire().await;
        let mut connection = acquired.map_err(Error::database("look at the tree"))?;
        self.overdue_in(&mut connection).await
    }

    /// Tells the same inside the caller's transaction.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn overdue_in(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Option<Overdue>, Error> {
        let found: Option<(i64, Moment)> = sqlx::query_as(FIND)
            .bind(PATIENCE.as_secs_f64())
            .fetch_optional(connection)
            .await
            .map_err(Error::database("look at the tree"))?;
        Ok(found.map(|(base, since)| Overdue {
            position: Position::from_i64(base),
            since: since.nearest(),
        }))
    }
}
