//! Comparing the shadow with the live tables, row for row.
//!
//! Tables that are equal, as they nearly always are, are told so by their fingerprints: one pass over each. Only where
//! these differ, the rows are set against each other and the differing ones are listed. Called by the rebuild before its
//! swap, and by a verification.

use std::hash::{BuildHasher as _, RandomState};

use event_store::Position;
use sqlx::{PgConnection, Row as _};

use super::{HOLD, LET_GO, Rebuild};
use crate::{
    runtime::{Error, checkpoint},
    snapshot::snapshot,
};

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
        let mut snapshot = snapshot(self.database.pool()).await?;
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
        let seed = RandomState::new().hash_one(()).cast_signed();
        for table in self.projection.tables() {
            let rebuilt = Fingerprint::of(snapshot, &format!("{shadow}.{table}"), seed).await?;
            found.rows += u64::try_from(rebuilt.rows).unwrap_or(0);
            if rebuilt == Fingerprint::of(snapshot, &format!("read.{table}"), seed).await? {
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

/// A table's rows without regard to their order: how many, and the sum of a hash of each, with a seed that is drawn for
/// each comparison. What is hashed is the row's text, in which every value is written out in full. Not
/// `hash_record_extended`: it is linear in the hashes of the columns, so that the sum does not change when two rows
/// exchange a value.
#[derive(PartialEq, Eq)]
struct Fingerprint {
    rows: i64,
    sum: String,
}

impl Fingerprint {
    async fn of(
        connection: &mut PgConnection,
        table: &str,
        seed: i64,
    ) -> Result<Self, sqlx::Error> {
        // A table's name cannot be a parameter; it comes from the program's own list of projections.
        let statement = format!(
            "SELECT count(*), coalesce(sum(hashtextextended(r::text, $1)), 0)::text FROM {table} r"
        );
        let (rows, sum) = sqlx::query_as(&statement)
            .bind(seed)
            .fetch_one(connection)
            .await?;
        Ok(Self { rows, sum })
    }
}
