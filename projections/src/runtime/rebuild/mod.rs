//! Rebuilding a projection beside the live one, comparing the two, and swapping them.
//!
//! The shadow is the same tables, with the same indexes under the same names, in a schema of their own, filled by the
//! same code under another search path. Called by the operator's tool. The invariant: the live tables serve queries
//! and take events in all the time. A comparison holds their projection still only while the shadow is brought level,
//! and then reads both in one snapshot; a swap is one short transaction.

mod compare;
mod swap;

use std::sync::Arc;

use event_store::{Database, Feed, Position};
use sqlx::{Connection, PgConnection};

pub use self::{
    compare::{Comparison, Difference},
    swap::SWAP_PATIENCE,
};
use super::{
    Error, Projection, checkpoint,
    page::{self, Bound, Page},
};

/// Rows of work that one step of a rebuild takes on, about (see [`Projection::weight`]). Larger than live: nobody waits
/// for single events.
pub const SHADOW_PAGE: u32 = 20_000;

/// How far the shadow has come.
#[derive(Clone, Copy, Debug, Default)]
struct Reached {
    position: Position,
    applied: u64,
}

/// A rebuild under way; dropped, it leaves its shadow for the next one to throw away.
pub struct Rebuild {
    database: Database,
    feed: Feed,
    projection: Arc<dyn Projection>,
    schema: String,
    shadow_name: String,
    reached: Reached,
    /// The page after what has been reached, where it is read already.
    ahead: Option<Page>,
    /// Not of the pool: its session holds the lock that keeps a second rebuild out, and loses it with this value.
    session: PgConnection,
}

const KEEP_OTHERS_OUT: &str = "SELECT pg_try_advisory_lock(hashtext('rebuild'), hashtext($1))";
const LET_OTHERS_IN: &str = "SELECT pg_advisory_unlock(hashtext('rebuild'), hashtext($1))";
/// The lock that every live step takes for its transaction, here for the session.
const HOLD: &str = "SELECT pg_advisory_lock(hashtext('projection'), hashtext($1))";
const LET_GO: &str = "SELECT pg_advisory_unlock(hashtext('projection'), hashtext($1))";

const STORAGE: &str =
    "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = $1::regclass";

/// The indexes of a table as statements: a constraint's definition where one stands behind the index.
const INDEXES: &str = "SELECT k.conname::text, pg_get_constraintdef(k.oid), pg_get_indexdef(i.indexrelid) \
    FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x') \
    WHERE i.indrelid = $1::regclass ORDER BY i.indexrelid";

impl Rebuild {
    /// Makes the empty shadow tables, throwing away those of an earlier rebuild that was broken off.
    ///
    /// # Errors
    /// [`Error::UnderWay`] while another rebuild of the projection runs, anywhere; otherwise when the database fails.
    pub async fn begin(database: Database, projection: Arc<dyn Projection>) -> Result<Self, Error> {
        let name = projection.name();
        let mut session = database.pool().acquire().await?.detach();
        let alone: bool = sqlx::query_scalar(KEEP_OTHERS_OUT)
            .bind(name)
            .fetch_one(&mut session)
            .await?;
        if !alone {
            return Err(Error::UnderWay(name));
        }
        let rebuild = Self {
            schema: format!("rebuild_{name}"),
            shadow_name: format!("rebuild:{name}"),
            feed: database.feed(),
            database,
            projection,
            reached: Reached::default(),
            ahead: None,
            session,
        };
        rebuild.make_tables().await?;
        Ok(rebuild)
    }

    /// Makes the tables with their indexes named as the live ones are: `LIKE … INCLUDING INDEXES` would make names up,
    /// and after a swap the schema's later migrations would not find theirs. `LIKE` leaves out storage parameters as
    /// well; without the live table's fill factor, updates would move rows.
    async fn make_tables(&self) -> Result<(), Error> {
        let mut transaction = self.database.pool().begin().await?;
        let schema = &self.schema;
        // Schema and table names cannot be parameters; these come from the program's own list of projections.
        for statement in [
            format!("DROP SCHEMA IF EXISTS {schema} CASCADE"),
            format!("CREATE SCHEMA {schema}"),
        ] {
            sqlx::query(&statement).execute(&mut *transaction).await?;
        }
        for table in self.projection.tables() {
            let live = format!("read.{table}");
            let mut statements = vec![format!(
                "CREATE TABLE {schema}.{table} (LIKE {live} INCLUDING ALL EXCLUDING INDEXES)"
            )];
            let storage: Option<String> = sqlx::query_scalar(STORAGE)
                .bind(&live)
                .fetch_one(&mut *transaction)
                .await?;
            if let Some(storage) = storage {
                statements.push(format!("ALTER TABLE {schema}.{table} SET ({storage})"));
            }
            let indexes: Vec<(Option<String>, Option<String>, String)> = sqlx::query_as(INDEXES)
                .bind(&live)
                .fetch_all(&mut *transaction)
                .await?;
            for (constraint, definition, index) in indexes {
                statements.push(match (constraint, definition) {
                    (Some(name), Some(definition)) => {
                        format!("ALTER TABLE {schema}.{table} ADD CONSTRAINT {name} {definition}")
                    }
                    _ => index.replacen(
                        &format!(" ON {live} "),
                        &format!(" ON {schema}.{table} "),
                        1,
                    ),
                });
            }
            for statement in &statements {
                sqlx::query(statement).execute(&mut *transaction).await?;
            }
        }
        checkpoint::forget(&mut transaction, &self.shadow_name).await?;
        checkpoint::read(&mut transaction, &self.shadow_name).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Returns how far the shadow has come.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.reached.position
    }

    /// Returns how many events the shadow has taken in.
    #[must_use]
    pub const fn applied(&self) -> u64 {
        self.reached.applied
    }

    /// Returns how far the live tables have come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live_position(&self) -> Result<Position, Error> {
        let mut connection = self.database.pool().acquire().await?;
        let (live, _) = checkpoint::read(&mut connection, self.projection.name()).await?;
        Ok(live)
    }

    /// Takes one page of the log into the shadow, nothing past `until` (the end of a commit: a checkpoint or the
    /// log's head), and reads the next page meanwhile; answers whether there was any.
    ///
    /// # Errors
    /// When an event cannot be applied or the database fails.
    pub async fn step(&mut self, until: Position) -> Result<bool, Error> {
        if self.reached.position >= until {
            return Ok(false);
        }
        let page = match self.ahead.take().filter(|page| page.next <= until) {
            Some(page) => page,
            None => self.read(self.reached.position, until).await?,
        };
        let ahead = async {
            if page.next >= until {
                return Ok(None);
            }
            self.read(page.next, until).await.map(Some)
        };
        let (written, ahead) = futures::join!(self.write(&page), ahead);
        self.reached = written?;
        self.ahead = ahead?;
        Ok(true)
    }

    /// Reads the page after a position, nothing past `until`. The log does not change, so it need not be the
    /// transaction that writes the page.
    async fn read(&self, from: Position, until: Position) -> Result<Page, Error> {
        let mut connection = self.database.pool().acquire().await?;
        let bound = Bound {
            rows: SHADOW_PAGE,
            until: Some(until),
        };
        page::read(
            &self.feed,
            &mut connection,
            self.projection.as_ref(),
            from,
            bound,
        )
        .await
    }

    /// Writes a page into the shadow and moves its checkpoint, in one transaction.
    async fn write(&self, page: &Page) -> Result<Reached, Error> {
        let mut transaction = self.database.pool().begin().await?;
        // What is lost with the server is a rebuild that would be begun anew anyway; the swap waits for the disk.
        sqlx::query("SET LOCAL synchronous_commit = off")
            .execute(&mut *transaction)
            .await?;
        let path = format!("SET LOCAL search_path = {}, public", self.schema);
        sqlx::query(&path).execute(&mut *transaction).await?;
        page::apply(&mut transaction, self.projection.as_ref(), page).await?;
        let count = page.events.len();
        checkpoint::advance(&mut transaction, &self.shadow_name, page.next, count).await?;
        transaction.commit().await?;
        Ok(Reached {
            position: page.next,
            applied: self.reached.applied + count as u64,
        })
    }

    /// Lets the planner know the shadow's tables, which grew from nothing in one go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn analyze(&self) -> Result<(), Error> {
        for table in self.projection.tables() {
            let statement = format!("ANALYZE {}.{table}", self.schema);
            sqlx::query(&statement)
                .execute(self.database.pool())
                .await?;
        }
        Ok(())
    }

    /// Throws the shadow away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn discard(self) -> Result<(), Error> {
        let mut transaction = self.database.pool().begin().await?;
        let drop = format!("DROP SCHEMA IF EXISTS {} CASCADE", self.schema);
        sqlx::query(&drop).execute(&mut *transaction).await?;
        checkpoint::forget(&mut transaction, &self.shadow_name).await?;
        transaction.commit().await?;
        self.release().await
    }

    /// Lets the next rebuild begin at once, not only when the server has noticed that the session is gone.
    async fn release(mut self) -> Result<(), Error> {
        sqlx::query(LET_OTHERS_IN)
            .bind(self.projection.name())
            .execute(&mut self.session)
            .await?;
        self.session.close().await?;
        Ok(())
    }
}
