//! Comparing the shadow with the live tables, row for row.
//!
//! Tables that are equal, as they nearly always are, are told so by their fingerprints: one pass over each. Only where
//! these differ, the rows are set against each other and the differing ones are listed. Called by the rebuild before its
//! swap, and by a verification.

use std::hash::{BuildHasher as _, RandomState};

use event_store::Position;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::{HOLD, LET_GO, Rebuild};
use crate::runtime::{Error, checkpoint};

/// How many differing rows of a table are reported in full; the rest is counted.
const REPORTED: i64 = 20;

/// A row in which live and rebuilt differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The table.
    pub table: &'static str,
    /// `live` when only the live table has the row, `rebuilt` when only the shadow has it.
    pub only_in: &'static str,
    /// The row, as JSON.
    pub row: String,
}

/// How live and rebuilt compare at one position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The position that both were at.
    pub position: Position,
    /// Rows that were compared, of the shadow's tables.
    pub rows: u64,
    /// Rows that only one of the two has.
    pub differing: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

impl Rebuild {
    /// Brings the shadow level with the live tables, holding their projection still for that moment, and lists every
    /// row in which the two differ there. The live projection goes on while the rows are compared.
    ///
    /// # Errors
    /// [`Error::Ahead`] when the shadow has gone past the live tables; otherwise when an event cannot be applied or
    /// the database fails.
    pub async fn compare(&mut self) -> Result<Comparison, Error> {
        let name = self.projection.name();
        sqlx::query(HOLD)
            .bind(name)
            .execute(&mut self.session)
            .await?;
        let level = self.level().await;
        let mut connection = self.database.pool().acquire().await?;
        let mut snapshot = connection
            .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .await?;
        // The first statement takes the snapshot; it must come before the live projection is let go.
        let (live, _) = checkpoint::read(&mut snapshot, &self.shadow_name).await?;
        sqlx::query(LET_GO)
            .bind(name)
            .execute(&mut self.session)
            .await?;
        level?;
        let mut comparison = Comparison {
            position: live,
            ..Comparison::default()
        };
        self.find_differences(&mut snapshot, &mut comparison)
            .await?;
        snapshot.rollback().await?;
        Ok(comparison)
    }

    async fn level(&mut self) -> Result<(), Error> {
        let live = self.live_position().await?;
        if self.reached.position > live {
            return Err(Error::Ahead(self.projection.name()));
        }
        while self.step(live).await? {}
        Ok(())
    }

    async fn find_differences(
        &self,
        snapshot: &mut PgConnection,
        found: &mut Comparison,
    ) -> Result<(), Error> {
        let shadow = self.schema.as_str();
        let seeds = [RandomState::new(), RandomState::new()].map(|seed| seed.hash_one(()));
        for table in self.projection.tables() {
            let rebuilt = Fingerprint::of(snapshot, &format!("{shadow}.{table}"), seeds).await?;
            found.rows += u64::try_from(rebuilt.rows).unwrap_or(0);
            if rebuilt == Fingerprint::of(snapshot, &format!("read.{table}"), seeds).await? {
                continue;
            }
            for (only_in, kept, taken) in [("live", "read", shadow), ("rebuilt", shadow, "read")] {
                let statement = format!(
                    "WITH different AS MATERIALIZED (SELECT to_jsonb(r)::text AS row FROM (SELECT * FROM \
                     {kept}.{table} EXCEPT ALL SELECT * FROM {taken}.{table}) r) \
                     SELECT (SELECT count(*) FROM different), row FROM different LIMIT {REPORTED}"
                );
                let rows = sqlx::query(&statement).fetch_all(&mut *snapshot).await?;
                let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
                found.differing += u64::try_from(count).unwrap_or(0);
                for row in rows {
                    found.differences.push(Difference {
                        table,
                        only_in,
                        row: row.try_get(1)?,
                    });
                }
            }
        }
        Ok(())
    }
}

/// A table's rows without regard to their order: how many, and two sums over the hashes of whole rows. With seeds that
/// are drawn for each comparison, tables that differ have the same one in one of 2^128 comparisons.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    rows: i64,
    sums: [String; 2],
}

impl Fingerprint {
    async fn of(
        connection: &mut PgConnection,
        table: &str,
        seeds: [u64; 2],
    ) -> Result<Self, sqlx::Error> {
        // A table's name cannot be a parameter; it comes from the program's own list of projections.
        let statement = format!(
            "SELECT count(*), coalesce(sum(hash_record_extended(r, $1)), 0)::text, \
             coalesce(sum(hash_record_extended(r, $2)), 0)::text FROM {table} r"
        );
        let [first, second] = seeds.map(u64::cast_signed);
        let (rows, one, other) = sqlx::query_as(&statement)
            .bind(first)
            .bind(second)
            .fetch_one(connection)
            .await?;
        Ok(Self {
            rows,
            sums: [one, other],
        })
    }
}
