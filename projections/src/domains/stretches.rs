//! Where in a campaign the rows are that a filter lets through.
//!
//! Ordinals are counted in stretches. A page that walks along the ordinals asks the counters first in which stretches it
//! will find something, and goes through those alone: matches that lie together, however far from the cursor, cost
//! neither the first page nor a later one a walk to them.

use aggregates::ids::CampaignId;
use sqlx::PgConnection;

use super::{
    Filter,
    list::filtered,
    sql::ordinals_of_a_stretch,
    statements::{self, RECOUNTED_STRETCHES, STRETCHES, Value},
};

/// How many ordinals a stretch has. A campaign of a million names has 245 stretches, each with a row for every combination
/// of findings that is in it; a stretch with a match costs a page a walk of so many rows at most.
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
    /// Asks the counters, which are exact where they keep all conditions apart.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn counted(
        connection: &mut PgConnection,
        campaign_id: CampaignId,
        filter: &Filter,
    ) -> Result<Self, sqlx::Error> {
        let stretches = filtered!(sqlx::query_as(STRETCHES), campaign_id, filter)
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
        campaign_id: CampaignId,
        filter: &Filter,
    ) -> Result<Self, sqlx::Error> {
        // Few stretches stand for many rows, of which the planner knows nothing: it would sort the rows to group them.
        sqlx::query(GROUP_WITHOUT_SORTING)
            .execute(&mut *connection)
            .await?;
        let mut stretches: Vec<Stretch> =
            filtered!(sqlx::query_as(RECOUNTED_STRETCHES), campaign_id, filter)
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
        campaign_id: CampaignId,
        filter: &Filter,
    ) -> Result<Self, sqlx::Error> {
        match filter.is_counted() {
            true => Self::counted(connection, campaign_id, filter).await,
            false => Self::recounted(connection, campaign_id, filter).await,
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
    /// Tells whether every condition is one that the counters keep apart, so that no domain need be looked at.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        self.min_score.is_none() && self.not_parked.is_none() && self.keyword.is_none()
    }
}

/// What passes a filter, in two parts: what has a value to sort by, and the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parted {
    /// How many rows may pass and have the value.
    pub(super) valued: i64,
    /// Where rows may pass that lack the value.
    pub(super) rest: Stretches,
}

#[derive(sqlx::FromRow)]
struct PartedStretch {
    stretch: i64,
    valued: i64,
    rest: i64,
}

impl Parted {
    /// Asks the counters.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn counted(
        connection: &mut PgConnection,
        campaign_id: CampaignId,
        filter: &Filter,
        value: Value,
    ) -> Result<Self, sqlx::Error> {
        let query = sqlx::query_as(statements::parted(value));
        let parted: Vec<PartedStretch> = filtered!(query, campaign_id, filter)
            .fetch_all(connection)
            .await?;
        let valued = parted.iter().map(|stretch| stretch.valued).sum();
        let rest = parted.into_iter().filter(|stretch| stretch.rest > 0);
        let stretches = rest.map(|stretch| Stretch {
            stretch: stretch.stretch,
            matches: stretch.rest,
        });
        Ok(Self {
            valued,
            rest: Stretches {
                stretches: stretches.collect(),
                // Of a page without a find the counters do not say whether one was looked for.
                exact: filter.is_counted() && value != Value::Keywords,
            },
        })
    }
}
