//! Rebuilding a projection beside the live one, comparing the two, and swapping them.
//!
//! The shadow is the same tables in a schema of their own, filled by the same code under another search path. It
//! follows the log until it is level with the live tables; the last step holds the projection's advisory lock, so
//! the live tables stand still while the two are compared and swapped, for a moment and in one transaction.

use std::{sync::Arc, time::Duration};

use event_store::{Database, Feed, Position};
use sqlx::{Connection, PgConnection, Row};

use super::{Error, Projection, checkpoint, runner::take_in};

/// Events that one step of a rebuild takes, about. Larger than live: nobody waits for single events.
pub const SHADOW_PAGE: u32 = 20_000;

/// How often a swap is tried when readers hold the live tables.
const SWAP_TRIES: u32 = 100;

/// How many differing rows are reported in full; the rest is counted.
const REPORTED: i64 = 20;

/// Rows of a table in which live and rebuilt differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// `live` when only the live table has the row, `rebuilt` when only the shadow has it.
    pub only_in: &'static str,
    /// The row, as JSON.
    pub row: String,
}

/// A rebuild under way.
pub struct Rebuild {
    database: Database,
    feed: Feed,
    projection: Arc<dyn Projection>,
    schema: String,
    shadow_name: String,
    position: Position,
    applied: u64,
}

impl Rebuild {
    /// Makes the empty shadow tables, throwing away those of an earlier rebuild that was broken off.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin(database: Database, projection: Arc<dyn Projection>) -> Result<Self, Error> {
        let rebuild = Self {
            schema: format!("rebuild_{}", projection.name()),
            shadow_name: format!("rebuild:{}", projection.name()),
            feed: database.feed(),
            database,
            projection,
            position: Position::START,
            applied: 0,
        };
        let mut transaction = rebuild.database.pool().begin().await?;
        let schema = &rebuild.schema;
        // Schema and table names cannot be parameters; these come from the program's own list of projections.
        let mut statements = vec![
            format!("DROP SCHEMA IF EXISTS {schema} CASCADE"),
            format!("CREATE SCHEMA {schema}"),
        ];
        for table in rebuild.projection.tables() {
            statements.push(format!("CREATE TABLE {schema}.{table} (LIKE read.{table} INCLUDING ALL)"));
            // `LIKE` leaves storage parameters out; without the live table's fill factor updates would move rows.
            statements.push(format!(
                "DO $$ DECLARE options text := (SELECT array_to_string(reloptions, ', ') FROM pg_class \
                 WHERE oid = 'read.{table}'::regclass); BEGIN IF options IS NOT NULL THEN \
                 EXECUTE 'ALTER TABLE {schema}.{table} SET (' || options || ')'; END IF; END $$"
            ));
        }
        for statement in &statements {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        checkpoint::forget(&mut transaction, &rebuild.shadow_name).await?;
        checkpoint::read(&mut transaction, &rebuild.shadow_name).await?;
        transaction.commit().await?;
        Ok(rebuild)
    }

    /// Returns how far the shadow has come.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Returns how many events the shadow has taken in.
    #[must_use]
    pub const fn applied(&self) -> u64 {
        self.applied
    }

    /// Takes one page of the log into the shadow; answers whether there was any.
    ///
    /// # Errors
    /// When an event cannot be applied or the database fails.
    pub async fn step(&mut self) -> Result<bool, Error> {
        let mut transaction = self.database.pool().begin().await?;
        let moved = self.step_in(&mut transaction).await?;
        transaction.commit().await?;
        Ok(moved)
    }

    async fn step_in(&mut self, connection: &mut PgConnection) -> Result<bool, Error> {
        let path = format!("SET LOCAL search_path = {}, public", self.schema);
        sqlx::query(&path).execute(&mut *connection).await?;
        let (to, count) = take_in(&self.feed, connection, self.projection.as_ref(), self.position, SHADOW_PAGE).await?;
        let moved = to > self.position;
        if moved {
            checkpoint::advance(connection, &self.shadow_name, to, count).await?;
            self.position = to;
            self.applied += count as u64;
        }
        Ok(moved)
    }

    /// Lets the planner know the shadow's tables, which grew from nothing in one go.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn analyze(&self) -> Result<(), Error> {
        for table in self.projection.tables() {
            let statement = format!("ANALYZE {}.{table}", self.schema);
            sqlx::query(&statement).execute(self.database.pool()).await?;
        }
        Ok(())
    }

    /// Holds the live projection still, brings the shadow level with it and lists every row in which they differ.
    ///
    /// # Errors
    /// When an event cannot be applied or the database fails.
    pub async fn compare(&mut self) -> Result<(u64, Vec<Difference>), Error> {
        let mut connection = self.database.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        let live = self.level(&mut transaction).await?;
        let found = self.differences(&mut transaction, live).await?;
        transaction.commit().await?;
        Ok(found)
    }

    /// Puts the shadow in the live tables' place, level with them, in one transaction; queries that run meanwhile wait
    /// for a moment and none fails.
    ///
    /// # Errors
    /// [`Error::Busy`] when readers never let go of the live tables.
    pub async fn swap(mut self) -> Result<Position, Error> {
        for _ in 0..SWAP_TRIES {
            match self.try_swap().await {
                Ok(()) => return Ok(self.position),
                Err(error) if is_lock_timeout(&error) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Busy(self.projection.name()))
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
        Ok(())
    }

    async fn try_swap(&mut self) -> Result<(), Error> {
        let before = (self.position, self.applied);
        let outcome = self.swap_in_one_transaction().await;
        if outcome.is_err() {
            // The transaction took the last step of the shadow back with it.
            (self.position, self.applied) = before;
        }
        outcome
    }

    async fn swap_in_one_transaction(&mut self) -> Result<(), Error> {
        let mut connection = self.database.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        self.level(&mut transaction).await?;
        let schema = &self.schema;
        let tables = self.projection.tables();
        let live: Vec<String> = tables.iter().map(|table| format!("read.{table}")).collect();
        // Both or none, and never waiting long: a swap that waits makes every later query wait behind it.
        let mut statements = vec![
            "SET LOCAL lock_timeout = '200ms'".to_owned(),
            format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", live.join(", ")),
        ];
        for table in tables {
            statements.push(format!("DROP TABLE read.{table}"));
            statements.push(format!("ALTER TABLE {schema}.{table} SET SCHEMA read"));
        }
        statements.push(format!("DROP SCHEMA {schema} CASCADE"));
        for statement in &statements {
            sqlx::query(statement).execute(&mut *transaction).await?;
        }
        let applied = i64::try_from(self.applied).unwrap_or(i64::MAX);
        checkpoint::put(&mut transaction, self.projection.name(), self.position, applied).await?;
        checkpoint::forget(&mut transaction, &self.shadow_name).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Takes the projection's lock and brings the shadow to the live tables' position, or, where the shadow is ahead,
    /// leaves it there; answers the live position.
    async fn level(&mut self, connection: &mut PgConnection) -> Result<Position, Error> {
        checkpoint::lead(connection, self.projection.name()).await?;
        let (live, _) = checkpoint::read(connection, self.projection.name()).await?;
        while self.position < live {
            if !self.step_in(connection).await? {
                break;
            }
        }
        // A shadow that is ahead waits for nobody: the live tables follow it under the lock that is held here.
        if self.position > live {
            let path = "SET LOCAL search_path = read, public";
            sqlx::query(path).execute(&mut *connection).await?;
            let mut at = live;
            while at < self.position {
                let (to, count) = take_in(&self.feed, connection, self.projection.as_ref(), at, SHADOW_PAGE).await?;
                checkpoint::advance(connection, self.projection.name(), to, count).await?;
                at = to;
            }
            return Ok(at);
        }
        Ok(live)
    }

    async fn differences(
        &self,
        connection: &mut PgConnection,
        _live: Position,
    ) -> Result<(u64, Vec<Difference>), Error> {
        let mut total = 0;
        let mut found = Vec::new();
        for table in self.projection.tables() {
            for (only_in, kept, taken) in [("live", "read", self.schema.as_str()), ("rebuilt", &self.schema, "read")] {
                let statement = format!(
                    "WITH different AS (SELECT to_jsonb(r)::text AS row FROM (SELECT * FROM {kept}.{table} EXCEPT ALL \
                     SELECT * FROM {taken}.{table}) r) SELECT (SELECT count(*) FROM different), row FROM different \
                     LIMIT {REPORTED}"
                );
                let rows = sqlx::query(&statement).fetch_all(&mut *connection).await?;
                let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
                total += u64::try_from(count).unwrap_or(0);
                for row in rows {
                    found.push(Difference {
                        table,
                        only_in,
                        row: row.try_get(1)?,
                    });
                }
            }
        }
        Ok((total, found))
    }
}

fn is_lock_timeout(error: &Error) -> bool {
    // 55P03: the lock was not had in time; 40P01: two waited for each other and this one gave way.
    matches!(error, Error::Database(sqlx::Error::Database(error))
        if error.code().is_some_and(|code| code == "55P03" || code == "40P01"))
}
