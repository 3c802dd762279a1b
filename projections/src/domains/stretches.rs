//! Where in a campaign the rows are that a filter lets through.
//!
//! Ordinals are counted in stretches. A page along the ordinals asks the counters first in which stretches it will find
//! something, then which ordinals those are ([`super::members`]), or, where the counters do not know just that, walks
//! through these stretches alone ([`super::runs`]): matches that lie together, however far from the cursor, cost neither
//! the first page nor a later one a walk to them.

use aggregates::ids::CampaignId;
use sqlx::PgConnection;

use super::{
    Filter,
    list::filtered,
    sql::ordinals_of_a_stretch,
    statements::{self, RECOUNTED_STRETCHES, Value},
};
use crate::tables::Tables;

/// How many ordinals a stretch has. A campaign of a million names has 245 stretches, each with a row for every combination
/// of findings that is in it; where members are not known, a stretch with a match costs a page a walk of so many rows at
/// most.
pub(super) const ORDINALS: i64 = ordinals_of_a_stretch!();

/// A stretch that has rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Stretch {
    /// Its number, from 0: its ordinals divided by [`ORDINALS`].
    pub(super) stretch: i64,
    /// How many rows of it are meant, at least 1.
    pub(super) matches: i64,
}

/// The stretches in which a filter lets rows through, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stretches {
    /// Each with how many rows may pass.
    pub(super) stretches: Vec<Stretch>,
    /// Whether just so many pass: no stretch without a match is among them.
    pub(super) exact: bool,
}

impl Stretches {
    /// Asks the counters, which are exact where they keep all conditions apart: for all rows, or for those that lack
    /// a value.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn counted(
        connection: &mut PgConnection,
        tables: Tables,
        campaign_id: CampaignId,
        filter: &Filter,
        lacking: Option<Value>,
    ) -> Result<Self, sqlx::Error> {
        let statement = tables.of(statements::stretches(lacking));
        let query = sqlx::query_as(&statement);
        let stretches = filtered!(query, campaign_id, filter)
            .fetch_all(connection)
            .await?;
        Ok(Self {
            stretches,
            exact: filter.is_counted(),
        })
    }

    /// Counts the rows that pass, exact for every filter.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn recounted(
        connection: &mut PgConnection,
        tables: Tables,
        campaign_id: CampaignId,
        filter: &Filter,
    ) -> Result<Self, sqlx::Error> {
        // Few stretches stand for many rows, of which the planner knows nothing: it would sort the rows to group them.
        sqlx::query(GROUP_WITHOUT_SORTING)
            .execute(&mut *connection)
            .await?;
        let statement = tables.of(RECOUNTED_STRETCHES);
        let mut stretches: Vec<Stretch> =
            filtered!(sqlx::query_as(&statement), campaign_id, filter)
                .fetch_all(connection)
                .await?;
        stretches.sort_unstable_by_key(|stretch| stretch.stretch);
        Ok(Self {
            stretches,
            exact: true,
        })
    }

    /// Counts the rows that pass as cheaply as their exact number can be had.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn exact(
        connection: &mut PgConnection,
        tables: Tables,
        campaign_id: CampaignId,
        filter: &Filter,
    ) -> Result<Self, sqlx::Error> {
        match filter.is_counted() {
            true => Self::counted(connection, tables, campaign_id, filter, None).await,
            false => Self::recounted(connection, tables, campaign_id, filter).await,
        }
    }

    /// Returns how many rows they have together.
    pub(super) fn total(&self) -> i64 {
        self.stretches.iter().map(|stretch| stretch.matches).sum()
    }
}

/// For this transaction.
pub(super) const GROUP_WITHOUT_SORTING: &str = "SELECT set_config('enable_sort', 'off', true)";

impl Filter {
    /// Tells whether every condition is one that the counters keep apart, so that no domain need be looked at: then their members
    /// are just the rows that pass.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.min_score.is_none() && self.not_parked.is_none() && self.keyword.is_none()
    }
}
