//! Read models with one table, one row a stream, one statement an event.
//!
//! Personas, proxies, keyword sets, scoring profiles and users differ in their columns and in what an event does to them; that is
//! all that a [`RowPerStream`] says. How an event finds its row, and how the statements reach the table, is here.

use chrono::{DateTime, Utc};
use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use sqlx::{
    FromRow, PgConnection, PgPool, Postgres,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

use crate::{
    Whose,
    runtime::{ApplyError, Projection, decode},
};

/// What an event does to its row.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// Which row an event is about, and what it leaves there whatever else it does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    /// The row's id: the stream's.
    pub(crate) id: Uuid,
    /// The row's version: the event's sequence.
    pub(crate) version: i64,
    /// When the row changed: when the event was recorded.
    pub(crate) time: DateTime<Utc>,
}

/// A projection with one row for each object of one kind.
pub(crate) trait RowPerStream: Send + Sync + 'static {
    /// The one table, and the projection's name.
    const TABLE: &'static [&'static str; 1];
    /// The one aggregate type.
    const AGGREGATE: &'static [&'static str; 1];
    /// What happens to the objects.
    type Event: DeserializeOwned + Send;

    /// Whether its rows show personal data.
    const PERSONAL: bool = false;

    /// Returns what an event does to its row.
    fn statement(at: At, event: Self::Event) -> Statement;
}

impl<T: RowPerStream> Projection for T {
    fn name(&self) -> &'static str {
        let [name] = T::TABLE;
        name
    }

    fn tables(&self) -> &'static [&'static str] {
        T::TABLE
    }

    fn reads(&self) -> &'static [&'static str] {
        T::AGGREGATE
    }

    fn shows_personal_data(&self) -> bool {
        T::PERSONAL
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            for event in events {
                T::statement(place(event)?, decode(event)?)
                    .execute(&mut *connection)
                    .await?;
            }
            Ok(())
        }
        .boxed()
    }
}

fn place(event: &Recorded) -> Result<At, ApplyError> {
    let id = event.aggregate_id.parse().map_err(|_| {
        let message = format!("the stream id names no {}", event.aggregate_type);
        ApplyError::poison(event, message)
    })?;
    Ok(At {
        id,
        version: i64::try_from(event.sequence).unwrap_or(i64::MAX),
        time: event.recorded_at,
    })
}

/// Reads an object by `sql`, whose parameters are the object's id and whose it may be; somebody else's is none.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn by_id<Row>(
    pool: &PgPool,
    sql: &'static str,
    whose: Whose,
    id: Uuid,
) -> Result<Option<Row>, sqlx::Error>
where
    Row: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    sqlx::query_as(sql)
        .bind(id)
        .bind(whose.owner())
        .fetch_optional(pool)
        .await
}
