//! Rows of one kind of result: whose each is, and the columns of the kind beside it.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use aggregates::ids::{CampaignId, RunId};
use event_store::Recorded;
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::QueryAs};
use uuid::Uuid;

use crate::{domains::counts::Updated, runtime::ApplyError};

/// A statement that answers where it has written how many rows.
pub(super) type Statement = QueryAs<'static, Postgres, Updated, PgArguments>;

/// The columns of one kind of result: a vector each, all of one length.
pub(super) trait Columns: Default {
    /// The result that fills a row.
    type Result;

    /// A [`result_update`](super::super::sql::result_update): the keys are $1 to $4, the columns follow.
    const WRITE: &'static str;

    /// Adds a row. It is added to every column or, with an error, to no matter how many: the batch is lost then.
    ///
    /// # Errors
    /// [`ApplyError::Poison`] when a part of the result cannot be kept.
    fn push(&mut self, event: &Recorded, result: Self::Result) -> Result<(), ApplyError>;

    /// Binds the columns in the order of [`Self::WRITE`].
    fn bind(self, statement: Statement) -> Statement;
}

/// Whose result a row is.
pub(super) struct Key<'a> {
    pub(super) campaign_id: CampaignId,
    pub(super) name: &'a str,
    pub(super) event: &'a Recorded,
    pub(super) run_id: RunId,
}

/// Results of one kind.
#[derive(Default)]
pub(super) struct Rows<C> {
    campaigns: Vec<Uuid>,
    names: Vec<String>,
    versions: Vec<i64>,
    runs: Vec<Uuid>,
    /// The domains by their hash: two that share one cost a statement more and nothing else.
    domains: HashSet<u64>,
    hasher: RandomState,
    columns: C,
}

impl<C: Columns> Rows<C> {
    /// Tells whether a result of the domain is waiting. A statement writes a row once, so a later result of the same
    /// kind must wait for the next one.
    pub(super) fn has(&self, campaign_id: CampaignId, name: &str) -> bool {
        !self.domains.is_empty() && self.domains.contains(&self.hash(campaign_id, name))
    }

    fn hash(&self, campaign_id: CampaignId, name: &str) -> u64 {
        self.hasher.hash_one((campaign_id.0, name))
    }

    /// Adds a result.
    ///
    /// # Errors
    /// As [`Columns::push`].
    pub(super) fn push(&mut self, key: &Key<'_>, result: C::Result) -> Result<(), ApplyError> {
        self.columns.push(key.event, result)?;
        self.domains.insert(self.hash(key.campaign_id, key.name));
        self.campaigns.push(key.campaign_id.0);
        self.names.push(key.name.to_owned());
        self.versions
            .push(i64::try_from(key.event.sequence).unwrap_or(i64::MAX));
        self.runs.push(key.run_id.0);
        Ok(())
    }

    /// Writes all results in one statement and answers where.
    ///
    /// # Errors
    /// [`ApplyError::Rows`] when a domain is not there; otherwise when the database fails.
    pub(super) async fn write(
        self,
        connection: &mut PgConnection,
    ) -> Result<Vec<Updated>, ApplyError> {
        let expected = self.names.len();
        if expected == 0 {
            return Ok(Vec::new());
        }
        let keys = sqlx::query_as(C::WRITE)
            .bind(self.campaigns)
            .bind(self.names)
            .bind(self.versions)
            .bind(self.runs);
        let updates = self.columns.bind(keys).fetch_all(connection).await?;
        let found: i64 = updates.iter().map(|updated| updated.rows).sum();
        if usize::try_from(found).is_ok_and(|found| found == expected) {
            Ok(updates)
        } else {
            Err(ApplyError::Rows)
        }
    }
}
