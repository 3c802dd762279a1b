//! Read models that do not take in what was recorded: whoever waits for them waits in vain, and runs that they should show
//! are not seen.

use std::{fmt, time::Duration};

use sqlx::PgPool;

/// A read model that stands still.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Unread {
    /// Which one.
    pub projection: String,
    /// The event that it cannot apply; absent where nobody leads it.
    pub halted: Option<String>,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let projection = &self.projection;
        match &self.halted {
            Some(reason) => write!(f, "read model {projection}: it cannot go on: {reason}"),
            None => write!(
                f,
                "read model {projection}: nobody takes in what was recorded"
            ),
        }
    }
}

/// One that did not move since, and the first commit that it has not read waits for as long.
const UNREAD: &str = "SELECT c.name, c.halted FROM projection_checkpoints c \
    WHERE c.updated_at < now() - make_interval(secs => $1) AND (c.halted IS NOT NULL \
        OR (SELECT l.committed_at FROM event_log l WHERE l.base > c.position ORDER BY l.base LIMIT 1) \
            < now() - make_interval(secs => $1)) \
    ORDER BY c.name";

/// Finds every read model that has stood still for longer than this.
///
/// # Errors
/// When the database does not answer.
pub async fn unread(pool: &PgPool, patience: Duration) -> Result<Vec<Unread>, sqlx::Error> {
    let rows: Vec<(String, Option<String>)> = sqlx::query_as(UNREAD)
        .bind(patience.as_secs_f64())
        .fetch_all(pool)
        .await?;
    let found = rows.into_iter();
    Ok(found
        .map(|(projection, halted)| Unread { projection, halted })
        .collect())
}

#[cfg(test)]
mod tests {
    use event_store::Database;
    use projections::{campaigns::Campaigns, runtime::Runtime};

    use super::*;
    use crate::work::{
        testing::{database, leased},
        watchdog::PATIENCE,
    };

    async fn found(database: &Database) -> Vec<Unread> {
        unread(database.pool(), Duration::ZERO).await.unwrap()
    }

    #[tokio::test]
    async fn a_read_model_that_halted_or_that_nobody_leads_is_found_and_one_that_is_level_is_not() {
        let (_test, database) = database().await;
        leased(&database).await;
        while database.sequence().await.unwrap().is_none() {}
        let runtime = Runtime::new(database.clone(), vec![std::sync::Arc::new(Campaigns)]);
        runtime.catch_up().await.unwrap();
        assert_eq!(found(&database).await, []);

        leased(&database).await;
        while database.sequence().await.unwrap().is_none() {}
        let campaigns = |halted: Option<&str>| Unread {
            projection: "campaigns".to_owned(),
            halted: halted.map(str::to_owned),
        };
        assert_eq!(found(&database).await, [campaigns(None)]);
        let patient = unread(database.pool(), PATIENCE).await.unwrap();
        assert_eq!(patient, [], "it has not stood for long");

        sqlx::query("UPDATE projection_checkpoints SET halted = 'an event that does not read'")
            .execute(database.pool())
            .await
            .unwrap();
        assert_eq!(
            found(&database).await,
            [campaigns(Some("an event that does not read"))]
        );
    }
}
