//! Campaigns with their phases and the last run of each.
//!
//! Campaign events are few (a run of a million names is some hundred), so they are applied one by one. The status of
//! a campaign is computed when it is read, from the phases' states, by the same function as in the aggregate.

mod apply;
mod follow;
mod listed;
mod overview;
mod progress;
mod query;
mod standing;
mod typed;

use aggregates::{campaign::Event, ids::CampaignId};
use event_store::Recorded;
use futures::{FutureExt, future::BoxFuture};
use sqlx::PgConnection;

pub(crate) use self::query::by_id_in;
pub use self::{
    listed::{Listed, Owned, of_owner, of_owner_among},
    overview::{Overview, Recent, overview, recent},
    progress::{Overall, Progress},
    query::{Campaign, Due, PhaseRow, UnderWay, active_runs, by_id, due_for_auto_start, pinned_of},
    standing::{Standing, standing},
    typed::{
        Typed, TypedFilter, TypedList, TypedPage, TypedSort, TypedStatus, UnknownTypedStatus,
        Upload, typed_around, typed_of_owner,
    },
};
use crate::runtime::{ApplyError, Projection, decode};

/// The projection behind the tables `campaigns` and `campaign_phases`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Campaigns;

impl Projection for Campaigns {
    fn name(&self) -> &'static str {
        "campaigns"
    }

    fn tables(&self) -> &'static [&'static str] {
        &["campaigns", "campaign_phases", "campaign_uploads"]
    }

    fn reads(&self) -> &'static [&'static str] {
        &["campaign"]
    }

    fn apply<'a>(
        &'a self,
        connection: &'a mut PgConnection,
        events: &'a [Recorded],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            for event in events {
                let campaign_id: CampaignId = event
                    .aggregate_id
                    .parse()
                    .map_err(|_| ApplyError::poison(event, "the stream id names no campaign"))?;
                let happened: Event = decode(event)?;
                apply::apply(connection, campaign_id, event, happened).await?;
            }
            Ok(())
        }
        .boxed()
    }
}
