//! Kinds of rows: what a list sorted by a value merges.
//!
//! The index of a value has the rows of a kind together, sorted. A page takes its rows from the walks along those kinds
//! that its filter wants, so that none goes through rows of another kind, however the kinds lie along the value: those
//! with a low score have a low richness, and do not stand among the first.

use aggregates::ids::CampaignId;
use sqlx::PgConnection;

use super::{
    Filter,
    list::filtered,
    statements::{self, Value},
};
use crate::tables::Tables;

#[derive(sqlx::FromRow)]
struct Kind {
    rejection_reason: String,
    has_contact: bool,
    warned: bool,
}

/// The kinds in which rows may pass a filter and have a value, column by column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) reasons: Vec<String>,
    pub(super) contacts: Vec<bool>,
    pub(super) warnings: Vec<bool>,
}

impl Kinds {
    /// Asks the counters.
    ///
    /// # Errors
    /// When the database does not answer.
    pub(super) async fn of(
        connection: &mut PgConnection,
        tables: Tables,
        campaign_id: CampaignId,
        filter: &Filter,
        value: Value,
    ) -> Result<Self, sqlx::Error> {
        let statement = tables.of(statements::kinds(value));
        let query = sqlx::query_as(&statement);
        let found: Vec<Kind> = filtered!(query, campaign_id, filter)
            .fetch_all(connection)
            .await?;
        let mut kinds = Self::default();
        for kind in found {
            kinds.reasons.push(kind.rejection_reason);
            kinds.contacts.push(kind.has_contact);
            kinds.warnings.push(kind.warned);
        }
        Ok(kinds)
    }

    /// Tells whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}
