//! The schema is brought up to date.

use sqlx::migrate::Migrator;

use crate::{Database, Error};

/// Every step of the schema's history.
static STEPS: Migrator = sqlx::migrate!("../migrations");

const APPLIED: &str =
    "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";

impl Database {
    /// Brings the schema up to date. Any number of processes may do it at once: one works, the others wait for it. Where it
    /// is up to date nothing is written, so that a role may do this that cannot change it.
    ///
    /// # Errors
    /// [`Error::Migrate`] when a step fails or an applied one was changed.
    pub async fn migrate(&self) -> Result<(), Error> {
        if self.is_up_to_date().await {
            return Ok(());
        }
        STEPS.run(self.pool()).await.map_err(Error::Migrate)
    }

    /// Says whether exactly the steps of this program were applied; whatever else is the case, applying them tells.
    pub async fn is_up_to_date(&self) -> bool {
        let applied = sqlx::query_as(APPLIED).fetch_all(self.pool()).await;
        let applied: Vec<(i64, Vec<u8>)> = applied.unwrap_or_default();
        let steps = STEPS.iter().map(|step| (step.version, &*step.checksum));
        let applied = applied.iter().map(|(version, sum)| (*version, &**sum));
        steps.eq(applied)
    }
}
